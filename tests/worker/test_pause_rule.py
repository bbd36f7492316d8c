"""When a device pauses by itself: after a moment, and for as long as things take to settle."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from worker.hours import Hours, is_within, next_opening, parse_hours
from worker.pause_rule import MOMENT, SETTLE, PauseRule, Surroundings, conditions
from worker.preferences import Preferences

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CAREFUL = Preferences(not_on_battery=True, cpu_limit=25.0)
WELL, BATTERY, BUSY = Surroundings(), Surroundings(on_battery=True), Surroundings(others_cpu=0.3)


class Machine:
    """A machine in virtual time: it is looked at once a second."""

    def __init__(self, preferences=CAREFUL, at=NOON):
        self.rule, self.preferences, self.at, self.now = PauseRule(), preferences, at, 0.0

    def spend(self, seconds, around=WELL):
        for _ in range(int(seconds)):
            self.rule.update(conditions(self.preferences, around, self.at), self.now)
            self.now, self.at = self.now + 1, self.at + timedelta(seconds=1)
        return self.pause

    @property
    def pause(self):
        return self.rule.pause(self.now, self.at)


def test_a_device_pauses_when_it_has_been_on_battery_for_a_moment():
    machine = Machine()

    assert machine.spend(MOMENT, BATTERY) is None
    assert machine.spend(2, BATTERY).why == "the machine runs on its battery"


def test_a_short_burst_of_another_program_pauses_nothing():
    machine = Machine()

    for _ in range(50):
        machine.spend(MOMENT - 1, BUSY)
        assert machine.spend(1) is None


def test_it_goes_on_once_things_have_been_well_for_five_minutes_and_says_when_that_is():
    machine = Machine()
    machine.spend(MOMENT + 5, BATTERY)

    pause = machine.spend(SETTLE - 10)

    assert pause.why == "the machine runs on its battery (until a short while ago)"
    assert timedelta(0) < pause.until - machine.at <= timedelta(seconds=10)
    assert machine.spend(11) is None


def test_it_is_not_paused_by_what_its_owner_did_not_ask_about():
    machine = Machine(Preferences())

    hot = Surroundings(True, 0.0, 1.0, 120.0, 120.0)

    assert machine.spend(SETTLE, hot) is None


def test_a_preference_that_is_taken_back_ends_its_pause_at_once():
    machine = Machine()
    machine.spend(MOMENT + 5, BUSY)

    machine.preferences = Preferences(not_on_battery=True)

    assert machine.spend(1, BUSY) is None


def test_a_figure_that_is_not_known_pauses_nothing():
    machine = Machine(Preferences(not_on_battery=True, cpu_limit=1.0, gpu_temperature_limit=40.0))

    assert machine.spend(SETTLE) is None


def test_who_asked_for_an_idle_machine_is_not_disturbed_where_the_system_does_not_tell():
    machine = Machine(Preferences(only_when_idle_for=timedelta(minutes=10)))

    assert "does not tell" in machine.spend(1).why


def test_it_pauses_at_the_first_touch_and_goes_on_when_nobody_touched_it_for_as_long_as_was_asked():
    machine = Machine(Preferences(only_when_idle_for=timedelta(minutes=10)))

    assert machine.spend(1, Surroundings(untouched=0.0)).why.startswith("somebody used this machine")
    assert machine.spend(1, Surroundings(untouched=599.0))
    assert machine.spend(1, Surroundings(untouched=601.0)) is None


def test_the_wait_for_a_machine_to_settle_begins_where_its_idleness_was_long_enough_and_not_at_the_last_look():
    machine = Machine(Preferences(only_when_idle_for=timedelta(minutes=1)))
    machine.spend(1, Surroundings(untouched=0.0))
    machine.now += 249

    assert machine.spend(1, Surroundings(untouched=250.0))
    machine.now += 49
    assert machine.spend(1, Surroundings(untouched=300.0)) is None


def test_hours_begin_and_end_on_the_minute():
    machine = Machine(Preferences(hours=(parse_hours("12:01-12:02"),)))

    pause = machine.spend(1)
    assert (pause.why, pause.until) == (
        "it is outside of the hours that its owner chose",
        NOON + timedelta(minutes=1),
    )
    assert machine.spend(60) is None
    assert machine.spend(60)


def test_hours_may_go_over_midnight():
    night = [parse_hours("22:00-07:00")]

    assert [hour for hour in range(24) if is_within(night, NOON.replace(hour=hour))] == [*range(7), 22, 23]
    assert next_opening(night, NOON) == NOON.replace(hour=22)
    assert next_opening(night, NOON.replace(hour=23)) == NOON.replace(hour=22) + timedelta(days=1)


@pytest.mark.parametrize(
    "text", ["", "22-07", "22:00", "25:00-07:00", "22:60-07:00", "22:00-22:00", "24:00-07:00", "1:00-2:00"]
)
def test_what_is_no_hours_is_refused(text):
    with pytest.raises(ValueError, match="22:00-07:00"):
        parse_hours(text)


@given(st.integers(0, 1439), st.integers(1, 1440))
def test_all_hours_have_as_many_minutes_as_are_between_their_ends(begin, end):
    assume(begin != end)
    minutes = sum(Hours(begin, end).has(minute) for minute in range(1440))

    assert minutes == ((end - begin) % 1440 or 1440)


_LOOKS = st.tuples(
    st.floats(0.1, 400),
    st.booleans(),
    st.builds(
        Surroundings,
        on_battery=st.booleans() | st.none(),
        others_cpu=st.floats(0, 1) | st.none(),
        processor_temperature=st.floats(20, 110) | st.none(),
    ),
)


# Sums of seconds are rounded.
_ROUNDING = 1e-6
# Touched, looked at four minutes later, and touched again when it had gone on.
_SELDOM = [(1.0, True, WELL), (240.0, False, WELL), (300.0, True, WELL), (240.0, False, WELL), (1.0, True, WELL)]


@given(st.lists(_LOOKS, max_size=200), st.integers(1, 20))
@example(_SELDOM, 1)
def test_whatever_happens_around_it_two_pauses_never_begin_within_five_minutes(looks, idle_minutes):
    machine = Machine(
        Preferences(
            not_on_battery=True,
            cpu_limit=25.0,
            processor_temperature_limit=80.0,
            only_when_idle_for=timedelta(minutes=idle_minutes),
        )
    )
    touched_at, begins, was_paused = 0.0, [], False
    for seconds, is_touched, around in looks:
        machine.now += seconds
        touched_at = machine.now if is_touched else touched_at
        seen = replace(around, untouched=machine.now - touched_at)
        machine.rule.update(conditions(machine.preferences, seen, NOON), machine.now)
        if machine.pause and not was_paused:
            begins.append(machine.now)
        was_paused = machine.pause is not None

    # The first pause may be one in which the device began.
    assert all(later - earlier >= SETTLE - _ROUNDING for earlier, later in pairwise(begins[1:]))
