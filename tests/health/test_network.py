"""The second check: how near the device is, and how wide its line."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.health_state import Check
from tasks.health.finding import Verdict
from tasks.health.network import carried, check_network
from tasks.health.settings import CheckSettings
from tests.health.answered import asked, heard, report

PADDING = bytes(64 * 1024)
SETTINGS = CheckSettings()


def found(small=0.05, padding=PADDING, **answer):
    told = report(padding)
    return check_network(asked(padding=padding), heard(told, **answer), told, small, SETTINGS)


def echoed(echo_after=0.1, **answer):
    return found(echo=PADDING, echo_after=echo_after, **answer)


def test_without_padding_only_the_round_trip_counts():
    finding, transfer = found(padding=b"", after=0.2)

    assert (finding.verdict, transfer.down, transfer.up) == (Verdict.PASSED, None, None)
    assert finding.figures["round_trip"] == 0.2


def test_an_answer_that_takes_too_long_fails_with_how_long():
    finding, _ = found(padding=b"", after=12.34)

    assert finding.verdict is Verdict.FAILED
    assert finding.reason == "Its answer took 12.3 s; 10 s is the most. Look at its line, or at what else uses it."


def test_both_ways_are_timed_by_what_was_carried():
    _, transfer = echoed(after=1.05, echo_after=0.5)

    assert transfer.down == pytest.approx(carried(len(PADDING)))
    assert transfer.up == 2 * len(PADDING)


def test_without_an_earlier_round_trip_the_way_down_is_not_known_and_that_is_no_failure():
    finding, transfer = echoed(small=None)

    assert (finding.verdict, transfer.down) == (Verdict.PASSED, None)


@pytest.mark.parametrize(("answer", "way"), [({"after": 9.0}, "down"), ({"after": 0.1, "echo_after": 9.0}, "up")])
def test_a_narrow_line_fails_with_the_way_that_is_narrow(answer, way):
    finding, _ = echoed(**answer)

    assert finding.verdict is Verdict.FAILED
    assert finding.reason.startswith(f"Its line {way} carries ")


def test_padding_that_arrives_or_comes_back_otherwise_fails():
    told = report(b"something else")
    changed, _ = check_network(asked(padding=PADDING), heard(told), told, 0.05, SETTINGS)
    answered_otherwise, _ = found(echo=PADDING[:-1] + b"x", echo_after=0.1)

    assert "did not arrive as it was sent" in changed.reason
    assert "did not come back as it was sent" in answered_otherwise.reason


def test_an_echo_that_stays_away_fails_only_if_it_was_waited_for_long_enough():
    assert found(echo_after=3.9)[0].verdict is Verdict.PASSED
    assert "did not come back" in found(echo_after=4.1)[0].reason
    assert found(echo_after=None)[0].verdict is Verdict.PASSED


seconds = st.floats(-1e6, 1e6)


@given(seconds, st.none() | seconds, st.none() | seconds, st.none() | st.binary(max_size=9), st.binary(max_size=9))
def test_whatever_the_clocks_say_no_figure_is_infinite_or_none_of_a_number(after, small, echo_after, echo, padding):
    _, transfer = found(small, padding, after=after, echo=echo, echo_after=echo_after)

    assert all(rate is None or (rate >= 0 and math.isfinite(rate)) for rate in (transfer.down, transfer.up))


@given(st.floats(0, 2), st.floats(SETTINGS.bandwidth, 1e9), st.floats(SETTINGS.bandwidth, 1e9))
def test_a_line_that_is_wide_enough_never_fails(round_trip, down, up):
    after = round_trip + carried(len(PADDING)) / down
    finding, transfer = echoed(small=round_trip, after=after + 1e-9, echo_after=len(PADDING) / up - 1e-9)

    assert transfer.up is not None
    if transfer.down >= SETTINGS.bandwidth:  # which rounding may take from it
        assert finding.verdict is Verdict.PASSED


def test_a_device_that_keeps_to_itself_what_it_was_to_send_back_fails(network):
    device = network.device()
    checks = network.cycle(health_padding_bytes=1024, health_padding_every=1)
    checks.run()
    device.answer = lambda device, probe: device.send(device.report(probe))
    checks.run()

    assert len(device.probes[1].padding) == 1024
    assert network.health(device).failed_check is Check.NETWORK
    assert "did not come back" in network.health(device).reason
