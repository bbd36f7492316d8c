"""Durations as people write them."""

from contextlib import suppress
from datetime import timedelta

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.duration import parse_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("1m", timedelta(minutes=1)),
        ("30m", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        ("7d", timedelta(days=7)),
        ("365d", timedelta(days=365)),
    ],
)
def test_minutes_hours_and_days_are_read(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "7", "d", "0m", "-1d", "1.5h", "7 d", "7D", "7days", "366d", "9999999d", "٣d"])
def test_what_is_no_duration_or_too_long_is_refused(text):
    with pytest.raises(click.BadParameter, match="30m, 12h or 7d"):
        parse_duration(text)


@given(st.text(max_size=12))
def test_any_text_is_a_duration_of_at_most_a_year_or_refused(text):
    with suppress(click.BadParameter):
        assert timedelta(0) < parse_duration(text) <= timedelta(days=365)
