"""`starai health`, on a registry of its own; no broker is needed."""

import json
import os
import signal
import struct
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlmodel import select

from broker_config.apply import apply
from broker_config.regions import Region
from broker_config.roles import device_role
from broker_config.tiers import Tier
from broker_config.topology import HostedModel, device_topology, model_topology
from broker_config.users import put_user
from ops.access import open_registry
from registry.columns import now
from registry.database import session
from registry.deployments import Planned, deploy
from registry.device_state import DeviceState
from registry.devices import enrol_device
from registry.health_state import Check, Condition
from registry.health_tables import BlacklistEntry, DeviceHealth, HealthCycle
from registry.owners import add_owner
from registry.states import set_state


def before(seconds):
    return now() - timedelta(seconds=seconds)


def add_device(device, state=DeviceState.ACTIVE, **health):
    told = {"condition": Condition.WELL, "cycle": 2, "checked_at": before(10), "answered_at": before(9)} | health
    with open_registry() as engine, session(engine) as registry:
        found = enrol_device(registry, device, "ada", Region.ASIA)
        found.enrolled_at = before(3600)
        deploy(registry, device, [Planned("all-minilm-l6-v2", Tier.TINY)])
        set_state(registry, device, state, "tested")
        registry.add(DeviceHealth(device_id=device, **told))
        return found.owner_id


def add_cycle(seconds_ago, outage=None, took=1.25, **found):
    began = before(seconds_ago)
    figures = {"probed": 3, "well": 2, "failed": 1, "silent": 0} | found
    ended = began + timedelta(seconds=took) if took else None
    with open_registry() as engine, session(engine) as registry:
        registry.add(HealthCycle(began_at=began, ended_at=ended, outage=outage, **figures))


@pytest.fixture
def network():
    """Two devices of ada that serve, and two cycles, the last one some seconds ago."""
    with open_registry() as engine, session(engine) as registry:
        add_owner(registry, "ada")
    add_device("device-1", round_trip=0.05, load=0.25)
    add_device("device-2", trust=0.9)
    add_cycle(70)
    add_cycle(10)


def data(run, *arguments):
    result = run("health", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def row(result, device):
    (line,) = (line for line in result.output.splitlines() if device in line)
    return line


def order(result):
    return [line.split()[1] for line in result.output.splitlines() if line.startswith("│ device-")]


def test_an_empty_network_is_said_so_and_nothing_is_wrong_with_it(run):
    result = run("health", "--check")

    assert result.exit_code == 0
    assert "There are no devices yet" in result.output
    assert "All is well" not in result.output


def test_when_all_is_well_it_says_so(run, network):
    lines = run("health").output.splitlines()

    assert lines[0] == "Devices: 2 active."
    assert lines[1].startswith("Last cycle: 1")
    assert lines[1].endswith(" s ago, took 1.2 s: 3 asked, 2 well, 1 failed, 0 silent.")
    assert lines[2:] == ["All is well."]


def test_devices_that_need_attention_come_worst_first_with_what_happens_next(run, network):
    add_device("device-held", DeviceState.INACTIVE, held=True)
    add_device("device-low", trust=0.6, sound=False)
    add_device("device-silent", DeviceState.INACTIVE, condition=Condition.SILENT, answered_at=before(200))
    failed = {"condition": Condition.FAILED, "failed_check": Check.GPU, "reason": "Its driver is gone."}
    add_device("device-failed", DeviceState.INACTIVE, **failed)
    add_device("device-kept", DeviceState.INACTIVE, quarantined_until=now() + timedelta(hours=40), **failed)
    owner = add_device("device-shut", DeviceState.BLACKLISTED)
    with open_registry() as engine, session(engine) as registry:
        registry.add(BlacklistEntry(device_id="device-shut", owner_id=owner, reason="It lied."))

    result = run("health")

    assert order(result) == [f"device-{name}" for name in ("shut", "kept", "failed", "silent", "low", "held")]
    assert "blacklisted: It lied." in row(result, "device-shut")
    assert "failed the gpu check: Its driver is gone." in row(result, "device-failed")
    assert "works again once a check finds it well" in row(result, "device-failed")
    assert "silent for 3 min" in row(result, "device-silent")
    assert "lower band, trust 0.60" in row(result, "device-low")
    assert "works again after `starai devices activate`" in row(result, "device-held")
    assert "Devices: 3 active, 4 inactive, 1 blacklisted; " in result.output
    assert "All is well" not in result.output


def test_what_a_device_writes_cannot_run_on_the_operators_terminal(run, network):
    evil = {"reason": "\x1b[2J[red]gone", "condition": Condition.FAILED, "failed_check": Check.CPU}
    add_device("device-3", DeviceState.INACTIVE, paused="\x1b[2J", **evil)

    for arguments in ((), ("--all", "--cycles"), ("--json",)):
        output = run("health", *arguments).output
        assert "\x1b" not in output
        assert "[red]gone" in output


def test_check_exits_with_1_when_something_is_wrong(run, network):
    assert run("health", "--check").exit_code == 0
    add_device("device-3", DeviceState.INACTIVE, condition=Condition.SILENT)

    assert run("health").exit_code == 0
    assert run("health", "--check").exit_code == 1
    assert run("health", "--check", "--json").exit_code == 1


def test_what_the_operator_or_an_owner_wants_is_not_wrong(run, network):
    add_device("device-3", DeviceState.INACTIVE, held=True)
    add_device("device-4", DeviceState.OFFLINE, condition=Condition.SILENT)
    add_device("device-5", paused="on battery")

    result = run("health", "--check")

    assert result.exit_code == 0
    assert "All is well." in result.output
    assert order(result) == ["device-3"]
    assert "1 held by the operator, 1 paused by the owner" in result.output


@pytest.mark.parametrize(("seconds", "runs"), [("30", False), ("120", True)])
def test_a_cycle_that_does_not_run_is_wrong(run, network, monkeypatch, seconds, runs):
    with open_registry() as engine, session(engine) as registry:
        for cycle in registry.exec(select(HealthCycle)):
            cycle.began_at -= timedelta(seconds=80)
    monkeypatch.setenv("STARAI_HEALTH_SECONDS", seconds)

    result = run("health", "--check")

    assert ("The health cycle does not run: the last one began" in result.output) is not runs
    assert ("Is beat up" in result.output) is not runs
    assert result.exit_code == (0 if runs else 1)


def test_a_network_whose_first_cycle_never_comes_is_told_why(run):
    with open_registry() as engine, session(engine) as registry:
        add_owner(registry, "ada")
    add_device("device-1", condition=Condition.UNKNOWN)

    result = run("health")

    assert "No health cycle has ended yet; one is due every 60 s." in result.output
    assert "does not run: none has ended yet" in result.output


def test_an_outage_is_told_in_words_with_since_when(run, network):
    add_cycle(5, outage="2 of 2 devices at work did not answer")

    result = run("health", "--check")

    assert result.exit_code == 1
    assert "so that nothing counts against devices: 2 of 2 devices at work did not answer" in result.output


@pytest.fixture
def reachable(operated, network):
    """The two devices at a broker, which knows them."""
    model = HostedModel("all-minilm-l6-v2", Tier.TINY, is_default=True)
    apply(operated.url(), model_topology(model) + device_topology("device-1"))
    put_user(operated.api, "device-1", "hunter2", device_role("device-1", ()))
    yield
    operated.api.delete_user("device-1")


def test_a_device_that_is_deactivated_is_held_until_it_is_activated(run, reachable):
    assert run("devices", "deactivate", "device-1", "--grace", "0", "--reason", "repairs").exit_code == 0
    held = run("health")
    assert run("devices", "activate", "device-1").exit_code == 0

    assert "held by the operator" in row(held, "device-1")
    assert "All is well." in run("health").output
    assert [found["held"] for found in data(run)["devices"]] == [False, False]


def test_a_model_that_nobody_serves_is_wrong(run, network):
    with open_registry() as engine, session(engine) as registry:
        set_state(registry, "device-1", DeviceState.OFFLINE, "tested")
        set_state(registry, "device-2", DeviceState.OFFLINE, "tested")

    result = run("health", "--check")

    assert result.exit_code == 1
    assert "No device that is active hosts all-minilm-l6-v2" in result.output


def test_all_shows_every_device(run, network):
    add_device("device-3", paused="on battery", trust=0.5, sound=False)

    result = run("health", "--all")

    assert order(result) == ["device-3", "device-1", "device-2", "device-3"]
    assert "25 %" in row(result, "device-1")
    assert "active, paused: on battery" in result.output
    assert "0.50 lower" in result.output


def test_the_last_cycles_are_shown_newest_first_as_many_as_one_likes(run, network):
    add_cycle(40, took=None)
    add_cycle(3, took=None, outage="half of them\x1b[2J are silent")

    last, *others = (line for line in run("health", "--cycles").output.splitlines() if line.startswith("│"))

    assert "under way" in last
    assert [("broken off" in line) for line in others] == [True, False, False]
    assert len(data(run, "--cycles", "2")["cycles"]) == 2


def test_a_program_gets_all_of_it(run, network):
    add_device("device-3", DeviceState.INACTIVE, condition=Condition.SILENT, silences=2, answered_at=before(200))

    found = data(run)

    assert (found["all_well"], found["troubles"], found["period_seconds"]) == (False, [], 60.0)
    assert found["fleet"]["states"] == {"active": 2, "inactive": 1, "offline": 0, "blacklisted": 0}
    assert (found["last_cycle"]["well"], len(found["cycles"])) == (2, 2)
    assert found["thresholds"]["demoted_below"] == 0.7
    first, second, third = found["devices"]
    assert (first["round_trip"], first["attention"]) == (0.05, None)
    assert second["trust"] == pytest.approx(0.9, abs=0.001)
    assert (third["condition"], third["silences"], third["attention"]["kind"]) == ("silent", 2, "silent")
    assert third["attention"]["urgent"] is True


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--chek",), "--check"),
        (("--cycles", "0"), "not in the range"),
        (("--watch", "--json"), "leave --check and --json out"),
        (("--watch",), "needs a terminal"),
        (("device-1",), "unexpected extra argument"),
    ],
)
def test_wrong_arguments_are_told(run, network, arguments, says):
    result = run("health", *arguments)

    assert result.exit_code == 2
    assert says in result.output


def test_on_a_terminal_it_is_watched_until_ctrl_c(network):
    # There are pseudo-terminals on POSIX alone.
    pty, termios, fcntl = map(pytest.importorskip, ("pty", "termios", "fcntl"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 80, 0, 0))
    command = [sys.executable, "-P", "-m", "ops.cli", "health", "--watch"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as watching:
        os.close(theirs)
        shown = b""
        while b"All is well." not in shown:
            shown += os.read(ours, 65_536)
        add_device("device-3", DeviceState.INACTIVE, held=True)
        while b"device-3" not in shown:
            shown += os.read(ours, 65_536)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 0
    os.close(ours)
