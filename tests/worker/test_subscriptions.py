"""What a device is subscribed to, as its broker sees it: after the broker was killed, and under a load that swings."""

import itertools
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from broker_config import node
from starai import Client
from tests.worker.conftest import MODEL, QUEUES

#: Seconds in which a ladder may move once.
ONCE_IN = 5.0


@pytest.fixture(autouse=True)
def _prompt_statistics(monkeypatch):
    """The nodes of these tests tell within a second who consumes, not within five; that one is gone, at once."""
    retention = "management.sample_retention_policies"
    lines = [f"{retention}.{policy}.minute = 1\n" for policy in ("global", "basic", "detailed")]
    write_configuration = node.write_configuration

    def write(folder, file, tls):
        write_configuration(folder, file, tls)
        with (folder / "rabbitmq.conf").open("a") as configuration:
            configuration.writelines(["collect_statistics_interval = 250\n", *lines])

    monkeypatch.setattr(node, "write_configuration", write)


@pytest.fixture
def client(own_broker):
    """A submitter that waits for its broker."""
    with Client(own_broker.submitter(), region="asia", timeout=60) as client:
        yield client


@contextmanager
def submitting(client):
    """Give the jobs of a thread that submits one after the other all the while."""
    jobs, over = [], threading.Event()

    def submit():
        while not over.is_set():
            jobs.append(client.submit(MODEL, "hello"))

    thread = threading.Thread(target=submit)
    thread.start()
    try:
        yield jobs
    finally:
        over.set()
        thread.join()


class Subscriptions:
    """What a device was subscribed to at a moment."""

    def __init__(self, device, region):
        self.device = device
        self.home = QUEUES[region]
        self.then = sorted(device.subscriptions().values())

    def are_back(self):
        """Tell whether all are there again; abroad, what ran through the outage counts as load for a while."""
        pairs = list(itertools.zip_longest(self.then, sorted(self.device.subscriptions().values()), fillvalue=("", 0)))
        at_home = [(then, now) for then, now in pairs if self.home in (then[0], now[0])]
        return all(then == now for then, now in at_home) and all(
            then[0] == now[0] and 64 <= now[1] <= then[1] for then, now in pairs
        )


def test_killing_the_broker_loses_no_subscription_no_task_and_no_result(own_broker, start, client, gates, crash, until):
    devices = {region: start(own_broker, region, slots=2, wait=False, load=0.2) for region in ("asia", "europe")}
    until(lambda: all(len(device.subscriptions()) == 7 for device in devices.values()))
    before = [Subscriptions(device, region) for region, device in devices.items()]
    running = [client.submit(MODEL, "gate a") for _ in range(4)]
    until(lambda: all(job.reports for job in running))
    waiting = [client.submit(MODEL, "hello") for _ in range(20)]

    with submitting(client) as submitted:
        until(lambda: len(submitted) >= 20)
        crash(own_broker.node)
        gates.open("a")
        own_broker.node.start(lifeline=True)
        count = len(submitted)
        until(lambda: len(submitted) >= count + 20)

    for job in (*running, *waiting, *submitted):
        job.result(60)
        assert [report.state for report in job.reports].count("succeeded") == 1
    until(lambda: all(subscriptions.are_back() for subscriptions in before))
    until(lambda: not any(own_broker.depth(queue) for queue in QUEUES.values()))


def gaps(times):
    return [later - earlier for earlier, later in itertools.pairwise(times)]


def times_of(event, log):
    lines = [line for line in log.splitlines() if event in line]
    return [datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC).timestamp() for line in lines]


def test_a_load_that_swings_every_second_moves_the_ladder_once_in_five_seconds_at_most(own_broker, start, until):
    device = start(own_broker, load="swings")
    until(lambda: len(device.subscriptions()) == 6)

    closed, rungs, end = defaultdict(list), device.subscriptions(), time.monotonic() + 12
    while time.monotonic() < end:
        before, rungs = rungs, device.subscriptions()
        for tag in before.keys() - rungs.keys():
            closed[before[tag][0]].append(time.monotonic())

    assert len(closed[QUEUES["asia"]]) >= 2
    for times in closed.values():
        assert min(gaps(times), default=ONCE_IN) > ONCE_IN - 0.5
    assert min(gaps(times_of("load.moved", device.log))) > ONCE_IN - 0.1  # what lasted less than the statistics see
