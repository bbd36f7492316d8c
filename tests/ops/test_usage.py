"""`starai usage`, on a registry of its own; no broker is needed."""

import csv
import io
import json
from datetime import date

import pytest

from broker_config.regions import Region
from broker_config.tiers import Tier
from ops.access import open_registry
from registry.database import session
from registry.deployments import Planned, deploy
from registry.devices import enrol_device
from registry.owners import add_owner
from registry.task_tables import Usage

EVIL = '=HYPERLINK("x"),1'
MINILM = "all-minilm-l6-v2"


@pytest.fixture
def used():
    """What a device of ada and one of an owner with an evil name did on two days."""
    with open_registry() as engine, session(engine) as registry:
        ada, evil = add_owner(registry, "ada"), add_owner(registry, EVIL)
        enrol_device(registry, "device-1", "ada", Region.EUROPE)
        enrol_device(registry, "device-2", EVIL, Region.ASIA)
        deploy(registry, "device-1", [Planned("phi3-3.8b", Tier.MEDIUM)])
        place = {"owner_id": ada.id, "device": "device-1", "model": MINILM}
        first = {"tasks": 1234, "failed": 5, "items": 4321, "tokens_claimed": 77}
        registry.add(Usage(day=date(2026, 6, 1), **place, **first, compute_seconds=2.12345, bytes_in=10, bytes_out=20))
        registry.add(Usage(day=date(2026, 6, 2), **place, tasks=1))
        registry.add(Usage(day=date(2026, 6, 2), owner_id=evil.id, device="device-2", model=MINILM, tasks=2))


def printed(run, *arguments):
    result = run("usage", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def rows(run, *arguments):
    return list(csv.DictReader(io.StringIO(printed(run, "--format", "csv", *arguments))))


def test_the_table_has_each_day_owner_device_and_model_and_ends_with_the_total(run, used):
    lines = printed(run).splitlines()

    assert all(name in lines[1] for name in ("day", "owner", "device", "model", "tokens (claimed)", "compute s"))
    assert all(part in lines[3] for part in ("2026-06-01", "ada", "device-1", MINILM, "1,234", "4,321", "2.1"))
    assert "total" in lines[-2]
    assert "1,237" in lines[-2]


def test_what_only_a_device_can_say_is_marked_as_claimed_everywhere(run, used):
    assert "tokens (claimed)" in printed(run)
    assert rows(run)[0]["tokens_claimed"] == "77"
    assert json.loads(printed(run, "--json"))["usage"][0]["tokens_claimed"] == 77


def test_a_program_gets_the_rows_and_their_total(run, used):
    found = json.loads(printed(run, "--json", "--by", "owner"))

    assert [(row["owner"], row["tasks"]) for row in found["usage"]] == [(EVIL, 2), ("ada", 1235)]
    assert found["total"]["tasks"] == 1237
    assert found["total"]["compute_seconds"] == 2.12345
    assert "day" not in found["usage"][0]
    assert printed(run, "--json") == printed(run, "--format", "json")


def test_csv_has_plain_figures_and_no_total(run, used):
    found = rows(run, "--by", "day", "--by", "device", "--device", "device-1")

    assert found[0] == {
        "day": "2026-06-01",
        "device": "device-1",
        "tasks": "1234",
        "failed": "5",
        "items": "4321",
        "tokens_claimed": "77",
        "compute_seconds": "2.123",
        "bytes_in": "10",
        "bytes_out": "20",
    }
    assert len(found) == 2


def test_a_name_is_no_formula_to_a_spreadsheet(run, used):
    assert [row["owner"] for row in rows(run, "--by", "owner")] == [f"'{EVIL}", "ada"]


@pytest.mark.parametrize(
    ("options", "tasks"),
    [
        (("--owner", "ada"), 1235),
        (("--device", "device-2"), 2),
        (("--model", MINILM), 1237),
        (("--model", "phi3-3.8b"), 0),
        (("--since", "2026-06-02"), 3),
        (("--until", "2026-06-01"), 1234),
    ],
)
def test_only_what_is_selected_is_shown(run, used, options, tasks):
    assert json.loads(printed(run, "--json", *options))["total"]["tasks"] == tasks


@pytest.mark.parametrize(
    ("options", "near"),
    [
        (("--owner", "adda"), "no owner 'adda'. Did you mean: ada?"),
        (("--device", "device-l"), "no device 'device-l'. Did you mean: device-"),
        (("--model", "phi3-3.8"), "no model 'phi3-3-8'. Did you mean: phi3-3-8b?"),
    ],
)
def test_what_is_not_known_is_named_with_the_nearest(run, used, options, near):
    result = run("usage", *options)

    assert result.exit_code == 1
    assert near in result.output


def test_days_are_days_and_in_order(run):
    assert run("usage", "--since", "2026-13-01").exit_code == 2
    assert "after --until" in run("usage", "--since", "2026-06-02", "--until", "2026-06-01").output


def test_where_nothing_was_done_it_says_so(run, used):
    assert "no usage of that kind" in printed(run, "--model", "phi3-3.8b")
    assert printed(run, "--model", "phi3-3.8b", "--format", "csv").count("\n") == 1


def test_without_any_usage_it_says_where_it_comes_from(run):
    assert "There is no usage yet" in printed(run)
