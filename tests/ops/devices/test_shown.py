"""`starai devices` lists and shows what was measured and deployed."""

from datetime import datetime

import pytest

from tests.ops.devices.shown import DETAILS, JOINED, KEY, printed


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
        "gpu": None,
        "memory_bytes": None,
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
