"""What the platform answers to devices that ask whether to start a task, and what was cancelled."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from broker_config.link import Link
from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.database import session
from registry.deployments import Planned, deploy
from registry.devices import enrol_device
from registry.owners import add_owner
from registry.task_tables import Task
from starai.wire import State
from tasks.cancellation import REMEMBERED, Cancellations
from tasks.cancellation_message import read_cancelled
from tasks.clearance import Clearances
from tasks.clearance_message import ClearanceAnswer, ClearanceRequest
from tasks.envelope import read, write

MODEL = "all-minilm-l6-v2"
REQUEST = ClearanceRequest(task="t1", reply_to="reply.ann-1a", run="1a", model=MODEL, returns=1, republished=False)


@pytest.fixture
def ledger(engine):
    """A registry in which `device-1` hosts a model; `ann` submitted `t1` for it, and cancelled `t2`."""
    with session(engine) as registry:
        add_owner(registry, "ada")
        enrol_device(registry, "device-1", "ada", Region.ASIA)
        deploy(registry, "device-1", [Planned(MODEL, Tier.TINY)])
        soon = datetime.now(UTC) + timedelta(minutes=1)
        registry.add(Task(submitter="ann", id="t1", model=MODEL, reply_to="reply.ann-1a", expires_at=soon))
        registry.add(Task(submitter="ann", id="t2", model=MODEL, cancelled_at=datetime.now(UTC)))
    return engine


@pytest.fixture
def said(monkeypatch):
    """What the platform tells submitters; nothing leaves."""
    said = []
    monkeypatch.setattr("tasks.telling.Telling.tell", lambda self, reports: said.extend(reports))
    return said


@pytest.fixture
def clearances(ledger):
    return Clearances(ledger, Link("amqp://platform:secret@127.0.0.1:1/starai", "a test"), "platform")


def answer(clearances, device="device-1", **changes) -> ClearanceAnswer:
    return read(ClearanceAnswer, clearances.answer(device, write(REQUEST.model_copy(update=changes))))


def test_a_device_hears_which_attempt_it_is(clearances, said):
    answers = [answer(clearances, run=run) for run in ("1a", "1b")]

    assert answers == [ClearanceAnswer(start=True, attempt=2), ClearanceAnswer(start=True, attempt=3)]
    assert said == []


def test_when_the_attempts_are_used_up_the_submitter_hears_it_before_the_device(clearances, said):
    for run in ("1a", "1b"):
        answer(clearances, run=run)

    last = answer(clearances, run="1c")

    assert (last.start, last.attempt) == (False, 4)
    ((report, reply_to),) = said
    assert (report.state, report.failure.reason, reply_to) == (State.FAILED, "device", "reply.ann-1a")
    assert report.failure.message == last.reason


def test_of_a_cancelled_task_nothing_more_is_said(clearances, said):
    assert not answer(clearances, task="t2").start
    assert said == []


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b"[" * 9999, b" " * 99_999, json.dumps({"task": 5}).encode()])
def test_junk_is_answered_as_if_the_platform_were_not_there(clearances, body):
    assert read(ClearanceAnswer, clearances.answer("device-1", body)) == ClearanceAnswer(start=True)


@pytest.mark.parametrize(
    ("device", "changes"),
    [
        (None, {}),
        ("ann", {}),
        ("device-2", {}),
        ("device-1", {"model": "phi3-3.8b"}),
        ("device-1", {"model": "../x"}),
        ("device-1", {"reply_to": "ledger"}),
        ("device-1", {"reply_to": "reply.-1a"}),
    ],
)
def test_who_has_no_part_in_a_task_uses_up_none_of_its_attempts(clearances, said, device, changes):
    for run in ("1a", "1b", "1c", "1d"):
        assert answer(clearances, device, run=run, **changes) == ClearanceAnswer(start=True)
    assert answer(clearances, run="1e").attempt == 2
    assert said == []


def test_without_a_registry_a_device_hears_at_once_that_nothing_is_known(clearances, engine, said):
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE attempts")

    assert answer(clearances) == ClearanceAnswer(start=True)


def test_a_device_that_asks_hears_what_was_cancelled_and_for_how_long_to_remember_it(ledger):
    (told,) = read_cancelled(Cancellations(ledger).answer("device-1", b""))

    assert told[:2] == ("ann", "t2")
    assert told.expires == pytest.approx((datetime.now(UTC) + REMEMBERED).timestamp(), abs=60)
    assert read_cancelled(Cancellations(ledger).answer(None, b"")) == []


def test_without_a_registry_nothing_is_known_to_be_cancelled(ledger):
    with ledger.begin() as connection:
        connection.exec_driver_sql("DROP TABLE tasks")

    assert read_cancelled(Cancellations(ledger).answer("device-1", b"")) == []
