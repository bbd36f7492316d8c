"""The client at a real broker, with a tiny device that answers."""

import socket
import threading
import time

import numpy as np
import pika
import pytest

from broker_config import names
from broker_config.topology import Limits
from starai import Client
from starai.errors import (
    BadInput,
    BrokerRefused,
    BrokerUnreachable,
    ClientClosed,
    InvalidName,
    Rejected,
    TimedOut,
)

MODEL = "all-minilm-l6-v2"


def test_a_text_is_answered_with_a_vector_and_a_list_with_a_row_for_each(device, client):
    one, many = client.submit(MODEL, "a sentence"), client.submit(MODEL, ["ab", "c"])

    assert one.result(10).tolist() == [10, ord("a")]
    assert many.result(10).tolist() == [[2, ord("a")], [1, ord("c")]]
    assert many.result(10).dtype == np.float32


def test_a_job_says_what_became_of_it(device, client):
    job = client.submit(MODEL, "a")
    ended = threading.Event()
    job.add_done_callback(lambda done: ended.set() if done is job else None)

    job.result(10)

    assert ended.wait(10)
    assert job.done
    assert job.id == device.asked[0].id
    assert [str(report.state) for report in job.reports] == ["started", "succeeded"]
    assert job.answered > job.submitted


def test_asking_again_gives_the_same_result(device, client):
    job = client.submit(MODEL, "a")

    assert job.result(10) is job.result(0)


def test_a_task_goes_to_the_region_that_was_asked_for(broker, client):
    client.submit(MODEL, "at home")
    client.submit(MODEL, "abroad", region="europe")

    assert broker.depth("inference.asia.tiny.all-minilm-l6-v2") == 1
    assert broker.depth("inference.europe.tiny.all-minilm-l6-v2") == 1


def test_a_tier_stands_for_its_default_model(device, client):
    assert client.submit("tiny", "a").result(10).tolist() == [1, ord("a")]


def test_a_task_is_a_celery_message_that_the_broker_vouches_for(broker, connect):
    connect(broker, "ann").submit(MODEL, "a")

    with broker.channel() as channel:
        _, properties, body = channel.basic_get("inference.asia.tiny.all-minilm-l6-v2", auto_ack=True)
    assert properties.user_id == "ann"
    assert names.is_reply_queue(properties.reply_to, "ann")
    assert properties.delivery_mode == pika.DeliveryMode.Persistent.value
    assert properties.headers["task"] == names.INFERENCE_TASK
    assert properties.correlation_id == properties.headers["id"]
    assert body.startswith(b'[[],{"inputs":"a"},')


def test_a_result_that_is_late_can_be_asked_for_later(broker, client, start_device):
    job = client.submit(MODEL, "a")
    with pytest.raises(TimedOut, match="ask again") as late:
        job.result(0.1)
    assert late.value.task == job.id

    start_device(broker)

    assert job.result(10).tolist() == [1, ord("a")]


def test_bad_inputs_names_and_deadlines_are_refused_by_the_client(broker, client):
    for inputs in ([], 5, b"bytes", ["a"] * 5000, "\ud800"):
        with pytest.raises(BadInput):
            client.submit(MODEL, inputs)
    for model, region in (("No Such Model!", None), ("", None), (MODEL, "atlantis")):
        with pytest.raises(InvalidName):
            client.submit(model, "a", region=region)
    for deadline in (0, -1, float("nan"), float("inf"), 1e12):
        with pytest.raises(BadInput, match="deadline"):
            client.submit(MODEL, "a", deadline=deadline)
    assert broker.depth("inference.asia.tiny.all-minilm-l6-v2") == broker.depth(names.UNPLACED) == 0


def test_a_full_queue_rejects_the_task(empty_broker, connect):
    empty_broker.apply(limits=Limits(queue_length=2))
    client = connect(empty_broker)

    def fill() -> None:
        for _ in range(30):
            client.submit(MODEL, "a")

    with pytest.raises(Rejected, match="the queue of all-minilm-l6-v2 is full") as full:
        fill()
    assert full.value.task


def test_a_closed_client_takes_nothing_and_its_jobs_end_as_closed(broker, connect):
    client = connect(broker)
    job = client.submit(MODEL, "a")
    ended = client.submit(MODEL, "b")

    client.close()
    client.close()

    for waiting in (job, ended):
        with pytest.raises(ClientClosed, match=r"before task .* ended"):
            waiting.result(1)
    with pytest.raises(ClientClosed, match="make a new one"):
        client.submit(MODEL, "a")


def test_a_client_leaves_no_queue_behind(broker):
    with Client(broker.submitter("ann")) as client:
        client.submit(MODEL, "a")
        assert reply_queues(broker)

    assert reply_queues(broker) == []


def test_a_client_whose_reply_queue_was_deleted_makes_it_anew(broker, client, device, until):
    client.submit(MODEL, "a").result(10)
    (queue,) = reply_queues(broker)
    with broker.channel() as channel:
        channel.queue_delete(queue)

    until(lambda: reply_queues(broker) == [queue])
    assert client.submit(MODEL, "a").result(10).tolist() == [1, ord("a")]


def reply_queues(broker) -> list[str]:
    found = broker.node.api.definitions(broker.vhost)["queues"]
    return [queue["name"] for queue in found if queue["name"].startswith("reply.")]


def test_many_threads_share_one_client(device, client):
    wrong: list[str] = []

    def ask(letter: str) -> None:
        for length in range(1, 21):
            answer = client.submit(MODEL, letter * length).result(20).tolist()
            if answer != [length, ord(letter)]:
                wrong.append(letter)

    threads = [threading.Thread(target=ask, args=(letter,)) for letter in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert len(device.asked) == 160


def test_two_clients_of_one_user_get_their_own_answers(broker, device, connect):
    one, other = connect(broker, "ann"), connect(broker, "ann")
    first, second = one.submit(MODEL, "a"), other.submit(MODEL, "bb")

    assert first.result(10).tolist() == [1, ord("a")]
    assert second.result(10).tolist() == [2, ord("b")]


def test_no_broker_is_an_error_within_seconds_that_does_not_tell_the_password():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    before = time.monotonic()

    with pytest.raises(BrokerUnreachable, match=f"ann@{address}") as unreachable:
        Client(f"amqp://ann:secret@{address}/starai", timeout=0.2)

    assert time.monotonic() - before < 3
    assert "secret" not in f"{unreachable.value!r} {unreachable.value.__cause__!r}"


def test_a_wrong_password_is_refused_at_once(broker):
    broker.submitter("ann")
    with pytest.raises(BrokerRefused) as refused:
        Client(broker.url("ann", "wrong-secret"), timeout=20)
    assert "wrong-secret" not in str(refused.value)


def test_who_may_not_submit_is_told_so(broker):
    with pytest.raises(BrokerRefused, match="ACCESS_REFUSED"):
        Client(broker.device("d1"), timeout=20)
