"""What a cycle makes of a device, whatever the cycle and the device."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from registry.device_state import DeviceState
from registry.health import Present
from registry.health_row import Health
from registry.health_state import Check, Condition
from registry.standing_rule import COUNTED_SILENCE, StandingSettings
from registry.tables import EventKind
from tasks.health.changes import Act, Change, Ground, answered, silent
from tasks.health.checks import Judgement
from tasks.health.finding import Finding, Verdict
from tasks.health.outage_rule import Circumstances, outage
from tasks.health.workload import Seen
from tasks.probe import HealthReport
from tests.health.hand_device import readings

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
STANDING = StandingSettings()
TIMES = st.none() | st.integers(-1000, 1000).map(lambda seconds: AT + timedelta(seconds=seconds))
COUNTS = st.integers(0, 40)
SHARES = st.floats(0, 1)


@st.composite
def healths(draw):
    condition = draw(st.sampled_from(Condition))
    failures = 0 if condition is Condition.WELL else draw(COUNTS)
    silences = draw(COUNTS) if condition in (Condition.SILENT, Condition.UNKNOWN) else 0
    return Health(
        device_id="d1",
        cycle=draw(st.none() | COUNTS),
        checked_at=draw(TIMES),
        answered_at=draw(TIMES),
        condition=condition,
        failed_check=draw(st.sampled_from(Check)) if condition is Condition.FAILED else None,
        reason=None if condition is Condition.WELL else "a reason",
        failures=failures,
        silences=silences,
        round_trip=draw(st.none() | SHARES),
        down=None,
        up=None,
        load=draw(st.none() | SHARES),
        paused=None,
        figures=None,
        trust=draw(SHARES),
        trusted_at=draw(TIMES.filter(bool)),
        sound=draw(st.booleans()),
        quarantined_until=draw(TIMES),
        quarantines=draw(COUNTS),
        held=draw(st.booleans()),
        greeted_at=draw(TIMES),
    )


PRESENT = st.builds(Present, st.sampled_from(DeviceState), st.just(7), healths())
GROUNDS = st.sampled_from(
    [
        Ground(9, AT, counts=True, states_follow=True, standing=STANDING),
        Ground(9, AT, counts=False, states_follow=False, standing=STANDING),
        Ground(9, AT, counts=False, states_follow=True, standing=STANDING),
        Ground(None, AT, counts=False, states_follow=True, standing=STANDING),
    ]
)
SEEN = st.none() | st.builds(Seen, consumers=st.integers(0, 2))
FINDINGS = st.builds(
    Finding, st.sampled_from(Check), st.sampled_from(Verdict), st.just("a reason"), st.just({"lie": 1, "figure": 2.5})
)
REPORTS = st.builds(
    lambda consumers, paused: HealthReport(
        device="d1", cycle=9, nonce="0" * 32, at=0.0, readings=readings(consumers=consumers, paused=paused)
    ),
    st.integers(0, 2),
    st.none() | st.just("on battery"),
)
JUDGEMENTS = st.builds(Judgement, st.lists(FINDINGS, max_size=5).map(tuple), st.none() | REPORTS)
ANSWERED = st.builds(answered, PRESENT, JUDGEMENTS, SEEN, st.none() | SHARES, GROUNDS)


@st.composite
def cases(draw) -> tuple[Present, Ground, Change | None]:
    known, ground, seen = draw(PRESENT), draw(GROUNDS), draw(SEEN)
    if draw(st.booleans()):
        return known, ground, answered(known, draw(JUDGEMENTS), seen, draw(st.none() | SHARES), ground)
    return known, ground, silent(known, seen, 15.0, ground)


@given(cases())
def test_nothing_counts_in_an_outage_or_outside_of_a_cycle(case):
    known, ground, change = case
    if change and not ground.counts:
        assert change.failure is None
        assert (change.health.trust, change.health.trusted_at) == (known.health.trust, known.health.trusted_at)
        assert change.health.failures <= known.health.failures
        assert change.health.silences <= known.health.silences


@given(cases())
def test_nobody_is_activated_who_is_held_or_quarantined_or_chose_to_be_away(case):
    known, ground, change = case
    if change and change.act is Act.ACTIVATE:
        health = known.health
        assert not health.held
        assert health.quarantined_until is None or health.quarantined_until <= ground.at
        assert known.state in (DeviceState.ACTIVE, DeviceState.INACTIVE)
        assert change.health.condition is Condition.WELL


@given(cases())
def test_nothing_is_done_about_one_that_is_offline_or_blacklisted(case):
    known, _, change = case
    if change and known.state in (DeviceState.OFFLINE, DeviceState.BLACKLISTED):
        assert change.act is Act.NOTHING


@given(cases())
def test_states_change_only_where_they_may(case):
    _, ground, change = case
    if change and not ground.states_follow:
        assert change.act is Act.NOTHING


@given(cases())
def test_conditions_and_what_is_counted_agree(case):
    known, ground, change = case
    if change is None:
        return
    health = change.health
    if health.condition is Condition.WELL:
        assert (health.failures, health.silences, health.failed_check, health.reason) == (0, 0, None, None)
    elif health.condition is Condition.FAILED:
        assert health.failed_check
        assert health.silences == 0
        assert health.failures == known.health.failures + ground.counts
    else:
        assert health.failed_check is None
        assert health.silences == known.health.silences + ground.counts
    assert health.condition is not Condition.UNKNOWN
    assert health.checked_at == ground.at


@given(cases())
def test_a_silent_one_is_charged_at_its_third_silence_in_a_row_and_never_else(case):
    _, _, change = case
    if change and change.failure and change.failure.kind is EventKind.SILENT:
        assert change.health.silences == 3
        assert change.health.condition is Condition.SILENT


@given(cases())
def test_who_is_charged_loses_trust_and_the_event_says_how_much(case):
    known, ground, change = case
    if change and change.failure:
        failure = change.failure
        assert failure.trust == change.health.trust
        assert failure.cost > 0
        assert (failure.owner_id, failure.cycle, failure.at) == (known.owner_id, ground.cycle, ground.at)


@given(cases())
def test_what_is_others_of_a_row_stays(case):
    known, _, change = case
    if change:
        for name in ("device_id", "sound", "quarantined_until", "quarantines", "held", "greeted_at"):
            assert getattr(change.health, name) == getattr(known.health, name)


def an_active(**values) -> Present:
    plain = Health(
        "d1", *[None] * 3, Condition.WELL, None, None, 0, 0, *[None] * 6, 1.0, AT, True, None, 0, False, None
    )
    return Present(DeviceState.ACTIVE, 7, replace(plain, **values))


FULL = Ground(9, AT, counts=True, states_follow=True, standing=STANDING)


def judged(*findings: Finding, **said) -> Judgement:
    return Judgement(findings, HealthReport(device="d1", cycle=9, nonce="0" * 32, at=0.0, readings=readings(**said)))


def test_one_that_an_outage_silenced_is_not_charged_for_staying_away():
    before = replace(FULL, outage_at=AT - timedelta(minutes=5))
    third = {"silences": COUNTED_SILENCE - 1}

    assert silent(an_active(answered_at=AT - timedelta(minutes=6), **third), None, 15.0, before).failure is None
    assert silent(an_active(answered_at=AT - timedelta(minutes=5), **third), None, 15.0, before).failure
    assert silent(an_active(answered_at=AT - timedelta(minutes=6), **third), None, 15.0, FULL).failure


def test_one_that_came_while_the_cycle_asked_is_not_silent():
    assert silent(an_active(greeted_at=AT + timedelta(seconds=1)), None, 15.0, FULL) is None
    assert silent(an_active(greeted_at=AT - timedelta(seconds=1)), None, 15.0, FULL)


def test_one_that_is_active_and_reads_no_queue_is_let_in_once_more():
    assert answered(an_active(), judged(consumers=0), None, 0.1, FULL).act is Act.ACTIVATE
    assert answered(an_active(), judged(consumers=0, paused="on battery"), None, 0.1, FULL).act is Act.NOTHING
    assert answered(an_active(), judged(consumers=2), None, 0.1, FULL).act is Act.NOTHING


def test_one_that_is_inactive_and_still_reads_its_queues_is_shut_out_once_more():
    resting = replace(an_active(answered_at=AT), state=DeviceState.INACTIVE)

    assert silent(resting, Seen(consumers=1), 15.0, FULL).act is Act.DEACTIVATE
    assert silent(resting, Seen(consumers=0), 15.0, FULL).act is Act.NOTHING
    held = replace(resting, health=replace(resting.health, held=True))
    assert answered(held, judged(consumers=2), None, 0.1, FULL).act is Act.DEACTIVATE


def test_a_failure_s_event_has_the_figures_that_it_was_found_by():
    found = Finding(Check.CPU, Verdict.FAILED, "it is hot", {"celsius": 104.0})

    change = answered(an_active(), judged(found), None, 0.1, FULL)

    assert (change.act, change.reason) == (Act.DEACTIVATE, "check cpu: it is hot")
    assert '"celsius": 104.0' in change.failure.figures
    assert change.failure.cost == 0.10


CIRCUMSTANCES = st.builds(
    Circumstances,
    period=st.just(60.0),
    deadline=st.just(15.0),
    active=st.integers(0, 100),
    unwell=st.integers(0, 100),
    since_previous=st.none() | st.floats(0, 1e6),
    broker_up=st.none() | st.floats(0, 1e6),
    lost_link=st.booleans(),
)


@given(CIRCUMSTANCES)
def test_one_device_alone_is_never_an_outage_and_a_third_of_a_fleet_is_none(found):
    quiet = replace(found, since_previous=60.0, broker_up=None, lost_link=False)
    many = quiet.unwell >= 2 and 3 * quiet.unwell > quiet.active

    assert (outage(quiet) is not None) == many


def test_an_outage_says_why_in_words():
    quiet = Circumstances(60.0, 15.0, active=9, unwell=3, since_previous=60.0, broker_up=1e6)

    assert outage(quiet) is None
    assert outage(replace(quiet, unwell=4)) == "4 of 9 devices at work failed or were silent at once"
    assert "the last cycle began 151 s" in outage(replace(quiet, since_previous=151.0))
    assert "the broker has run for 74 s only" in outage(replace(quiet, broker_up=74.0))
    assert "lost its connection" in outage(replace(quiet, lost_link=True))
    assert outage(replace(quiet, since_previous=None, broker_up=None)) is None
