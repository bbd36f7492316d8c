"""An owner's commands and the device that runs: pause, resume, status, and that it runs once."""

import json
import os
import signal
import stat
from datetime import timedelta

import pytest
from click.testing import CliRunner

from starai.errors import DeviceRuns
from tasks.envelope import write
from tasks.greeting import STANDING, Standing, StandingEvent
from worker.cli import main
from worker.control import Control, utc_now
from worker.status import Doing
from worker.wishes import ExitWish, PauseWish, Wishes

# A minute of the day before this one, so that no device may serve now.
NOT_NOW = '["{:%H:%M}-{:%H:%M}"]'


def command(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def enrolment(tmp_path):
    """Return a function that returns the file of a device's enrolment."""
    return lambda device: tmp_path / f"{device.id}.json"


@pytest.fixture
def control(enrolment):
    return lambda device: Control(enrolment(device))


def hours_that_are_not_now():
    local = utc_now().astimezone()
    return NOT_NOW.format(local - timedelta(hours=3), local - timedelta(hours=2))


# The files


def test_one_device_runs_with_an_enrolment(tmp_path):
    with Control(tmp_path / "enrolment.json").claim():
        assert Control(tmp_path / "enrolment.json").runs()
        with pytest.raises(DeviceRuns, match="already"), Control(tmp_path / "enrolment.json").claim():
            pass

    assert not Control(tmp_path / "enrolment.json").runs()


def test_two_enrolments_in_one_folder_are_two_devices(tmp_path):
    with Control(tmp_path / "one.json").claim(), Control(tmp_path / "other.json").claim():
        pass


def test_a_pause_outlives_a_start_and_an_exit_does_not(tmp_path):
    control = Control(tmp_path / "enrolment.json")
    control.change_wishes(lambda _: Wishes(pause=PauseWish(), exit=ExitWish(grace=1.0)))

    with control.claim():
        assert control.wishes() == Wishes(pause=PauseWish())


@pytest.mark.parametrize("content", ["", "{", '{"pause": 7}', "[]", "\udcff"])
def test_wishes_that_cannot_be_read_are_none(tmp_path, content):
    control = Control(tmp_path / "enrolment.json")
    control.wishes_file.write_bytes(content.encode("utf-8", "surrogateescape"))

    assert control.wishes() == Wishes()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_all_files_are_their_owners_alone(tmp_path, broker, start, until):
    device = start(broker)
    assert command("pause", "--enrolment", tmp_path / f"{device.id}.json").exit_code == 0

    files = [file for file in tmp_path.glob(f"{device.id}.*") if file.suffix != ".log"]
    assert {file.name.removeprefix(device.id) for file in files} == {
        ".json",
        ".lock",
        ".status.json",
        ".wishes.json",
        ".wishes.lock",
    }
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


# Commands and a device


def test_a_second_start_with_the_same_enrolment_is_refused_and_says_who_runs(broker, start, enrolment):
    device = start(broker)

    second = command("start", "--enrolment", enrolment(device))

    assert second.exit_code == 1
    assert f"already (process {device.process.pid})" in second.output
    assert "starai-worker exit" in second.output


def test_a_killed_device_leaves_a_lock_that_is_free_and_counts_as_not_running(broker, start, control, until):
    device = start(broker)
    until(lambda: control(device).status())

    device.signal(signal.SIGKILL)
    device.process.wait()

    assert not control(device).runs()
    assert control(device).status().doing is not Doing.ENDED  # it is stale, and nobody believes it


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


# What the owner is shown


def test_without_a_platform_the_status_is_shown_and_standard_error_says_so(
    broker, start, ask, gates, enrolment, until, monkeypatch
):
    monkeypatch.setattr("worker.standing_question.ANSWERED_WITHIN", 0.5)
    device = start(broker)
    job = ask("gate a")
    until(lambda: device.began("a"))

    run = command("status", "--enrolment", enrolment(device))
    gates.open("a")
    job.result(10)

    assert run.exit_code == 0
    assert f"{device.id} in asia" in run.stdout
    assert f"(process {device.process.pid})" in run.stdout
    assert "1 of 1 slots in use" in run.stdout
    assert "does not say how this device stands" in run.stderr


def test_the_status_in_json_is_one_object_on_standard_output(broker, start, enrolment, until, monkeypatch):
    monkeypatch.setattr("worker.standing_question.ANSWERED_WITHIN", 0.5)
    device = start(broker)

    found = json.loads(command("status", "--json", "--enrolment", enrolment(device)).stdout)

    assert (found["device"], found["running"], found["standing"]) == (device.id, True, None)
    assert found["status"]["doing"] == "serving"
    assert "Nobody answered" in found["problem"]


def test_a_device_whose_login_is_refused_is_told_that_it_may_be_blacklisted(broker, enrol):
    file = enrol(broker, "outcast", "asia", 1)
    broker.node.api.delete_user("outcast")

    run = command("status", "--enrolment", file)

    assert run.exit_code == 0
    assert "not running" in run.stdout
    assert "may be blacklisted" in run.stderr
    assert "its name is outcast" in run.stderr


STANDS = Standing(
    device="lent",
    owner="ann [bold]",
    region="asia",
    state="inactive",
    since=utc_now(),
    trust=0.41,
    sound=False,
    demoted_below=0.7,
    sound_from=0.85,
    quarantined_below=0.45,
    blacklisted_below=0.2,
    quarantined_until=utc_now() + timedelta(minutes=15),
    condition="failed",
    checked_at=utc_now(),
    reason="it answered too late",
    events=(
        StandingEvent(at=utc_now(), kind="quarantined", reason="its trust fell to 0.41"),
        StandingEvent(
            at=utc_now(), kind="check-failed", reason="it answered too late", check="network", cost=0.1, trust=0.41
        ),
    ),
)


@pytest.fixture
def answered(broker, enrol, monkeypatch):
    """A device's enrolment, whose questions about its standing are answered."""
    file = enrol(broker, "lent", "asia", 1)
    asked = []

    def answer(url, ca, exchange, key, body, within):
        asked.append(key)
        return write(STANDS)

    monkeypatch.setattr("worker.standing_question.call", answer)
    yield file
    assert asked == [STANDING]


def test_the_standing_is_shown_with_what_it_means_and_every_event_behind_it(answered):
    out = command("status", "--enrolment", answered).stdout

    assert "of ann [bold]" in out
    assert "0.41 of 1: it gets only what no other device has a slot for, until it is at 0.85" in out
    assert "below 0.45 takes it out of work for a time, below 0.20 it is shut out" in out
    assert "it gets no tasks until" in out
    rows = [line for line in out.splitlines() if "quarantined" in line or "check-failed (network)" in line]
    assert "its trust fell" in rows[0]
    assert all(word in rows[1] for word in ("0.10", "0.41", "it answered too late"))


def test_the_standing_is_in_the_json_as_the_network_told_it(answered):
    found = json.loads(command("status", "--json", "--enrolment", answered).stdout)

    assert Standing.model_validate(found["standing"]) == STANDS


@pytest.mark.parametrize("verb", ["pause", "resume", "exit", "status"])
def test_who_has_joined_no_network_is_told_so(verb, tmp_path):
    run = command(verb, "--enrolment", tmp_path / "none.json")

    assert run.exit_code == 1
    assert "has not joined a network" in run.output


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["paus"], "'pause'"),
        (["pause", "--four", "2h"], "--for"),
        (["pause", "--for", "2"], "write 30m, 12h or 7d"),
        (["exit", "--grase", "2"], "--grace"),
        (["exit", "--grace", "-1"], "not in the range"),
        (["service", "instal"], "'install'"),
        (["start", "--hours", "22-7"], "write 22:00-07:00"),
        (["start", "--only-when-idle-for", "ten"], "write 30m, 12h or 7d"),
        (["start", "--cpu-limt", "3"], "--cpu-limit"),
    ],
)
def test_a_typing_mistake_is_answered_with_what_was_meant(arguments, meant):
    run = command(*arguments)

    assert run.exit_code == 2
    assert meant in run.output
