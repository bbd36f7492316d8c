"""Many texts: in their order, and never more under way than asked for."""

import threading
from contextlib import suppress

import pytest
from pika.exceptions import NackError

from broker_config import names
from broker_config.topology import Limits
from starai.errors import BadInput, ClientClosed, FailedOnDevice, Rejected
from starai.wire import State

MODEL = "all-minilm-l6-v2"


def test_answers_come_in_the_order_of_the_texts(broker, client, start_device):
    for name in ("one", "two", "three"):
        start_device(broker, name=name)
    texts = [chr(97 + number % 26) * (1 + number % 7) for number in range(200)]

    answers = list(client.map(MODEL, iter(texts), batch=7, in_flight=5))

    assert [answer.tolist() for answer in answers] == [[len(text), ord(text[0])] for text in texts]


def test_no_more_is_read_and_under_way_than_asked_for(broker, client, start_device):
    read = 0
    release = threading.Event()

    def texts():
        nonlocal read
        for _ in range(100):
            read += 1
            yield "a"

    def answer(asked):
        release.wait(20)
        return [asked.succeeded()]

    start_device(broker, answer)
    answers = client.map(MODEL, texts(), batch=2, in_flight=3)
    assert read == 0
    threading.Timer(0.3, release.set).start()

    next(answers)

    assert read == 6
    assert len(list(answers)) == 99
    assert read == 100


def test_nothing_to_do_gives_nothing(client):
    assert list(client.map(MODEL, [])) == []


def test_the_first_error_ends_it(broker, client, start_device):
    def answer(asked):
        return [asked.say(State.FAILED) if "bad" in asked.inputs else asked.succeeded()]

    start_device(broker, answer)
    answers = client.map(MODEL, ["a", "bad", "c"], batch=1)

    assert next(answers).tolist() == [1, ord("a")]
    with pytest.raises(FailedOnDevice):
        next(answers)
    with pytest.raises(StopIteration):
        next(answers)


def test_a_full_queue_ends_it(empty_broker, connect):
    empty_broker.apply(limits=Limits(queue_length=2))
    with empty_broker.channel() as channel, suppress(NackError):
        for _ in range(30):
            channel.basic_publish(names.SUBMISSIONS, "asia.all-minilm-l6-v2", b"")

    with pytest.raises(Rejected):
        next(connect(empty_broker).map(MODEL, ["a"] * 50, batch=1, in_flight=50))


def test_what_cannot_be_mapped_is_refused(client):
    for options in ({"batch": 0}, {"batch": 4097}, {"in_flight": 0}):
        with pytest.raises(BadInput, match="map"):
            client.map(MODEL, ["a"], **options)
    with pytest.raises(BadInput, match="one text"):
        client.map(MODEL, "one text and no list")
    with pytest.raises(BadInput, match="Input 0 is int"):
        next(client.map(MODEL, ["a", 5]))


def test_a_closed_client_maps_nothing(broker, connect):
    client = connect(broker)
    client.close()

    with pytest.raises(ClientClosed):
        next(client.map(MODEL, ["a"]))
