"""The library in asyncio: as many waits as there are jobs, and no thread for any of them."""

import asyncio
import threading

import pytest

from broker_config.topology import Limits
from starai.errors import BadInput, BrokerUnreachable, ClientClosed, FailedOnDevice, Rejected
from starai.wire import State

MODEL = "all-minilm-l6-v2"


def test_a_job_can_be_awaited(device, client):
    async def ask():
        return await (await client.asubmit(MODEL, "a"))

    assert asyncio.run(ask()).tolist() == [1, ord("a")]


def test_a_thousand_jobs_are_awaited_at_once_without_another_thread(device, client):
    async def ask(length):
        job = await client.asubmit(MODEL, "a" * length)
        return (await job).tolist()[0]

    async def ask_all():
        answers = asyncio.gather(*(ask(length) for length in range(1, 1001)))
        threads = set()
        while not answers.done():
            threads.add(threading.active_count())
            await asyncio.wait([answers], timeout=0.01)
        return await answers, threads

    before = threading.active_count()
    answers, threads = asyncio.run(ask_all())

    assert answers == list(range(1, 1001))
    assert threads == {before}


def test_a_job_that_was_submitted_without_asyncio_can_be_awaited_by_several(device, client):
    job = client.submit(MODEL, "ab")

    async def ask():
        return await asyncio.gather(job, job.wait(), job)

    assert [answer.tolist() for answer in asyncio.run(ask())] == [[2, ord("a")]] * 3


def test_a_wait_that_is_cancelled_or_timed_out_breaks_neither_the_job_nor_another_wait(broker, client, start_device):
    async def ask():
        job = await client.asubmit(MODEL, "a")
        cancelled, patient = asyncio.create_task(job.wait()), asyncio.create_task(job.wait())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await job
        cancelled.cancel()
        await asyncio.wait([cancelled])
        assert cancelled.cancelled()
        assert not job.done
        await asyncio.to_thread(start_device, broker)
        return await patient, await job

    one, other = asyncio.run(ask())

    assert one is other
    assert one.tolist() == [1, ord("a")]


def test_a_job_outlives_the_loop_that_waited_for_it(broker, client, start_device):
    async def ask():
        job = await client.asubmit(MODEL, "a")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(job.wait(), 0.05)
        return job

    job = asyncio.run(ask())
    start_device(broker)

    assert job.result(20).tolist() == [1, ord("a")]


def test_an_error_is_raised_where_the_job_is_awaited(broker, client, start_device):
    start_device(broker, lambda asked: [asked.say(State.FAILED)])

    async def ask():
        await (await client.asubmit(MODEL, "a"))

    with pytest.raises(FailedOnDevice):
        asyncio.run(ask())


def test_many_texts_are_answered_in_their_order(device, client):
    texts = ["a" * length for length in range(1, 101)]

    async def lengths():
        return [answer.tolist()[0] async for answer in client.amap(MODEL, texts, batch=7, in_flight=4)]

    assert asyncio.run(lengths()) == list(range(1, 101))


def test_what_cannot_be_submitted_is_refused(empty_broker, connect):
    empty_broker.apply(limits=Limits(queue_length=2))
    client = connect(empty_broker)

    async def fill():
        for _ in range(30):
            await client.asubmit(MODEL, "a")

    with pytest.raises(Rejected):
        asyncio.run(fill())
    with pytest.raises(BadInput):
        asyncio.run(client.asubmit(MODEL, []))
    with pytest.raises(BadInput, match="one text"):
        client.amap(MODEL, "one text")
    client.close()
    with pytest.raises(ClientClosed):
        asyncio.run(client.asubmit(MODEL, "a"))


def test_a_broker_that_takes_nothing_is_an_error_in_time_and_the_task_is_withdrawn(own_broker, connect, crash):
    client = connect(own_broker, timeout=0.5)
    crash(own_broker.node)

    with pytest.raises(BrokerUnreachable, match=r"within 0\.5 s"):
        asyncio.run(client.asubmit(MODEL, "withdrawn"))


def test_a_submission_that_is_cancelled_is_withdrawn(own_broker, connect, crash, until):
    client = connect(own_broker, timeout=20)
    crash(own_broker.node)

    async def give_up():
        async with asyncio.timeout(0.1):
            await client.asubmit(MODEL, "withdrawn")

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())
    own_broker.node.start(lifeline=True)
    client.submit(MODEL, "sent")

    assert own_broker.depth("inference.asia.tiny.all-minilm-l6-v2") == 1
