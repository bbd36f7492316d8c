"""What is around a device: as systems tell it, and what becomes of what they do not tell."""

import subprocess
import sys
import threading
from datetime import timedelta
from types import SimpleNamespace

import psutil
import pytest

from worker.input_idle import between_ticks, in_ioreg, in_loginctl
from worker.pause_rule import Surroundings
from worker.preferences import Preferences
from worker.sensors import Sensors
from worker.surroundings import Lookout, Sources, on_battery, unknown

ALL = Preferences(
    not_on_battery=True,
    only_when_idle_for=timedelta(minutes=1),
    processor_temperature_limit=80.0,
    gpu_temperature_limit=80.0,
)

IOREG = """
+-o Root  <class IORegistryEntry, id 0x100000100, retain 29>
  +-o MacBookPro18,3  <class IOPlatformExpertDevice, id 0x10000022e, registered, matched, active>
    +-o IOHIDSystem  <class IOHIDSystem, id 0x1000004d8, registered, matched, active, busy 0>
        {
          "HIDIdleTime" = 81542300417
          "HIDServiceSupport" = Yes
        }
"""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("IdleHint=no\nIdleSinceHint=0\n", 0.0),
        ("IdleHint=yes\nIdleSinceHint=900000000\n", 100.0),
        ("IdleHint=yes\nIdleSinceHint=0\n", float("inf")),  # nobody is logged in
        ("IdleHint=yes\nIdleSinceHint=2000000000\n", 0.0),  # the clock was set back
    ],
)
def test_logind_tells_since_when_a_machine_is_idle(text, seconds):
    assert in_loginctl(text, now=1000.0) == seconds


def test_ioreg_tells_for_how_long_nobody_touched_a_mac():
    assert in_ioreg(IOREG) == pytest.approx(81.5423)


@pytest.mark.parametrize("read", [lambda: in_loginctl("", 0.0), lambda: in_ioreg("{}")])
def test_a_system_that_does_not_tell_is_an_error(read):
    with pytest.raises(ValueError, match="not tell"):
        read()


def test_windows_ticks_begin_anew_after_seven_weeks():
    assert between_ticks(2**32 - 1000, 500) == 1.5


@pytest.mark.parametrize(
    ("battery", "told"),
    [
        (None, False),
        (SimpleNamespace(power_plugged=None), None),
        (SimpleNamespace(power_plugged=True), False),
        (SimpleNamespace(power_plugged=False), True),
    ],
)
def test_a_machine_without_a_battery_is_not_on_it(monkeypatch, battery, told):
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)

    assert on_battery() is told


def test_only_what_the_owner_asked_about_is_looked_at():
    def never():
        raise AssertionError("nobody asked")

    around = Lookout(Sources(never, never, never, never)).look(Preferences(cpu_limit=25.0), 0.5)

    assert around == Surroundings(others_cpu=0.5)


def test_a_source_that_fails_or_hangs_leaves_its_figure_unknown_and_the_others_are_read():
    gate = threading.Event()

    def fails():
        raise OSError("no such thing")

    around = Lookout(Sources(lambda: True, fails, lambda: gate.wait(10) and 1.0, lambda: 70.0)).look(ALL, None)
    gate.set()

    assert around == Surroundings(on_battery=True, gpu_temperature=70.0)


def test_preferences_that_do_nothing_on_this_machine_are_named():
    assert unknown(ALL, Surroundings(gpu_temperature=50.0)) == ["not-on-battery", "processor-temperature-limit"]


def test_a_devices_own_models_are_no_other_programs(monkeypatch, until):
    monkeypatch.setattr(psutil, "cpu_percent", lambda: 100.0)
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as model:
        try:
            sensors = Sensors()
            until(lambda: sensors.others({"a": model.pid, "b": model.pid}) and 0.0 < sensors.programs < 0.95)
            # A moment's share is nothing or everything, since a process's time is counted in hundredths of a second.
            until(lambda: sensors.others({"a": None}) and sensors.programs > 0.95)
        finally:
            model.kill()


def test_this_machine_answers_or_does_not_and_nothing_breaks():
    around = Lookout().look(ALL, None)

    assert around.on_battery in (None, True, False)
    assert around.untouched is None or around.untouched >= 0
