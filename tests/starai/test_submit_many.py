"""Many tasks at once."""

import pytest

from broker_config.topology import Limits
from starai.errors import BadInput, Rejected

MODEL = "all-minilm-l6-v2"


def test_each_element_is_a_task_of_its_own_in_that_order(device, client):
    jobs = client.submit_many(MODEL, (["a" * length] * 2 if length % 2 else "a" * length for length in range(1, 301)))

    assert [job.result(20).shape for job in jobs] == [(2, 2) if length % 2 else (2,) for length in range(1, 301)]
    assert [job.result(20).ravel()[0] for job in jobs] == list(range(1, 301))
    assert len(device.asked) == 300


def test_the_broker_has_taken_them_all_when_it_returns(broker, client):
    client.submit_many(MODEL, ["a"] * 250)

    assert broker.depth("inference.asia.tiny.all-minilm-l6-v2") == 250


def test_nothing_is_submitted_when_one_is_no_input(broker, client):
    with pytest.raises(BadInput, match="not int"):
        client.submit_many(MODEL, ["a"] * 200 + [5])
    with pytest.raises(BadInput, match="one text"):
        client.submit_many(MODEL, "one text")

    assert broker.depth("inference.asia.tiny.all-minilm-l6-v2") == 0


def test_the_first_that_a_full_queue_refused_is_raised(empty_broker, connect):
    empty_broker.apply(limits=Limits(queue_length=5))

    with pytest.raises(Rejected, match="is full"):
        connect(empty_broker).submit_many(MODEL, ["a"] * 500)


def test_no_tasks_are_no_jobs(client):
    assert client.submit_many(MODEL, []) == []
