"""Tasks that a full queue refused: the ledger does not count on them."""

import json
from collections.abc import Iterator

import pytest

from broker_config import names
from broker_config.topology import Limits
from registry import tombstones
from starai import Client
from starai.errors import Rejected
from tests.jobs.hand_device import MODEL


@pytest.fixture
def small(empty_broker):
    """A broker whose queues are soon full."""
    empty_broker.apply(limits=Limits(queue_length=2))
    return empty_broker


@pytest.fixture
def client(small) -> Iterator[Client]:
    with Client(small.submitter("ann"), region="asia", timeout=10) as client:
        yield client


def fill(client: Client, tasks: int) -> tuple[set[str], set[str]]:
    """Submit so many tasks, and return which were taken, and which were not."""
    taken, refused = set(), set()
    for _ in range(tasks):
        try:
            taken.add(client.submit(MODEL, ["a"]).id)
        except Rejected as error:
            refused.add(error.task)
    assert refused
    return taken, refused


def ids(client: Client, state: str) -> set[str]:
    return {job.id for job in client.jobs(state=state)}


def test_what_a_full_queue_refused_is_withdrawn(small, client, serve, record, until):
    serve(small)
    record(small)

    taken, refused = fill(client, 60)

    until(lambda: (ids(client, "queued"), ids(client, "rejected")) == (taken, refused))
    with pytest.raises(Rejected):
        client.job(refused.pop()).result()


def test_what_the_platform_could_not_withdraw_yet_is_withdrawn_later(small, client, serve, until, monkeypatch):
    monkeypatch.setattr(tombstones, "MOST_TOMBSTONES", 0)
    _, refused = fill(client, 40)
    until(lambda: small.depth(names.REQUESTS_QUEUE))
    serve(small)  # only now
    until(lambda: client.jobs() == [] and not small.depth(names.REQUESTS_QUEUE))

    monkeypatch.setattr(tombstones, "MOST_TOMBSTONES", 10_000)

    until(lambda: ids(client, "rejected") == refused)


def test_what_is_withdrawn_as_a_client_closes_is_withdrawn(small):
    with Client(small.submitter("ann"), region="asia") as client:
        _, refused = fill(client, 40)

    told: set[str] = set()
    with small.channel() as channel:
        while (got := channel.basic_get(names.REQUESTS_QUEUE, auto_ack=True))[0]:
            assert got[1].user_id == "ann"
            told.update(json.loads(got[2])["tasks"])
    assert told == refused
