"""What the demo concludes from a run."""

import time

import numpy as np
import pytest

from broker_config.regions import Region
from ops.demo_report import Run, report_of
from starai.job import Job
from starai.tensor import pack
from starai.wire import Report, State

ROWS = np.eye(4, dtype=np.float32)


def answered(number: int, row: np.ndarray, *devices: str) -> Job:
    """Return a job that each of the devices began, and the last one answered."""
    job = Job(f"task-{number}", "all-minilm-l6-v2", deadline=60)
    who = {"task": job.id, "at": time.time(), "region": "asia"}
    for device in devices:
        job.receive(Report(state=State.STARTED, device=device, **who))
    job.receive(Report(state=State.SUCCEEDED, device=devices[-1], output=pack(row[None]), **who))
    return job


@pytest.fixture
def run() -> Run:
    """Four tasks of one text; one of them was taken over."""
    jobs = [answered(number, row, "one") for number, row in enumerate(ROWS[:3])]
    return Run(["a", "b", "c", "d"], [*jobs, answered(3, ROWS[3], "two", "one")], Region.ASIA, "two")


def test_a_run_whose_answers_agree_with_the_reference_has_passed(run):
    report = report_of(run, ROWS, ROWS[2])

    assert report.passed
    assert (report.sent, report.answered, report.taken_over, report.local_share) == (4, 4, 1, 1.0)
    assert report.best[0] == (1.0, "c")


def test_a_run_with_one_wrong_vector_has_failed(run):
    reference = ROWS.copy()
    reference[1] = ROWS[0]

    assert not report_of(run, reference, ROWS[2]).passed


def test_a_task_that_counts_twice_has_failed_the_run(run):
    twice = Run(run.texts, [*run.jobs[:3], run.jobs[0]], run.region, run.killed)

    assert not report_of(twice, ROWS, ROWS[2]).passed
