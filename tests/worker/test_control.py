"""The files by which an owner's commands and the device that runs find each other: a lock, wishes, a status."""

import os
import signal
import stat

import pytest

from starai.errors import DeviceRuns
from tests.worker.commands import command
from worker.control import Control
from worker.status import Doing
from worker.wishes import ExitWish, PauseWish, Wishes


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
