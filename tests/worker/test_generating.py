"""What a device says of a text that it generates, in which order; without a broker."""

import json
import time

import pytest
from pydantic import SecretStr

from broker_config.link import Link
from broker_config.regions import Region
from broker_config.tiers import Tier
from models.entry import Kind
from starai.errors import ModelCrashed
from starai.generation import FinishReason, Generated
from tasks.deployment import Deployment
from tasks.message import Task
from worker.device import Device
from worker.enrolment import Enrolment
from worker.rung import Delivery
from worker.verdict import Verdict

MODEL = "phi3-3.8b"
TEXT = Generated(
    text="Because.", finish_reason=FinishReason.STOP, prompt_tokens=5, tokens=3, first_token_seconds=0.1, seconds=0.2
)


class Talks:
    """A model that calls ``between`` after each piece of its text, and at last ends or fails."""

    pid = None
    kind = Kind.GENERATE
    error: Exception | None = None

    def generate(self, prompt, timeout, stop, on_piece):
        for piece in ("Be", "cause", "."):
            on_piece(piece)
            self.between(piece)
        if self.error:
            raise self.error
        return TEXT

    def between(self, piece):
        pass

    def close(self):
        pass


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr("worker.beginnings.TOLD_AFTER", 0.0)
    monkeypatch.setattr("tasks.pieces.PIECE_EVERY", 0.0)
    monkeypatch.setattr("tasks.pieces.PROGRESS_EVERY", 0.0)


@pytest.fixture
def published(monkeypatch):
    """Everything that a link was given, in its order; nothing leaves."""
    publications = []
    monkeypatch.setattr(Link, "_put", lambda self, some: publications.extend(some))
    return publications


@pytest.fixture
def states(published):
    """Return a function that says which states were told so far."""
    return lambda: [publication.key.removeprefix("reply.me-1.") for publication in published]


@pytest.fixture
def model():
    return Talks()


@pytest.fixture
def device(model):
    enrolment = Enrolment(
        device="device",
        region=Region.ASIA,
        url=SecretStr("amqp://device:secret@127.0.0.1:1/starai"),
        deployments=[Deployment(model=MODEL, tier=Tier.MEDIUM)],
    )
    return Device(enrolment, {MODEL: model})


@pytest.fixture
def work(device):
    """Return a function that does a task, and returns the verdicts that were handed on."""

    def begin(*, stream=True):
        verdicts = []
        task = Task("id", "reply.me-1", "Why", None, None, 0, stream=stream)
        delivery = Delivery(device.ladders[0].rungs[0], 1, task, time.monotonic())
        device.work(delivery, lambda done, verdict: verdicts.append(verdict))
        return verdicts

    return begin


def test_that_a_text_has_begun_is_told_though_some_of_it_was_told_before(model, device, work, states):
    model.between = lambda piece: device.tell_beginnings() if piece == "Be" else None

    work()

    assert states() == ["piece", "progress", "started", "progress", "progress", "succeeded"]


def test_pieces_go_while_the_broker_takes_them_and_the_end_waits_for_none(model, work, published, states):
    model.between = lambda piece: published[0].settle() if piece == "Be" else None

    verdicts = work()

    told = [json.loads(publication.body) for publication in published]
    assert [(one["offset"], one["text"]) for one in told if one["state"] == "piece"] == [(0, "Be"), (2, "cause")]
    assert (states()[-1], told[-1]["output"]["text"], verdicts) == ("succeeded", "Because.", [])
    published[-1].settle()
    assert verdicts == [Verdict.ACKNOWLEDGE]


def test_from_its_end_on_a_text_is_not_told_to_have_begun(monkeypatch, device, work):
    told = []

    def put(_, some):
        told.extend(one.key for one in some)
        if told[-1].endswith(".succeeded"):  # another thread may tell just then
            device.tell_beginnings()

    monkeypatch.setattr(Link, "_put", put)
    work(stream=False)
    device.tell_beginnings()

    assert told == [f"reply.me-1.{state}" for state in ("progress", "progress", "progress", "succeeded")]


def test_all_that_is_told_of_an_attempt_is_of_one_run_and_of_this_device(work, published):
    work()
    work()

    told = [json.loads(publication.body) for publication in published]
    assert {(one["task"], one["device"], one["region"]) for one in told} == {("id", "device", "asia")}
    assert len({one["run"] for one in told}) == 2
    assert {publication.properties.user_id for publication in published} == {"device"}


def test_a_text_that_breaks_off_goes_back_however_much_of_it_was_told(model, work, states):
    model.error = ModelCrashed("gone")

    assert work() == [Verdict.RETURN]
    assert states() == ["piece", "progress", "progress", "progress", "requeued"]
