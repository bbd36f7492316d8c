"""Jobs that their submitters cancel or retry."""

import asyncio

import pytest

from broker_config import names
from starai.errors import Cancelled, NotPossible
from starai.wire import State
from tests.jobs.hand_device import FAILURE, MODEL, QUEUE


def test_a_cancelled_job_ends_as_that_at_its_submitter_and_in_the_ledger(recorder, connect, device, until, is_known):
    client, other = connect(), connect()
    job = client.submit(MODEL, ["a"])
    until(lambda: is_known(client, job.id))

    assert other.job(job.id).cancel().cancelled_at

    with pytest.raises(Cancelled):
        job.result(20)
    until(lambda: other.job(job.id).status().state == "cancelled")
    with pytest.raises(Cancelled):
        other.job(job.id).result(20)
    assert [str(action.action) for action in job.status().actions] == ["cancelled"]


def test_the_devices_that_host_the_model_are_told_of_a_cancelled_task(broker, recorder, connect, device, until):
    client = connect()
    job = client.submit(MODEL, ["a"])
    job.cancel()  # whether the ledger knows it yet or not

    with pytest.raises(Cancelled):
        job.result(20)
    control = names.device_queue("device-1")
    until(lambda: broker.depth(control) == 1)
    with broker.channel() as channel:
        assert job.id.encode() in channel.basic_get(control, auto_ack=True)[2]


def test_a_job_that_the_ledger_does_not_know_yet_is_cancelled(engine, broker, connect, record, until):
    client = connect()
    job = client.submit(MODEL, ["a"])

    job.cancel()
    with pytest.raises(Cancelled):
        job.result(20)
    record(broker)
    until(lambda: client.job(job.id).status().items == 1)

    assert client.job(job.id).status().state == "cancelled"


def test_what_has_ended_is_not_cancelled_and_what_is_open_not_retried(recorder, connect, device, until):
    client = connect()
    done, waiting = client.submit(MODEL, ["a"]), client.submit(MODEL, ["b"])
    device.end()
    until(lambda: client.jobs(state="succeeded"))

    with pytest.raises(NotPossible, match="has ended"):
        done.cancel()
    for job in (done, waiting):
        with pytest.raises(NotPossible, match="only what failed or expired"):
            job.retry()


def test_a_job_is_cancelled_and_retried_in_asyncio(recorder, connect, device, until):
    client = connect()
    failed, waiting = client.submit(MODEL, ["a"]), client.submit(MODEL, ["b"])
    device.end(State.FAILED, failure=FAILURE)
    until(lambda: client.jobs(state="failed") and client.jobs(state="queued"))

    async def change():
        return await failed.aretry(), await waiting.acancel(), await failed.astatus()

    retried, cancelled, status = asyncio.run(change())
    assert retried.state == status.state == "queued"
    assert cancelled.cancelled_at


@pytest.mark.parametrize(("state", "more"), [(State.FAILED, {"failure": FAILURE}), (State.EXPIRED, {})])
def test_a_job_that_failed_or_expired_is_retried_under_its_id(recorder, broker, connect, device, until, state, more):
    client = connect()
    job = client.submit(MODEL, ["abc"], lease=90)
    first = device.end(state, **more)
    until(lambda: client.jobs(state=state))

    status = job.retry(deadline=120)
    assert (status.state, status.reason, job.done) == ("queued", None, False)
    until(lambda: broker.depth(QUEUE) == 1)
    with broker.channel() as channel:
        _, properties, _ = channel.basic_get(QUEUE)
    assert properties.user_id == names.PLATFORM
    assert (properties.headers["id"], properties.reply_to) == (job.id, first.reply_to)
    assert (properties.headers["timelimit"], properties.headers["lease"]) == ([90, None], "90")


def test_the_result_of_a_retried_job_comes_to_whoever_waits(recorder, connect, until, device, broker):
    client = connect()
    task = client.submit(MODEL, ["abc"]).id
    device.end(State.FAILED, failure=FAILURE)
    other = connect()
    until(lambda: other.jobs(state="failed"))

    retried = other.retry(task)
    until(lambda: broker.depth(QUEUE) == 1)
    device.end(run="run-2")

    assert retried.result(20).tolist() == [[3]]
    assert [str(action.action) for action in retried.status().actions] == ["retried"]
