"""What becomes of a model that failed: its pauses, and how it is made ready again."""

from concurrent.futures import Future

import pytest

from models.entry import Kind
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


class Able:
    """A model of every kind, which repeats what it is asked, or fails."""

    kind = Kind.GENERATE

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def run(self, inputs, timeout, stop=None):
        return self._do("run", inputs, timeout, stop)

    def generate(self, prompt, timeout, stop, on_piece):
        on_piece("a")
        return self._do("generate", prompt, timeout, stop)

    def compute(self, arrays, timeout, stop=None):
        return self._do("compute", arrays, timeout, stop)

    def _do(self, *asked):
        if self._error:
            raise self._error
        return asked


STOP: Future[None] = Future()
# Not what such a model is asked, which is nobody's business here.
ASKS = {
    "run": lambda model: model.run("inputs", 1.0, STOP),
    "generate": lambda model: model.generate("inputs", 1.0, STOP, lambda _: None),
    "compute": lambda model: model.compute("inputs", 1.0, STOP),
}
each_way = pytest.mark.parametrize("way", ASKS)


@each_way
@pytest.mark.parametrize(
    ("error", "is_failure"),
    [
        (ModelCrashed("gone"), True),
        (RuntimeError("a fault of ours"), True),
        (BadInput("no"), False),
        (Cancelled("no"), False),
    ],
)
def test_what_the_submitter_did_is_no_failure_of_the_model(way, error, is_failure):
    model = Recovery("minilm", Workshop())

    with pytest.raises(type(error)) as caught:
        ASKS[way](NotedModel(Able(error), model))

    assert caught.value is error
    assert model.is_under_way is is_failure


@each_way
def test_a_task_that_was_done_is_a_success(way, until, caplog):
    model = Recovery("minilm", Workshop())
    model.failed()
    until(lambda: not model.is_under_way)

    assert ASKS[way](NotedModel(Able(), model)) == (way, "inputs", 1.0, STOP)
    model.failed()

    assert pauses(caplog) == [0.05, 0.05]


@each_way
def test_what_the_submitter_did_is_no_success_either(way, until, caplog):
    model = Recovery("minilm", Workshop())
    model.failed()
    until(lambda: not model.is_under_way)

    with pytest.raises(BadInput):
        ASKS[way](NotedModel(Able(BadInput("no")), model))
    model.failed()

    assert pauses(caplog) == [0.05, 0.1]


def test_a_model_whose_failures_are_noted_says_what_it_does_and_hands_its_pieces_on():
    pieces = []
    noted = NotedModel(Able(), Recovery("minilm", Workshop()))

    noted.generate("inputs", None, None, pieces.append)

    assert (noted.kind, pieces) == (Kind.GENERATE, ["a"])
