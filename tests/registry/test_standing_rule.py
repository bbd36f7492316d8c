"""How far a device is trusted: the rule."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from registry.standing_rule import (
    COSTS,
    LONGEST_QUARANTINE,
    Due,
    StandingSettings,
    after_failure,
    after_good_check,
    counts,
    due,
    is_sound,
    quarantine_of,
    trust_now,
)

SETTINGS = StandingSettings()
NOW = datetime(2026, 5, 1, tzinfo=UTC)
WORSE = {Due.NOTHING: 0, Due.QUARANTINE: 1, Due.BLACKLIST: 2}

trusts = st.floats(0, 1)
costs = st.sampled_from(sorted(COSTS.values())) | st.floats(0, 1)
seconds = st.floats(-(10**7), 10**8)
steps = st.lists(st.tuples(st.sampled_from(["fails", "waits", "is well"]), st.floats(0, 1)), max_size=40)


@given(trusts, steps)
def test_trust_stays_between_nothing_and_all_whatever_happens(trust, happens):
    for what, figure in happens:
        if what == "fails":
            trust = after_failure(trust, figure)
        elif what == "waits":
            trust = trust_now(trust, NOW, NOW + timedelta(days=30 * figure), SETTINGS)
        else:
            trust = after_good_check(trust, SETTINGS)
        assert 0.0 <= trust <= 1.0


@given(trusts, costs)
def test_a_failure_never_raises_trust(trust, cost):
    assert after_failure(trust, cost) <= trust


@given(trusts, seconds)
def test_time_never_lowers_trust_not_even_when_a_clock_goes_back(trust, passed):
    assert trust_now(trust, NOW, NOW + timedelta(seconds=passed), SETTINGS) >= trust - 1e-12


@given(trusts, st.floats(0, 10**7), st.floats(0, 10**7))
def test_what_time_forgives_does_not_depend_on_how_often_one_looks(trust, first, second):
    at, later = NOW + timedelta(seconds=first), NOW + timedelta(seconds=first + second)
    twice = trust_now(trust_now(trust, NOW, at, SETTINGS), at, later, SETTINGS)
    assert twice == pytest.approx(trust_now(trust, NOW, later, SETTINGS), abs=1e-6)


@given(trusts)
def test_a_good_check_never_lowers_trust(trust):
    assert after_good_check(trust, SETTINGS) >= trust - 1e-12


@given(trusts, trusts)
def test_less_trust_never_leads_to_less(one, other):
    less, more = sorted((one, other))
    assert WORSE[due(less, SETTINGS)] >= WORSE[due(more, SETTINGS)]


@given(trusts)
def test_the_band_does_not_flap_between_the_thresholds(trust):
    band = is_sound(trust, True, SETTINGS)
    assert is_sound(trust, band, SETTINGS) is band
    if SETTINGS.demoted_below <= trust < SETTINGS.sound_from:
        assert is_sound(trust, True, SETTINGS)
        assert not is_sound(trust, False, SETTINGS)


def test_half_of_what_is_missing_is_forgiven_in_a_day():
    assert trust_now(0.5, NOW, NOW + timedelta(days=1), SETTINGS) == pytest.approx(0.75)


def test_of_failures_in_a_row_the_first_the_second_the_fourth_count():
    assert [streak for streak in range(17) if counts(streak)] == [1, 2, 4, 8, 16]


def test_each_quarantine_is_twice_as_long_as_the_last_up_to_a_day():
    lasts = [quarantine_of(before, SETTINGS).total_seconds() for before in range(10)]
    assert lasts[:3] == [900, 1800, 3600]
    assert lasts[-1] == quarantine_of(10_000, SETTINGS).total_seconds() == LONGEST_QUARANTINE


def test_thresholds_that_do_not_rise_are_refused():
    with pytest.raises(ValidationError, match="have to rise"):
        StandingSettings(demoted_below=0.9, sound_from=0.8)
