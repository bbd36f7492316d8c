"""A job, without a network."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starai.answer import Expected
from starai.errors import ClientClosed, Expired, JobUnknown, TimedOut
from starai.job import Job
from starai.reading import Reading
from starai.request import JobState
from starai.tensor import pack
from starai.wire import Report, State

RESULT = pack(np.ones(3, np.float32))


def report(state: State, **more: object) -> Report:
    return Report(**{"task": "t1", "state": state, "at": time.time(), "device": "d1"} | more)


class Clock:
    """The time as a test sets it; nothing is waited for beyond a deadline."""

    def __init__(self, monkeypatch) -> None:
        self.seconds, begun = 0.0, time.monotonic()
        monkeypatch.setattr("starai.patience.time.monotonic", lambda: begun + self.seconds)
        monkeypatch.setattr("starai.patience._GRACE", 0.0)


@given(st.lists(st.sampled_from([State.STARTED, State.FAILED, State.EXPIRED, State.CANCELLED])))
def test_nothing_that_comes_after_a_result_changes_it(later):
    job = Job("t1", "model", 600)
    job.receive(report(State.SUCCEEDED, output=RESULT))

    for state in later:
        job.receive(report(state))

    assert job.result(0).tolist() == [1, 1, 1]
    assert len(job.reports) == 1


def test_a_job_that_has_begun_has_not_ended():
    job = Job("t1", "model", 600)
    job.receive(report(State.STARTED))

    assert not job.done
    assert job.answered is None
    with pytest.raises(TimedOut):
        job.result(0)


def test_pieces_are_read_and_not_kept():
    job = Job("t1", "model", 600)
    job.reading = Reading()
    told = [report(State.PIECE, run="r1", offset=at, text=text) for at, text in ((0, "Be"), (2, "cause"))]

    for one in (report(State.STARTED), *told, report(State.CANCELLED), *told):
        job.receive(one)

    assert (job.reading.run, job.reading.take()) == ("r1", "Because")
    assert [one.state for one in job.reports] == [State.STARTED, State.CANCELLED]


@pytest.mark.parametrize("state", [State.PIECE, State.PROGRESS])
def test_a_text_that_gets_on_is_waited_for_beyond_its_deadline(monkeypatch, state):
    clock, job = Clock(monkeypatch), Job("t1", "model", 1)
    for clock.seconds in (0.5, 50, 100):
        job.receive(report(state, run="r1"))

    clock.seconds = 159
    with pytest.raises(TimedOut):
        job.result(0)
    clock.seconds = 161
    with pytest.raises(Expired):
        job.result(0)


@pytest.mark.parametrize("state", [State.STARTED, State.PIECE, State.PROGRESS])
def test_a_task_that_gets_on_was_started_as_far_as_is_seen_here(state):
    job = Job("t1", "model", 600, Expected())
    job.receive(report(State.REQUEUED))
    job.receive(report(State.STARTED))
    job.receive(report(state, run="r1"))

    assert job._as_seen_here(JobUnknown("not yet")).state is JobState.STARTED


def test_a_task_of_which_nobody_said_a_word_expires_some_time_after_its_deadline(monkeypatch):
    clock, job = Clock(monkeypatch), Job("t1", "model", 1)
    clock.seconds = 3600

    for timeout in (None, 30):
        with pytest.raises(Expired, match="did not end before its deadline"):
            job.result(timeout)


def test_a_failure_after_the_end_is_no_failure():
    job = Job("t1", "model", 600)
    job.receive(report(State.SUCCEEDED, output=RESULT))

    job.fail(ClientClosed("too late"))

    assert job.result(0).tolist() == [1, 1, 1]
