"""The device as a service: what systems are told, and what becomes of a system that does not listen."""

import os
import plistlib
import shutil
import stat
import subprocess
import sys
from pathlib import PurePosixPath, PureWindowsPath
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from starai.errors import ServiceError
from worker.cli import main
from worker.service_files import Service, launchd_agent, systemd_unit, windows_task
from worker.service_manager import Launchd, Systemd, executable

SERVICE = Service(
    executable=PurePosixPath("/opt/star ai/bin/starai-worker"),
    enrolment=PurePosixPath("/home/ann/100%/enrolment.json"),
    grace=30.0,
    log=PurePosixPath("/home/ann/worker.log"),
    environment={"STARAI_HOME": "/home/ann/100%"},
)

UNIT = """\
[Unit]
Description=StarAI device
StartLimitIntervalSec=600
StartLimitBurst=5

[Service]
ExecStart="/opt/star ai/bin/starai-worker" "start" "--enrolment" "/home/ann/100%%/enrolment.json" "--grace" "30"
Environment="STARAI_HOME=/home/ann/100%%"
Restart=on-failure
RestartSec=30
KillMode=mixed
TimeoutStopSec=45
UMask=0077
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def test_systemd_starts_it_again_after_a_failure_within_limits_and_signals_the_device_alone():
    assert systemd_unit(SERVICE) == UNIT


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path):
    runs = Service(PurePosixPath(sys.executable), PurePosixPath(tmp_path / "a $b.json"), 30.0, PurePosixPath("/x"))
    unit = tmp_path / "starai-worker.service"
    unit.write_text(systemd_unit(runs))

    run = subprocess.run(
        ["systemd-analyze", "verify", "--user", unit],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )

    # It exits with 0 for most mistakes, and only tells them.
    assert (run.returncode, run.stderr) == (0, "")


def test_launchd_starts_it_again_unless_it_ended_by_choice():
    agent = plistlib.loads(launchd_agent(SERVICE))

    assert agent["ProgramArguments"] == [
        "/opt/star ai/bin/starai-worker",
        "start",
        "--enrolment",
        "/home/ann/100%/enrolment.json",
        "--grace",
        "30",
    ]
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert (agent["RunAtLoad"], agent["ThrottleInterval"], agent["ExitTimeOut"]) == (True, 30, 45)
    assert agent["EnvironmentVariables"] == {"STARAI_HOME": "/home/ann/100%"}


def test_windows_starts_it_at_the_login_of_its_user_whatever_the_battery():
    service = Service(
        PureWindowsPath(r"C:\Program Files\starai\starai-worker.exe"),
        PureWindowsPath(r"C:\Users\ann & bob\enrolment.json"),
        30.0,
        PureWindowsPath("x"),
    )
    text = windows_task(service, r"HOME\ann & bob")

    task = ElementTree.fromstring(text.split("\n", 1)[1])
    found = {element.tag.split("}")[1]: element.text for element in task.iter()}
    assert found["UserId"] == r"HOME\ann & bob"
    assert found["Command"] == r"C:\Program Files\starai\starai-worker.exe"
    assert found["Arguments"] == r'start --enrolment "C:\Users\ann & bob\enrolment.json" --grace 30'
    assert (found["LogonType"], found["RunLevel"]) == ("InteractiveToken", "LeastPrivilege")
    assert found["DisallowStartIfOnBatteries"] == found["StopIfGoingOnBatteries"] == "false"
    assert (found["Interval"], found["Count"], found["ExecutionTimeLimit"]) == ("PT1M", "5", "PT0S")


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """Return a function that puts a program in place of a system's, which writes down how it is called."""
    folder, calls = tmp_path / "bin", tmp_path / "calls"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def put(name, does="exit 0"):
        script = folder / name
        script.write_text(f'#!/bin/sh\necho "{name} $*" >> {calls}\n{does}\n')
        script.chmod(stat.S_IRWXU)
        return lambda: calls.read_text().splitlines() if calls.exists() else []

    return put


def test_it_is_installed_enabled_and_started_by_systemd_and_gone_after_its_removal(tool, tmp_path):
    tool("loginctl", "echo Linger=yes")
    calls = tool("systemctl", "echo ActiveState=active")
    systemd = Systemd(tmp_path / "units")

    assert "whether you are logged in or not" in systemd.install(SERVICE)
    assert (tmp_path / "units" / "starai-worker.service").read_text() == UNIT
    assert "ActiveState=active" in systemd.status()
    assert systemd.remove()

    verbs = [call.split()[2] for call in calls() if call.startswith("systemctl --user")]
    assert verbs == ["show", "daemon-reload", "enable", "restart", "show", "disable", "daemon-reload"]
    assert (systemd.status(), systemd.remove()) == (None, False)


def test_who_does_not_linger_is_told_how(tool, tmp_path):
    tool("systemctl")
    tool("loginctl", "echo Linger=no")

    assert "loginctl enable-linger" in Systemd(tmp_path).install(SERVICE)


def test_without_systemd_it_is_said_what_to_do_instead_and_nothing_is_written(tool, tmp_path):
    with pytest.raises(ServiceError, match=r"has no systemctl.*starai-worker start"):
        Systemd(tmp_path / "units").install(SERVICE)

    assert not (tmp_path / "units").exists()


def test_without_a_session_of_systemd_it_is_said_how_to_get_one_and_nothing_is_written(tool, tmp_path):
    tool("systemctl", 'echo "Failed to connect to bus: No medium found" >&2; exit 1')

    with pytest.raises(ServiceError, match=r"No medium found.*enable-linger.*XDG_RUNTIME_DIR"):
        Systemd(tmp_path / "units").install(SERVICE)

    assert not (tmp_path / "units").exists()


def test_launchd_is_asked_in_its_own_words(tool, tmp_path):
    calls = tool("launchctl", '[ "$1" = print ] && echo "  state = running"; exit 0')
    launchd = Launchd(tmp_path / "agents")

    launchd.install(SERVICE)
    assert launchd.status() == "state = running"
    assert launchd.remove()

    assert [call.split()[1] for call in calls()] == ["bootstrap", "print", "print", "bootout"]


def test_a_service_runs_the_installed_command_by_its_absolute_path(tmp_path):
    (tmp_path / "starai-worker").touch()

    assert executable(tmp_path) == tmp_path / "starai-worker"
    with pytest.raises(ServiceError, match="Install StarAI"):
        executable(tmp_path / "elsewhere")


def test_who_has_joined_no_network_installs_nothing(tmp_path):
    run = CliRunner().invoke(main, ["service", "install", "--enrolment", str(tmp_path / "none.json")])

    assert run.exit_code == 1
    assert "has not joined a network" in run.output


@pytest.mark.skipif(sys.platform != "linux", reason="the files are looked for where Linux has them")
def test_without_a_service_its_status_and_its_removal_say_so(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    for verb in ("status", "remove"):
        run = CliRunner().invoke(main, ["service", verb])
        assert (run.exit_code, run.output.startswith("No service is installed.")) == (0, True)
