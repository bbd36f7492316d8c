"""`starai devices`, on a registry of its own; no broker is needed."""

import io
import json
from datetime import UTC, datetime

import pytest
from rich.console import Console

from broker_config.regions import Region
from broker_config.tiers import Tier
from ops.access import open_registry
from ops.device_list import devices_table
from registry.database import session
from registry.deployments import Planned, deploy
from registry.device_keys import add_key
from registry.device_state import DeviceState
from registry.devices import enrol_device, find_device
from registry.health_state import Check, Condition
from registry.health_tables import BlacklistEntry, DeviceHealth
from registry.health_view import fleet_health
from registry.measurements import record_measurement
from registry.overview import all_devices
from registry.owners import add_owner
from registry.standing_rule import StandingSettings
from registry.states import set_state
from registry.tables import DeviceEvent, EventKind, Measurement
from tasks.probe import GpuReading, Readings

JOINED = datetime(2026, 5, 1, 12, tzinfo=UTC)
KEY = bytes(range(32))
DETAILS = {"gpus": [{"name": "NVIDIA [other]"}, {"name": "a second one"}]}
MEASURED = Measurement(
    device_id="device-1",
    at=JOINED,
    cpu_model="AMD \x1b[2JRyzen",
    physical_cores=8,
    threads=16,
    memory_bytes=32 * 2**30,
    gpu_name="NVIDIA [other]",
    gpu_memory_bytes=12 * 2**30,
    gpu_driver="580.82",
    provider="CUDAExecutionProvider",
    gflops_one_thread=120.4,
    gb_per_s_one_thread=30.25,
    details=json.dumps(DETAILS),
)
MODELS = (
    Planned("all-minilm-l6-v2", Tier.TINY, slots=4, threads=8, tasks_per_second=80.5),
    Planned("phi3-3.8b", Tier.MEDIUM),
)


@pytest.fixture(autouse=True)
def devices():
    """A device of ada that has everything, one of bob that has nothing yet."""
    with open_registry() as engine, session(engine) as registry:
        add_owner(registry, "ada")
        add_owner(registry, "bob")
        first = enrol_device(registry, "device-1", "ada", Region.EUROPE)
        first.name, first.hardware_id, first.enrolled_at = "[my] phone", "ab" * 32, JOINED
        enrol_device(registry, "device-2", "bob", Region.ASIA)
        add_key(registry, "device-1", KEY, KEY[::-1], JOINED)
        record_measurement(registry, Measurement(**MEASURED.model_dump()))
        deploy(registry, "device-1", MODELS)
        set_state(registry, "device-1", DeviceState.ACTIVE, "it \x1b[31mjoined", JOINED)


def printed(run, *arguments):
    result = run("devices", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_list_has_whose_each_is_where_its_state_and_its_models_with_slots(run):
    result = run("devices")

    for part in ("device-1", "[my] phone", "ada", "europe", "active", "2026-05-01 12:00 UTC", "device-2", "inactive"):
        assert part in result.output
    assert "all-minilm-l6-v2 (4 slots)" in result.output
    assert "phi3-3.8b (1 slot)" in result.output


def test_list_is_what_devices_does_by_itself(run):
    assert run("devices").output == run("devices", "list").output
    assert printed(run) == printed(run, "list")


def test_a_program_gets_each_device_with_all_of_its_deployments(run):
    first, second = printed(run)["devices"]

    assert first["models"][0] == {
        "model": "all-minilm-l6-v2",
        "tier": "tiny",
        "slots": 4,
        "threads": 8,
        "tasks_per_second": 80.5,
    }
    assert [model["model"] for model in first["models"]] == ["all-minilm-l6-v2", "phi3-3.8b"]
    assert (second["device"], second["name"], second["models"]) == ("device-2", None, [])
    assert datetime.fromisoformat(first["enrolled_at"]) == JOINED


def test_show_has_measurement_deployments_keys_and_history(run):
    output = run("devices", "show", "device-1").output

    for part in (
        "8 cores, 16 threads",
        "32.0 GiB",
        "NVIDIA [other], 12.0 GiB, driver 580.82",
        "120 GFLOP/s, 30.2 GB/s",
    ):
        assert part in output
    assert "tiny, 4 slots, 8 threads, 80.5 tasks a second" in output
    assert "since 2026-05-01 12:00 UTC" in output
    assert "active │ it" in output


def test_show_has_the_whole_measurement_for_a_program(run):
    shown = printed(run, "show", "device-1")

    assert shown["measurement"]["details"] == DETAILS
    assert shown["measurement"]["memory_bytes"] == 32 * 2**30
    assert datetime.fromisoformat(shown["keys_since"]) == JOINED
    assert [(event["kind"], datetime.fromisoformat(event["at"])) for event in shown["history"]] == [("active", JOINED)]


def test_a_device_that_has_nothing_yet_is_shown_as_well(run):
    shown = printed(run, "show", "device-2")

    assert (shown["measurement"], shown["keys_since"], shown["models"], shown["history"]) == (None, None, [], [])
    assert run("devices", "show", "device-2").exit_code == 0


def test_what_a_device_calls_itself_cannot_run_on_the_operators_terminal(run):
    for arguments in (("list",), ("show", "device-1"), ("list", "--json"), ("show", "device-1", "--json")):
        assert "\x1b" not in run("devices", *arguments).output


READINGS = Readings(
    load=0.42,
    processor=0.55,
    temperature=61.0,
    memory_left=9 * 2**30,
    disk_left=120 * 2**30,
    gpus=(GpuReading(name="[red]RTX", driver="580.82", temperature=67.0, memory_errors=2, fault="lost its bus"),),
    provider="CUDAExecutionProvider",
    provider_fault="its library is missing",
    models=("all-minilm-l6-v2",),
    broken={"phi3-3.8b": "out of memory"},
    running=3,
    held=1,
    unsettled=0,
    consumers=4,
    paused="on battery",
)


@pytest.fixture
def checked():
    """The first device was checked: its GPU failed twice, and it is in the lower band."""
    at = datetime.now(UTC)
    with open_registry() as engine, session(engine) as registry:
        health = {"condition": Condition.FAILED, "failed_check": Check.GPU, "reason": "Its GPU\x1b[2J lost its bus."}
        health |= {"cycle": 7, "checked_at": at, "answered_at": at, "failures": 2, "round_trip": 0.043, "down": 4.1e6}
        health |= {"load": 0.42, "trust": 0.5, "trusted_at": at, "sound": False, "figures": READINGS.model_dump_json()}
        registry.add(DeviceHealth(device_id="device-1", **health))
        failed = {"failed_check": Check.GPU, "cycle": 7, "cost": 0.1, "trust": 0.5, "figures": '{"errors": 2}'}
        kind, reason = EventKind.CHECK_FAILED, "Its GPU lost its bus."
        registry.add(DeviceEvent(device_id="device-1", at=at, kind=kind, reason=reason, **failed))
        set_state(registry, "device-1", DeviceState.INACTIVE, "its gpu check failed", at)


def row(output, start):
    (line,) = (line for line in output.splitlines() if line.startswith(f"│ {start} "))
    return line


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


def test_keys_are_not_shown(run):
    shown = run("devices", "show", "device-1").output + run("devices", "show", "device-1", "--json").output

    assert KEY.hex() not in shown
    assert "signing" not in shown


@pytest.mark.parametrize("command", [("show", "device-l"), ("transfer", "device-l", "bob")])
def test_a_device_that_is_not_known_is_named_with_the_nearest(run, command):
    result = run("devices", *command)

    assert result.exit_code == 1
    assert "no device 'device-l'. Did you mean: device-" in result.output
    assert "starai devices" in result.output


def test_a_transferred_device_is_the_other_owners_and_its_history_says_why(run):
    result = run("devices", "transfer", "device-1", "bob", "--reason", "a gift", "--yes")

    assert result.output == "device-1 is bob's now, and was ada's.\n"
    shown = printed(run, "show", "device-1")
    assert (shown["owner"], shown["state"]) == ("bob", "active")
    assert (shown["history"][-1]["kind"], shown["history"][-1]["reason"]) == ("transferred", "from ada to bob: a gift")


def test_a_transfer_tells_a_program_from_whom_to_whom(run):
    assert printed(run, "transfer", "device-1", "bob", "--yes") == {"device": "device-1", "from": "ada", "to": "bob"}


def test_a_device_is_not_transferred_without_a_yes(run):
    result = run("devices", "transfer", "device-1", "bob", input="n\n")

    assert (result.exit_code, result.stdout) == (1, "")
    assert printed(run, "show", "device-1")["owner"] == "ada"


def test_to_the_owner_that_a_device_has_nothing_changes_and_nobody_is_asked(run):
    result = run("devices", "transfer", "device-1", "ada")

    assert (result.exit_code, result.output) == (0, "device-1 is ada's already.\n")
    assert len(printed(run, "show", "device-1")["history"]) == 1


def test_a_device_is_transferred_to_an_owner_only(run):
    result = run("devices", "transfer", "device-1", "bobb", "--yes")

    assert result.exit_code == 1
    assert "no owner 'bobb'. Did you mean: bob?" in result.output


def test_owners_are_listed_with_how_many_devices_they_have(run):
    assert json.loads(run("owners", "list", "--json").stdout)["owners"] == [
        {"name": "ada", "devices": 1},
        {"name": "bob", "devices": 1},
    ]
