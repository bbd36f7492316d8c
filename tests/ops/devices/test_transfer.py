"""`starai devices transfer`: whose a device is."""

import json

from tests.ops.devices.shown import printed


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
