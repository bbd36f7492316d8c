"""What becomes of a model that failed: its pauses, and how it is made ready again."""

import numpy as np
import pytest

from starai.errors import BadInput, Cancelled, ModelCorrupt, ModelCrashed
from worker import recovery
from worker.recovery import NotedModel, Recovery


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(recovery, "FIRST_PAUSE", 0.05)


class Workshop:
    """Mends as often as it is told to fail first."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.mended = 0

    def __call__(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.mended += 1


def pauses(caplog) -> list[float]:
    return [record.seconds for record in caplog.records if hasattr(record, "seconds")]


def test_a_model_that_failed_takes_no_tasks_until_it_was_made_ready(until):
    workshop = Workshop()
    model = Recovery("minilm", workshop)

    model.failed()

    assert model.is_under_way
    until(lambda: not model.is_under_way)
    assert (workshop.mended, model.reason) == (1, None)


def test_a_model_that_cannot_be_made_ready_is_tried_again_and_says_why(until, caplog):
    model = Recovery("minilm", Workshop(ModelCorrupt("a file is short"), OSError("no room")))
    seen = []

    model.failed()
    until(lambda: seen.append(model.reason) or not model.is_under_way)

    assert [reason for reason in dict.fromkeys(seen) if reason] == ["a file is short", "no room"]
    assert model.reason is None
    assert pauses(caplog) == [0.05, 0.1, 0.2]


def test_tasks_that_fail_together_are_one_failure(until, caplog):
    model = Recovery("minilm", Workshop())

    for _ in range(8):
        model.failed()
    until(lambda: not model.is_under_way)
    model.failed()

    assert pauses(caplog) == [0.05, 0.1]


def test_a_success_makes_the_next_pause_the_shortest(until, caplog):
    model = Recovery("minilm", Workshop())
    model.failed()
    until(lambda: not model.is_under_way)

    model.succeeded()
    model.failed()

    assert pauses(caplog) == [0.05, 0.05]


def test_a_model_of_a_device_that_ends_is_not_made_ready_any_more(until):
    workshop = Workshop()
    model = Recovery("minilm", workshop)
    model.stop()

    model.failed()

    assert not workshop.mended


@pytest.mark.parametrize(
    ("error", "is_failure"),
    [
        (ModelCrashed("gone"), True),
        (RuntimeError("a fault of ours"), True),
        (BadInput("no"), False),
        (Cancelled("no"), False),
    ],
)
def test_what_the_submitter_did_is_no_failure_of_the_model(error, is_failure):
    class Failing:
        def run(self, inputs, timeout, stop=None):
            raise error

    model = Recovery("minilm", Workshop())

    with pytest.raises(type(error)):
        NotedModel(Failing(), model).run(["a"], 1.0)

    assert model.is_under_way is is_failure


def test_a_task_that_was_done_is_a_success(until, caplog):
    class Ones:
        def run(self, inputs, timeout, stop=None):
            return np.ones((1, 1), np.float32)

    model = Recovery("minilm", Workshop())
    model.failed()
    until(lambda: not model.is_under_way)

    assert NotedModel(Ones(), model).run(["a"], 1.0).shape == (1, 1)
    model.failed()

    assert pauses(caplog) == [0.05, 0.05]
