"""A client that waits while its connection, or the broker, is lost."""

import threading

import pytest

from starai.errors import BrokerUnreachable

MODEL = "all-minilm-l6-v2"


def test_a_result_comes_although_the_connection_was_lost_meanwhile(broker, connect, start_device, until):
    release = threading.Event()

    def answer(asked):
        release.wait(30)
        return [asked.succeeded()]

    start_device(broker, answer)
    client = connect(broker, "ann")
    jobs = [client.submit(MODEL, "a" * length) for length in range(1, 4)]

    until(lambda: close_connections(broker, "ann"))
    release.set()

    assert [job.result(20).tolist()[0] for job in jobs] == [1, 2, 3]
    assert client.submit(MODEL, "after").result(20).tolist()[0] == 5


def close_connections(broker, user: str) -> int:
    mine = [one["name"] for one in broker.node.api.connections() if one.get("user") == user]
    for name in mine:
        broker.node.api.close_connection(name, "test")
    return len(mine)


def test_results_come_although_the_broker_crashed_meanwhile(own_broker, connect, start_device, crash, until):
    client = connect(own_broker, timeout=0.5)
    jobs = [client.submit(MODEL, "a" * length) for length in range(1, 11)]

    crash(own_broker.node)
    with pytest.raises(BrokerUnreachable, match=r"did not take task .* within 0\.5 s"):
        client.submit(MODEL, "withdrawn")
    own_broker.node.start(lifeline=True)
    # RabbitMQ 3.10 may forget a queue that it made less than two seconds before a crash, and holds no message: the
    # reply queue has to be there again before anybody answers.
    until(lambda: client._link.is_connected)
    device = start_device(own_broker, queues=["inference.asia.tiny.all-minilm-l6-v2"])

    assert [job.result(30).tolist()[0] for job in jobs] == list(range(1, 11))
    assert "withdrawn" not in [asked.inputs for asked in device.asked]
