"""What a device says of a task, and when it hands the task on, without a broker."""

import time
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest

from models.entry import Kind
from starai.errors import BadInput, BrokerUnreachable, Cancelled, ModelCrashed, ModelError
from starai.generation import FinishReason, Generated
from starai.tensor import unpack
from tasks import output, pieces
from tasks.inference import ATTEMPTS, LEASE, infer
from tasks.message import Task

TEXT = Generated(
    text="Because.", finish_reason=FinishReason.STOP, prompt_tokens=5, tokens=3, first_token_seconds=0.1, seconds=0.2
)


class Submitter:
    """Takes reports, and answers each as the broker would."""

    def __init__(self):
        self.reports = []

    def __call__(self, report):
        self.reports.append(report)
        confirmed = Future()
        confirmed.set_result(None)
        return confirmed

    @property
    def states(self):
        return [report.state for report in self.reports]


class Lengths:
    """A model: a text's length, as a row of one."""

    kind = Kind.EMBED

    def run(self, inputs, timeout, stop):
        assert timeout == LEASE
        return np.array([[len(text)] for text in inputs], np.float32)


class Talks:
    """A model that makes a text in three steps."""

    kind = Kind.GENERATE

    def generate(self, prompt, timeout, stop, on_piece):
        assert timeout == LEASE
        for piece in ("Be", "cause", "."):
            on_piece(piece)
        return TEXT


class Raises:
    kind = Kind.EMBED

    def __init__(self, error):
        self._error = error

    def run(self, inputs, timeout, stop):
        raise self._error


def task(inputs="four", expires=None, returns=0):
    return Task("id", "reply.me-1", inputs, expires, None, returns)


def run(task, model, say):
    return infer(task, "run", model, say, device="device", region="asia")


@pytest.fixture
def submitter():
    return Submitter()


def test_one_text_is_answered_with_its_row(submitter):
    run(task("four"), Lengths(), submitter)

    assert submitter.states == ["started", "succeeded"]
    assert unpack(submitter.reports[1].output).tolist() == [4.0]


@pytest.mark.parametrize(("asked", "given"), [(None, LEASE), (5.0, 5.0)])
def test_a_task_may_run_for_as_long_as_it_asked_or_as_is_usual(submitter, asked, given):
    class Timeout:
        kind = Kind.EMBED

        def run(self, inputs, timeout, stop):
            return np.array([[timeout]], np.float32)

    run(replace(task(), lease=asked), Timeout(), submitter)

    assert unpack(submitter.reports[1].output).tolist() == [given]


def test_of_a_task_that_is_cancelled_while_it_runs_it_is_said_that_this_attempt_has_ended(submitter):
    run(task(), Raises(Cancelled("by its submitter")), submitter)

    assert submitter.states == ["started", "cancelled"]


def test_a_list_is_answered_with_a_row_for_each_text(submitter):
    run(task(["a", "bb"]), Lengths(), submitter)

    assert unpack(submitter.reports[1].output).tolist() == [[1.0], [2.0]]


def test_a_text_is_answered_with_what_is_known_of_it(submitter):
    run(task("Why"), Talks(), submitter)

    assert submitter.states == ["started", "succeeded"]
    assert submitter.reports[1].output == TEXT


def test_a_text_is_told_piece_by_piece_before_it_is_whole(submitter, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_EVERY", 0.0)
    run(replace(task("Why"), stream=True), Talks(), submitter)

    assert submitter.states == ["started", "piece", "piece", "piece", "succeeded"]
    assert [(r.offset, r.text) for r in submitter.reports[1:4]] == [(0, "Be"), (2, "cause"), (7, ".")]
    assert {(r.task, r.run, r.device, r.region) for r in submitter.reports} == {("id", "run", "device", "asia")}


def test_a_text_that_gets_on_says_so_whether_its_pieces_are_wanted_or_not(submitter, monkeypatch):
    monkeypatch.setattr(pieces, "PROGRESS_EVERY", 0.0)
    run(task("Why"), Talks(), submitter)

    assert submitter.states == ["started", "progress", "progress", "progress", "succeeded"]


def test_every_report_says_which_task_attempt_device_and_region_it_is_of(submitter):
    run(task(), Lengths(), submitter)

    assert {(r.task, r.run, r.device, r.region) for r in submitter.reports} == {("id", "run", "device", "asia")}


def test_a_task_past_its_deadline_is_not_run(submitter):
    run(task(expires=time.time() - 1), Raises(AssertionError()), submitter)

    assert submitter.states == ["expired"]


def test_a_task_before_its_deadline_is_run(submitter):
    run(task(expires=time.time() + 60), Lengths(), submitter)

    assert submitter.states == ["started", "succeeded"]


@pytest.mark.parametrize(
    ("inputs", "model"), [("x", Raises(BadInput("no such token"))), ([], Lengths())], ids=["refused text", "no text"]
)
def test_the_submitters_fault_ends_the_task(submitter, inputs, model):
    run(task(inputs), model, submitter)

    assert submitter.states == ["started", "failed"]
    assert submitter.reports[1].failure.reason == "bad-input"


def test_a_result_that_is_too_large_to_be_read_is_the_submitters_fault(submitter, monkeypatch):
    monkeypatch.setattr(output, "MAX_BODY", 2000)

    run(task(["x"] * 1000), Lengths(), submitter)

    assert submitter.reports[1].failure.reason == "bad-input"
    assert "fewer texts" in submitter.reports[1].failure.message


@pytest.mark.parametrize("error", [ModelCrashed("gone"), LookupError("a bug")])
def test_the_devices_fault_is_raised_so_that_another_device_tries(submitter, error):
    with pytest.raises(ModelError):
        run(task(returns=ATTEMPTS - 2), Raises(error), submitter)

    assert submitter.states == ["started", "requeued"]
    assert submitter.reports[1].note


def test_a_task_that_a_device_cannot_do_goes_on_though_nobody_can_be_told():
    def say(report):
        if report.state != "started":
            raise BrokerUnreachable("closed")

    with pytest.raises(ModelCrashed):
        run(task(), Raises(ModelCrashed("gone")), say)


def test_the_devices_fault_ends_the_task_at_its_last_attempt(submitter):
    run(task(returns=ATTEMPTS - 1), Raises(ModelCrashed("gone")), submitter)

    assert submitter.reports[1].failure.reason == "device"
    assert submitter.reports[1].failure.message == "gone"


def test_a_long_reason_is_cut_to_what_a_report_may_hold(submitter):
    run(task(), Raises(BadInput("x" * 5000)), submitter)

    assert len(submitter.reports[1].failure.message) == 2000


def test_the_end_is_confirmed_by_the_last_report_alone():
    reports = []

    def say(report):
        reports.append(Future())
        return reports[-1]

    assert run(task(), Lengths(), say) is reports[1]
