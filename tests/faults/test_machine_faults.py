"""Faults of the machine that a real device runs on: what it cannot write down, and a clock that jumps."""

from datetime import UTC, datetime

import psutil
import pytest

from tests.faults.real import LONG, NEAR

# All of these tests use the same network, so the same process has to run them.
pytestmark = [pytest.mark.process, pytest.mark.xdist_group("real-faults"), pytest.mark.timeout(300)]

HOUR = 3600.0


@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_FSIZE"), reason="only Linux can take files from a running process")
def test_a_device_whose_disk_is_full_serves_on_and_tells_its_owner_when_it_has_room(real, until):
    process, child = real.process(NEAR), real.child(NEAR)
    real.fill_disk(NEAR)

    child.kill()
    until(lambda: not child.is_running())  # the device knows

    until(lambda: real.serves(NEAR), 60)
    real.two_cycles_pass(until)
    assert real.out() == []
    assert real.charges() == {}
    full = datetime.now(UTC)
    real.fill_disk(NEAR, full=False)
    until(lambda: real.status(NEAR).at > full)
    assert real.process(NEAR) == process
    assert list(real.home(NEAR).glob(".enrolment.status.json.*")) == []


@pytest.mark.parametrize("ahead", [HOUR, -HOUR], ids=["forwards", "backwards"])
def test_a_clock_that_jumps_an_hour_makes_no_task_late_and_no_device_suspect(real, until, ahead):
    [under_way] = real.ask(LONG)
    until(lambda: real.runs(under_way), 60)

    real.set_clock(NEAR, ahead)

    assert under_way.result(100).shape == (len(LONG), 384)
    until(lambda: abs((real.status(NEAR).at - datetime.now(UTC)).total_seconds() - ahead) < 60)
    until(lambda: real.serves(NEAR), 60)
    real.two_cycles_pass(until)
    assert real.out() == []
    assert real.charges() == {}
