"""A job, without a network."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starai.errors import ClientClosed, Expired, TimedOut
from starai.job import Job
from starai.tensor import pack
from starai.wire import Report, State

RESULT = pack(np.ones(3, np.float32))


def report(state: State, **more: object) -> Report:
    return Report(**{"task": "t1", "state": state, "at": time.time(), "device": "d1"} | more)


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


def test_a_task_of_which_nobody_said_a_word_expires_some_time_after_its_deadline(monkeypatch):
    job = Job("t1", "model", 1)
    now = time.monotonic()
    monkeypatch.setattr("starai.job.time.monotonic", lambda: now + 3600)
    monkeypatch.setattr("starai.job._GRACE", 0.0)

    for timeout in (None, 30):
        with pytest.raises(Expired, match="did not end before its deadline"):
            job.result(timeout)


def test_a_failure_after_the_end_is_no_failure():
    job = Job("t1", "model", 600)
    job.receive(report(State.SUCCEEDED, output=RESULT))

    job.fail(ClientClosed("too late"))

    assert job.result(0).tolist() == [1, 1, 1]
