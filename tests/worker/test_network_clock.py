"""Deadlines by the network's clock, on a machine whose own is wrong."""

import time

import pytest

from tasks.cancellation_message import Cancellation
from tasks.message import Task
from worker.cancellations import Cancellations
from worker.network_clock import NetworkClock

HOUR = 3600.0


@pytest.fixture
def clock():
    return NetworkClock()


def test_before_it_was_told_it_goes_by_its_own_clock(clock):
    assert clock.now() == pytest.approx(time.time(), abs=0.1)


@pytest.mark.parametrize("wrong", [-HOUR, HOUR])
def test_the_platforms_time_counts_whatever_this_machine_says(clock, wrong):
    clock.tell(int(time.time() + wrong))

    assert clock.now() == pytest.approx(time.time() + wrong, abs=1)


def test_a_clock_that_is_as_good_as_right_is_finer_than_whole_seconds(clock):
    clock.tell(int(time.time()) - 1)

    assert clock.now() == pytest.approx(time.time(), abs=0.1)


def test_a_clock_that_jumps_after_it_was_told_changes_nothing(clock, monkeypatch):
    clock.tell(int(time.time()))
    before, own = clock.now(), time.time

    monkeypatch.setattr(time, "time", lambda: own() + HOUR)

    assert clock.now() == pytest.approx(before, abs=1)


@pytest.mark.parametrize("wrong", [-HOUR, 0, HOUR])
def test_a_deadline_is_as_far_away_as_the_network_means_it(clock, wrong):
    network = time.time() + wrong
    clock.tell(int(network))

    task = clock.by_own_clock(Task("t1", "reply.ann-1a", "text", network + 10, None, 0))

    assert task.expires - time.time() == pytest.approx(10, abs=1)


def test_a_task_without_a_deadline_has_none(clock):
    clock.tell(int(time.time() + HOUR))

    assert clock.by_own_clock(Task("t1", "reply.ann-1a", "text", None, None, 0)).expires is None


def test_a_cancellation_is_remembered_until_the_task_has_expired_at_the_network(clock):
    clock.tell(int(time.time() - HOUR))
    known = Cancellations(clock.now)
    known.add([Cancellation("ann", "t1", time.time() - HOUR + 10)])

    with (
        pytest.raises(Exception, match="was cancelled"),
        known.running(Task("t1", "reply.ann-1a", "text", None, None, 0)),
    ):
        pass
