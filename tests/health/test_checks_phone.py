"""What is made of a device that is a page in a browser: it cannot tell all, and it comes and goes."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest

from broker_config import names
from broker_config.audit import Allowance, Kind, audit
from broker_config.regions import Region
from broker_config.tiers import Tier
from models.browser import BROWSER
from registry.device_state import DeviceState
from registry.health import Present
from registry.health_row import Health
from registry.health_state import Condition
from registry.standing_rule import COUNTED_SILENCE, StandingSettings
from registry.tables import EventKind
from tasks.health.changes import Act, Ground, silent
from tasks.health.checks import judge
from tasks.health.finding import Verdict
from tasks.health.settings import CheckSettings
from tasks.health.workload import Seen, Stood, claim_of
from tests.health.answered import DEVICE, asked, heard, report
from tests.health.hand_device import MODEL, readings

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
CYCLE = Ground(9, AT, counts=True, states_follow=True, standing=StandingSettings())
#: What a browser does not know.
UNTOLD = {"processor": None, "temperature": None, "memory_left": None, "disk_left": None}


def judged(seen=None, **changes):
    said = readings(**{"provider": BROWSER} | UNTOLD | changes)
    return judge(asked(provider=BROWSER, slots=1), heard(report(readings=said)), seen, 0.1, CheckSettings())


def test_what_a_browser_cannot_tell_has_not_failed():
    found = judged(Seen(connections=3, consumers=2))

    assert [finding.verdict for finding in found.findings] == [Verdict.PASSED] * 5
    assert found.report.readings.memory_left is None


def test_what_a_browser_does_tell_is_checked():
    assert judged(disk_left=2**20).failed.reason.startswith("Its disk has 1 MiB left where its models are; 512")


def test_a_phone_that_says_that_it_is_something_else_than_what_joined_fails():
    assert judged(provider="CPUExecutionProvider").failed.reason.startswith(
        "It runs its models by CPUExecutionProvider and joined with WasmExecutionProvider."
    )


def consumer(region, priority, **changes):
    """Return what the broker shows of a phone's consumer; without an argument where it takes none by STOMP."""
    plain = {
        "queue": {"name": names.task_queue(region, Tier.TINY, MODEL)},
        "channel_details": {"user": DEVICE, "name": "c1"},
        "consumer_tag": "T_1",
        "arguments": {} if priority is None else {"x-priority": priority},
        "prefetch_count": 1,
        "ack_required": True,
    }
    return plain | changes


ALLOWED = {DEVICE: Allowance(frozenset(names.task_queues(Tier.TINY, MODEL)), slots=1)}


@pytest.mark.parametrize("priority", [None, 0, 100])
def test_a_phone_whose_broker_knows_no_priorities_by_stomp_does_nothing_wrong(priority):
    shown = [consumer(Region.ASIA, priority), consumer(Region.EUROPE, priority)]

    assert audit(shown, [], ALLOWED) == []


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [({"prefetch_count": 0}, Kind.PREFETCH), ({"ack_required": False}, Kind.AUTOMATIC)],
)
def test_a_phone_that_takes_more_than_it_may_is_found_as_any_device_is(wrong, kind):
    assert [finding.kind for finding in audit([consumer(Region.ASIA, None, **wrong)], [], ALLOWED)] == [kind]


def test_a_priority_of_0_is_never_too_high_whatever_load_a_phone_is_under():
    claim = claim_of(readings(load=1.0, consumers=2))
    seen = Seen(stood=Stood(claim, consumers=2, home=Region.ASIA, prices=(0,), busy=0))

    assert judged(seen, load=1.0).failed is None


def one_that_went(silences):
    """Return an active device that answered nine minutes ago, and was silent so often since."""
    columns = {field.name: None for field in fields(Health)} | {"device_id": DEVICE, "condition": Condition.SILENT}
    columns |= {"trust": 1.0, "trusted_at": AT, "sound": True, "held": False, "quarantines": 0, "failures": 0}
    columns |= {"answered_at": AT - timedelta(minutes=9), "silences": silences}
    return Present(DeviceState.ACTIVE, 7, Health(**columns))


@pytest.mark.parametrize("silences", [0, COUNTED_SILENCE - 1, 40])
def test_a_phone_that_went_is_out_of_work_and_it_costs_nothing(silences):
    change = silent(one_that_went(silences), None, 15.0, CYCLE, may_go=True)

    assert (change.failure, change.health.trust) == (None, 1.0)
    assert (change.act, change.health.condition) == (Act.DEACTIVATE, Condition.SILENT)
    assert change.health.silences == silences + 1


def test_another_device_that_went_is_charged_at_its_third_silence():
    change = silent(one_that_went(COUNTED_SILENCE - 1), None, 15.0, CYCLE)

    assert (change.failure.kind, change.act) == (EventKind.SILENT, Act.DEACTIVATE)
