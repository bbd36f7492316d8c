"""What of a device needs an operator's eye, in words: pure."""

from datetime import UTC, datetime, timedelta

import pytest

from broker_config.regions import Region
from models.browser import BROWSER
from ops.attention import Rank, attention_of, sound_again, state_text, trust_text
from ops.times import ago, clock, span
from registry.device_state import DeviceState
from registry.health_state import Check, Condition
from registry.health_tables import BlacklistEntry, DeviceHealth
from registry.health_view import HealthOverview
from registry.standing_rule import StandingSettings, trust_now
from registry.tables import Device

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
RULE = StandingSettings()
ENTRY = BlacklistEntry(device_id="device-1", owner_id=1, reason="It lied.", until=datetime(2026, 6, 8, 12, tzinfo=UTC))
GPU = {"condition": Condition.FAILED, "failed_check": Check.GPU, "reason": "Its driver is gone."}


def device(state=DeviceState.ACTIVE, entry=None, trust=1.0, provider=None, **health):
    known = {"condition": Condition.WELL, "checked_at": NOW, "answered_at": NOW, "trusted_at": NOW} | health
    found = Device(id="device-1", owner_id=1, region=Region.ASIA, state=state)
    row = DeviceHealth(device_id="device-1", trust=trust, **known)
    return HealthOverview(found, "ada", row, entry, NOW, trust, provider)


def seen(*arguments, **more):
    found = attention_of(device(*arguments, **more), RULE)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "found",
    [
        device(),
        device(trust=0.7),
        device(paused="on battery"),
        device(DeviceState.OFFLINE, condition=Condition.SILENT, held=True),
        device(quarantined_until=NOW),
    ],
)
def test_one_that_is_well_or_away_by_its_owners_choice_needs_none(found):
    assert attention_of(found, RULE) is None


def test_a_failed_check_is_told_with_its_reason_and_how_often():
    once, thrice = (seen(DeviceState.INACTIVE, failures=count, **GPU) for count in (1, 3))

    assert once.what == "failed the gpu check: Its driver is gone."
    assert thrice.what == "failed the gpu check, 3 times in a row: Its driver is gone."
    assert (once.rank, once.urgent, once.then) == (Rank.FAILED, True, "works again once a check finds it well")


def test_silence_is_told_with_how_long_it_lasts():
    silent = {"condition": Condition.SILENT, "answered_at": NOW - timedelta(minutes=3)}

    assert seen(DeviceState.INACTIVE, **silent).what == "silent for 3 min"
    assert seen(DeviceState.INACTIVE, condition=Condition.SILENT, answered_at=None).what == "silent: it never answered"


def test_a_phone_that_went_is_worth_knowing_and_nothing_is_wrong_with_it():
    away = {"provider": BROWSER, "condition": Condition.SILENT, "answered_at": NOW - timedelta(hours=3)}

    found = seen(DeviceState.INACTIVE, **away)
    assert (found.rank, found.urgent, found.what) == (Rank.AWAY, False, "silent for 3 h")
    assert found.then == "works again once its page is open: phones come and go"
    assert seen(DeviceState.INACTIVE, **GPU | {"provider": BROWSER}).urgent


def test_one_that_is_not_well_and_still_at_work_is_so_because_of_an_outage():
    assert seen(DeviceState.ACTIVE, **GPU).then == "stays at work: nothing counts during an outage"


def test_a_quarantine_says_until_when_and_what_led_to_it():
    found = seen(DeviceState.INACTIVE, quarantined_until=NOW + timedelta(minutes=5), **GPU)

    assert found.what == "quarantined until 12:05 UTC: failed the gpu check: Its driver is gone."
    assert found.rank is Rank.QUARANTINED


def test_the_blacklist_says_until_when_and_how_to_get_off_it():
    found, forever = seen(DeviceState.BLACKLISTED, ENTRY), seen(DeviceState.BLACKLISTED)

    assert found.what == "blacklisted until 2026-06-08 12:00 UTC: It lied."
    assert found.then == "comes back then, on probation; sooner by `starai blacklist remove`"
    assert (forever.what, forever.then) == ("blacklisted", "comes back only by `starai blacklist remove`")


def test_one_that_the_operator_holds_is_as_they_want_it_whatever_else_is_wrong():
    found = seen(DeviceState.INACTIVE, held=True, quarantined_until=NOW + timedelta(minutes=5), **GPU)

    assert (found.rank, found.urgent) == (Rank.HELD, False)
    assert found.what == "held by the operator; failed the gpu check: Its driver is gone."


def test_one_that_waits_for_a_check_is_worth_knowing_and_not_wrong():
    unknown, well = (seen(DeviceState.INACTIVE, condition=each) for each in (Condition.UNKNOWN, Condition.WELL))

    assert (unknown.what, unknown.urgent) == ("inactive: no check has asked it yet", False)
    assert (well.what, well.urgent) == ("inactive: its last check found it well", False)


@pytest.mark.parametrize(
    ("trust", "follows"),
    [
        (0.69, "fails"),
        (0.50, "fails"),
        (0.49, "quarantine"),
        (0.22, "blacklists it"),
    ],
)
def test_the_lower_band_says_when_it_is_over_and_what_one_more_failure_does(trust, follows):
    found = seen(trust=trust, sound=False)

    assert found.what == f"lower band, trust {trust:.2f}"
    assert found.then.endswith(follows)


def test_the_time_until_the_upper_band_is_that_of_the_rule():
    wait = sound_again(0.5, RULE)

    assert trust_now(0.5, NOW, NOW + timedelta(seconds=wait), RULE) == pytest.approx(RULE.sound_from)
    assert sound_again(0.9, RULE) == 0.0
    assert sound_again(0.5, StandingSettings(sound_from=1.0)) < 100 * 86_400


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (device(), "active"),
        (device(paused="on battery"), "active, paused: on battery"),
        (device(DeviceState.OFFLINE), "offline"),
        (device(DeviceState.OFFLINE, held=True), "offline: held"),
        (device(DeviceState.INACTIVE, **GPU), "inactive: failed gpu"),
        (device(DeviceState.INACTIVE, held=True), "inactive: held"),
        (device(DeviceState.INACTIVE), "inactive: found well"),
        (device(DeviceState.INACTIVE, condition=Condition.UNKNOWN), "inactive: not checked yet"),
        (
            device(DeviceState.INACTIVE, held=True, quarantined_until=NOW + timedelta(days=1), **GPU),
            "inactive: held; quarantined until 2026-06-02 12:00 UTC; failed gpu",
        ),
        (device(DeviceState.BLACKLISTED, ENTRY), "blacklisted until 2026-06-08 12:00 UTC"),
    ],
)
def test_a_state_comes_with_why_the_device_takes_no_tasks(found, text):
    assert state_text(found) == text


def test_trust_comes_with_the_band_where_that_is_the_lower_one():
    assert trust_text(device(trust=0.9)) == "0.90"
    assert trust_text(device(trust=0.6, sound=False)) == "0.60 lower"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (5e5, "6 days")],
)
def test_a_span_is_told_in_its_largest_unit(seconds, text):
    assert span(seconds) == text


def test_times_are_told_beside_the_present():
    assert ago(NOW - timedelta(minutes=3), NOW) == "3 min ago"
    assert clock(NOW + timedelta(hours=1), NOW) == "13:00 UTC"
    assert clock(NOW + timedelta(hours=13), NOW) == "2026-06-02 01:00 UTC"
