"""A device that its owner pauses, or what its owner prefers: it takes nothing new, and goes on."""

import signal
from datetime import timedelta

from tests.worker.commands import command
from worker.control import Control, utc_now
from worker.wishes import PauseWish, Wishes

# A minute of the day before this one, so that no device may serve now.
NOT_NOW = '["{:%H:%M}-{:%H:%M}"]'


def hours_that_are_not_now():
    local = utc_now().astimezone()
    return NOT_NOW.format(local - timedelta(hours=3), local - timedelta(hours=2))


def test_a_paused_device_takes_no_task_within_two_seconds_and_stays_connected(
    broker, start, ask, consumers, enrolment, control, until
):
    device = start(broker)
    until(lambda: consumers() != [0] * 6)

    paused = command("pause", "--enrolment", enrolment(device))

    assert (paused.exit_code, paused.output) == (0, "The device is paused until `starai-worker resume`.\n")
    until(lambda: consumers() == [0] * 6, 2)
    assert control(device).status().connected
    until(lambda: len(device.connections()) == 2)
    waiting = ask("hello")
    assert not waiting.done

    resumed = command("resume", "--enrolment", enrolment(device))

    assert (resumed.exit_code, resumed.output) == (0, "The device takes tasks.\n")
    waiting.result(5)


def test_what_runs_when_a_device_is_paused_ends(broker, start, ask, gates, enrolment, until):
    device = start(broker)
    job = ask("gate a")
    until(lambda: device.began("a"))

    paused = command("pause", "--for", "2h", "--enrolment", enrolment(device))

    assert "Tasks that run, and end first: 1." in paused.output
    gates.open("a")
    job.result(10)


def test_a_device_is_paused_from_its_start_on_when_that_was_wished_before(broker, enrol, start, tmp_path, until):
    device = start(broker)
    device.signal(signal.SIGKILL)
    device.process.wait()

    assert "No device runs here" in command("pause", "--enrolment", tmp_path / f"{device.id}.json").output

    control = Control(tmp_path / f"{device.id}.json")
    with control.claim():
        assert control.wishes().pause == PauseWish()


def test_a_pause_ends_by_itself(broker, start, control, consumers, until):
    device = start(broker)
    control(device).change_wishes(lambda _: Wishes(pause=PauseWish(until=utc_now() + timedelta(seconds=2))))
    until(lambda: "device.paused" in device.log)

    until(lambda: "device.resumed" in device.log)
    until(lambda: consumers() != [0] * 6)


def test_preferences_pause_a_device_and_a_change_of_them_lets_it_go_on(broker, start, control, tmp_path, until):
    file = tmp_path / "preferences.toml"
    file.write_text(f"hours = {hours_that_are_not_now()}")
    device = start(broker)

    until(lambda: (status := control(device).status()) and status.paused)
    assert control(device).status().paused.why == "it is outside of the hours that its owner chose"
    assert not control(device).status().subscriptions
    file.write_text("hours = []")

    until(lambda: control(device).status().paused is None, 10)
    until(lambda: control(device).status().subscriptions)


def test_a_mistake_in_changed_preferences_is_told_and_changes_nothing(broker, start, control, tmp_path, until):
    file = tmp_path / "preferences.toml"
    file.write_text(f"hours = {hours_that_are_not_now()}")
    device = start(broker)

    file.write_text("huors = []")

    until(lambda: (status := control(device).status()) and status.mistake)
    assert "Did you mean hours?" in control(device).status().mistake
    assert control(device).status().paused
