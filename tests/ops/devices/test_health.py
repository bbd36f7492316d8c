"""`starai devices` says what the checks of a device found, and what follows from it."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from broker_config.regions import Region
from ops.access import open_registry
from ops.device_list import devices_table
from registry.database import session
from registry.device_state import DeviceState
from registry.devices import enrol_device, find_device
from registry.health_tables import BlacklistEntry, DeviceHealth
from registry.health_view import fleet_health
from registry.overview import all_devices
from registry.standing_rule import StandingSettings
from registry.states import set_state
from tests.ops.devices.shown import JOINED, READINGS, printed, row


def test_the_list_says_why_a_device_takes_no_tasks_and_how_far_it_is_trusted(run, checked):
    first, second = (row(run("devices").output, device) for device in ("device-1", "device-2"))

    for part in ("inactive: failed gpu", "0.50 lower", " s ago", "42 %"):
        assert part in first
    assert "inactive: not checked yet" in second
    assert "never" in second


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (80, ["device", "owner", "region", "state", "trust"]),
        (100, ["device", "owner", "region", "state", "trust", "models"]),
        (120, ["device", "owner", "region", "state", "trust", "answered", "models"]),
    ],
)
def test_a_narrow_terminal_shows_what_it_has_room_for(checked, width, columns):
    with open_registry() as engine, session(engine) as registry:
        enrol_device(registry, "device-831d30d0f533869e", "ada", Region.NORTH_AMERICA)
        found = all_devices(registry)
        health = {each.device.id: each for each in fleet_health(registry, datetime.now(UTC), StandingSettings())}

    table = devices_table(found, health, width)
    console = Console(width=width, file=io.StringIO())
    console.print(table)

    assert [column.header for column in table.columns] == columns
    assert {len(line) for line in console.file.getvalue().splitlines()} <= set(range(width + 1))
    assert all("…" not in line and line[-1] in "┓┃┩│┘" for line in console.file.getvalue().splitlines())


def test_show_has_what_the_last_check_found(run, checked):
    output = run("devices", "show", "device-1").output

    for label, *parts in (
        ("State", "inactive: failed gpu"),
        ("Health", "failed the gpu check, 2 times in a row: Its GPU [2J lost its bus. (checked", "cycle 7)"),
        ("Last answer", "round trip 43 ms, 4.1 MB/s down"),
        ("Under load", "42 % besides its own tasks, all processors 55 %, 61 °C"),
        ("Left", "9.0 GiB of memory, 120.0 GiB of disk"),
        ("GPU now", "[red]RTX, driver 580.82, 67 °C, 2 memory errors, lost its bus"),
        ("Engine now", "CUDAExecutionProvider: its library is missing"),
        ("Tasks now", "3 running, 1 waiting, 0 not acknowledged, by 4 subscriptions"),
        ("Cannot run", "phi3-3.8b: out of memory"),
        ("Paused", "on battery"),
        ("Trust", "0.50, lower band; from 0.85 it is back in the upper one, in 42 h if nothing fails"),
    ):
        assert all(part in row(output, label) for part in parts), label
    assert "\x1b" not in output


def test_the_history_has_what_each_failure_cost_and_what_was_left(run, checked):
    lines = run("devices", "show", "device-1").output.splitlines()

    (failed,) = (line for line in lines if "check-failed (gpu)" in line)
    assert [cell.strip() for cell in failed.split("│")[3:6]] == ["Its GPU lost its bus.", "10 %", "0.50"]


def test_a_program_gets_health_readings_thresholds_and_the_events_with_their_figures(run, checked):
    shown = printed(run, "show", "device-1")

    assert (shown["health"]["condition"], shown["health"]["failed_check"]) == ("failed", "gpu")
    assert shown["health"]["trust"] == pytest.approx(0.5, abs=0.001)
    assert shown["readings"] == READINGS.model_dump(mode="json")
    assert shown["thresholds"]["blacklisted_below"] == 0.2
    event = shown["history"][1]
    assert (event["failed_check"], event["cost"], event["trust"], event["figures"]) == ("gpu", 0.1, 0.5, {"errors": 2})
    assert printed(run)["devices"][0]["health"] | {"trust": 0} == shown["health"] | {"trust": 0}


def test_what_keeps_a_device_out_is_shown_and_no_login_of_it(run, checked):
    with open_registry() as engine, session(engine) as registry:
        owner = find_device(registry, "device-1").owner_id
        entry = BlacklistEntry(device_id="device-1", owner_id=owner, reason="it lied", since=JOINED)
        entry.password_hash, entry.hashing = "the-hash", "the-hashing"
        registry.add(entry)
        registry.get_one(DeviceHealth, "device-1").held = True
        set_state(registry, "device-1", DeviceState.BLACKLISTED, "it lied", JOINED)

    output = run("devices", "show", "device-1").output

    assert "since 2026-05-01 12:00 UTC, until the operator lifts it: it lied" in row(output, "Blacklisted")
    assert "by the operator, until `starai devices activate`" in row(output, "Held")
    for arguments in (("show", "device-1"), ("show", "device-1", "--json"), ("list", "--json")):
        assert "the-hash" not in run("devices", *arguments).output


def test_what_another_version_wrote_down_is_left_out(run, checked):
    with open_registry() as engine, session(engine) as registry:
        registry.get_one(DeviceHealth, "device-1").figures = '{"load": "much"}'

    assert printed(run, "show", "device-1")["readings"] is None
    assert "Under load" not in run("devices", "show", "device-1").output
