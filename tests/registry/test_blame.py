"""Whose fault it was that a task was not done: the rule, and what the ledger tells for it, in both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.blame import (
    MOMENT,
    Undone,
    active_devices,
    is_counted,
    is_excused,
    judge,
    lately,
    losses,
    suspects,
    unjudged,
)
from registry.deployments import Planned, deploy
from registry.device_state import DeviceState
from registry.devices import enrol_device, find_device
from registry.events import record_event
from registry.failures import count_failure
from registry.standing_rule import StandingSettings
from registry.states import set_state
from registry.tables import EventKind
from registry.task_state import Outcome, TaskState
from registry.task_tables import Attempt, Task, Usage
from tasks.health.blame_rule import is_done_elsewhere, is_everybodys, reason_of, together

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SLACK = timedelta(seconds=10)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def undone(task="t1", start=0.0, end=60.0, *, device="device-1", outcome=Outcome.LOST, by="device-2", **more) -> Undone:
    plain = {"reason": None, "state": TaskState.SUCCEEDED, "done_by": by}
    return Undone("ann", task, f"{device}.{task}", device, outcome, at(start), at(end), **plain | more)


def add(registry, one: Undone) -> None:
    registry.add(Task(submitter="ann", id=one.task, state=one.state, device=one.done_by))
    columns = {"outcome": one.outcome, "started_at": one.started_at, "ended_at": one.ended_at, "reason": one.reason}
    registry.add(Attempt(submitter="ann", task=one.task, run=one.run, device=one.device, **columns))
    registry.flush()


# The rule.


def test_what_went_on_when_the_first_of_them_ended_ended_together():
    one, two, later = undone("a", 0, 10), undone("b", 5, 40), undone("c", 20, 30)
    other = undone("d", 0, 10, device="device-2")
    returned = undone("e", 0, 10, outcome=Outcome.RETURNED)

    groups = together([later, two, other, one, returned])

    assert sorted(groups, key=str) == sorted([[one, two], [later], [other], [returned]], key=str)


def test_a_task_that_nobody_did_blames_nobody_nor_what_ended_with_it():
    assert is_done_elsewhere([undone("a"), undone("b")])
    assert not is_done_elsewhere([undone("a"), undone("poison", state=TaskState.FAILED)])
    assert not is_done_elsewhere([undone("a", state=TaskState.EXPIRED, by=None)])


def test_a_device_that_did_the_task_in_the_end_is_not_blamed():
    assert not is_done_elsewhere([undone(by="device-1")])
    assert is_done_elsewhere([undone("a", by="device-1"), undone("b")])


def test_what_began_before_the_broker_did_blames_nobody():
    assert is_everybodys([undone(start=0)], [], set(), broker_since=at(1))
    assert not is_everybodys([undone(start=2)], [], set(), broker_since=at(1))


@pytest.mark.parametrize(
    ("losers", "active", "excused"),
    [(1, 1, False), (1, 2, False), (2, 5, True), (2, 6, False), (3, 6, True), (3, 9, False)],
)
def test_losses_of_more_than_a_third_of_the_fleet_and_of_two_devices_are_an_outage(losers, active, excused):
    lost = [(f"device-{number}", at(60 + number)) for number in range(losers)]
    fleet = {f"device-{number}" for number in range(active)}
    assert is_everybodys([undone()], lost, fleet, broker_since=at(-99)) is excused


def test_losses_at_another_time_are_no_excuse():
    lost = [("device-1", at(60)), ("device-2", at(999))]
    assert not is_everybodys([undone()], lost, {"device-1", "device-2"}, at(-99))


def test_who_says_that_it_could_not_is_not_excused_by_what_befell_others():
    returned = undone(outcome=Outcome.RETURNED, start=0)
    assert not is_everybodys([returned], [("a", at(60)), ("b", at(60))], {"a", "b"}, broker_since=at(30))


def test_the_reason_says_which_task_and_what_the_device_said():
    assert reason_of([undone(outcome=Outcome.RETURNED, reason="out of memory")]).endswith("could: out of memory")
    assert "task t1 and 1 more" in reason_of([undone(), undone("t2")])


# What the ledger tells.


def test_attempts_are_looked_at_until_they_are_judged_and_judged_once(registry):
    add(registry, undone("lost"))
    add(registry, undone("returned", outcome=Outcome.RETURNED, reason="out of memory"))
    add(registry, undone("open", state=TaskState.STARTED, by=None))
    add(registry, undone("done", outcome=Outcome.SUCCEEDED))
    found = unjudged(registry, 10)
    assert {(one.task, one.is_open) for one in found} == {("lost", False), ("returned", False), ("open", True)}

    assert judge(registry, found[:2], NOW)
    assert not judge(registry, found[:2], NOW)

    registry.expire_all()
    assert len(unjudged(registry, 10)) == 1


def test_losses_are_those_of_connections_not_of_models(registry):
    add(registry, undone("lost", end=10))
    add(registry, undone("over", end=20, outcome=Outcome.OVERRAN, device="device-2"))
    add(registry, undone("back", end=30, outcome=Outcome.RETURNED, device="device-3"))
    add(registry, undone("late", end=99, device="device-4"))
    judge(registry, unjudged(registry, 1), at(50))

    assert sorted(losses(registry, at(0), at(60))) == [("device-1", at(10)), ("device-2", at(20))]


def test_the_fleet_is_what_serves(registry):
    enrol_device(registry, "device-2", "ada", Region.ASIA)
    set_state(registry, "device-2", DeviceState.ACTIVE, "a test")
    assert active_devices(registry) == {"device-2"}


@pytest.mark.parametrize("kind", [EventKind.HOARDED, EventKind.OVERRAN, EventKind.INACTIVE, EventKind.OFFLINE])
def test_a_device_is_excused_that_left_or_was_cut_off_meanwhile(registry, kind):
    record_event(registry, "device-1", EventKind.ACTIVE, "a test", at(-100))
    assert not is_excused(registry, undone(), SLACK)

    record_event(registry, "device-1", kind, "a test", at(30))

    assert is_excused(registry, undone(), SLACK)
    # A little later: that it is inactive comes from its silence then.
    assert is_excused(registry, undone(end=25), SLACK) is (kind is not EventKind.INACTIVE)
    assert not is_excused(registry, undone(end=5), SLACK)


def test_one_that_was_out_of_work_a_moment_before_is_not_excused_for_what_it_gave_back_then(registry):
    record_event(registry, "device-1", EventKind.INACTIVE, "a test", at(-9))
    record_event(registry, "device-1", EventKind.ACTIVE, "a test", at(-1))

    assert is_excused(registry, undone(outcome=Outcome.LOST), SLACK)
    assert not is_excused(registry, undone(outcome=Outcome.RETURNED), SLACK)


def test_a_device_is_excused_that_was_out_of_work_already(registry):
    record_event(registry, "device-1", EventKind.INACTIVE, "its grace is long", at(-1000))
    assert is_excused(registry, undone(), SLACK)
    record_event(registry, "device-1", EventKind.ACTIVE, "well", at(-500))
    assert not is_excused(registry, undone(), SLACK)


def test_the_overrun_task_itself_counts_and_what_it_counted_for_excuses_nobody(registry):
    record_event(registry, "device-1", EventKind.OVERRAN, "too long", at(30))
    assert not is_excused(registry, undone(outcome=Outcome.OVERRAN), SLACK)
    assert is_excused(registry, undone(), SLACK)

    count_failure(registry, "device-1", EventKind.OVERRAN, "counted", at(500), settings=StandingSettings())
    assert not is_excused(registry, undone(start=480, end=520), SLACK)


def test_what_ended_with_what_was_counted_already_is_counted(registry):
    figures = {MOMENT: at(20).isoformat()}
    settings = StandingSettings()
    count_failure(registry, "device-1", EventKind.VANISHED, "gone", at(90), settings=settings, figures=figures)

    assert is_counted(registry, [undone(start=10, end=50)], EventKind.VANISHED)
    assert not is_counted(registry, [undone(start=30, end=50)], EventKind.VANISHED)
    assert not is_counted(registry, [undone(start=10, end=50)], EventKind.TASK_FAILED)


def came_back(registry, at_seconds, state, *, model="phi3-3-8b", after_unasked=True):
    """Write down that a task was cleared then which a device had begun."""
    known = {"submitter": "bob", "task": f"p{at_seconds}"}
    registry.add(Task(submitter="bob", id=known["task"], state=state, model=model))
    registry.add(
        Attempt(**known, run="r", device="d", started_at=at(at_seconds), cleared=True, after_unasked=after_unasked)
    )
    registry.flush()


def test_what_came_back_as_a_device_vanished_may_have_taken_it_down(registry):
    deploy(registry, "device-1", [Planned("phi3-3.8b", Tier.MEDIUM)])
    came_back(registry, 60, TaskState.FAILED)
    came_back(registry, 62, TaskState.STARTED)
    came_back(registry, 99, TaskState.EXPIRED)

    assert suspects(registry, "device-1", at(58), SLACK) == {TaskState.FAILED, TaskState.STARTED}
    assert suspects(registry, "device-1", at(75), SLACK) == set()


def test_what_no_device_had_begun_and_what_it_does_not_host_has_not(registry):
    deploy(registry, "device-1", [Planned("phi3-3.8b", Tier.MEDIUM)])
    came_back(registry, 60, TaskState.FAILED, after_unasked=False)
    came_back(registry, 61, TaskState.FAILED, model="llama3-8b")

    assert suspects(registry, "device-1", at(60), SLACK) == set()


def test_what_a_device_lost_and_did_in_the_last_day_is_known(registry):
    owner = find_device(registry, "device-1").owner_id
    for task, outcome in (("a", Outcome.LOST), ("b", Outcome.OVERRAN), ("c", Outcome.RETURNED)):
        add(registry, undone(task, outcome=outcome))
    add(registry, undone("old", -90_060, -90_000))
    add(registry, undone("another's", device="device-2"))
    for model, day, tasks in (("m", NOW, 4), ("n", NOW, 1), ("m", NOW - timedelta(days=2), 9)):
        registry.add(Usage(day=day.date(), owner_id=owner, device="device-1", model=model, tasks=tasks))
    registry.flush()

    assert lately(registry, "device-1", NOW - timedelta(days=1)) == (2, 5)
    assert lately(registry, "device-3", NOW - timedelta(days=1)) == (0, 0)
