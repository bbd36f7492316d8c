"""Usage summed up, on either kind of database."""

from datetime import date

import pytest
from sqlmodel import Session

from broker_config.regions import Region
from registry.devices import enrol_device
from registry.owners import add_owner, find_owner
from registry.task_tables import Usage
from registry.usage import By, Selection, Work, models_used, total_usage, usage

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 6, day) for day in (1, 2, 3))
LARGE = 2**40


@pytest.fixture
def used(registry: Session) -> Session:
    """Ada's device-1 at two models on two days, bob's device-2 at one."""
    add_owner(registry, "bob")
    enrol_device(registry, "device-2", "bob", Region.ASIA)
    rows = [
        (MONDAY, "ada", "device-1", "phi3-3-8b", 1),
        (MONDAY, "ada", "device-1", "all-minilm-l6-v2", 10),
        (TUESDAY, "ada", "device-1", "all-minilm-l6-v2", 100),
        (WEDNESDAY, "bob", "device-2", "all-minilm-l6-v2", 1000),
    ]
    for day, owner, device, model, count in rows:
        place = {"day": day, "owner_id": find_owner(registry, owner).id, "device": device, "model": model}
        figures = {"tasks": count, "failed": 2 * count, "items": 3 * count, "tokens_claimed": 4 * count}
        size = {"bytes_in": LARGE * count, "bytes_out": count}
        registry.add(Usage(**place, **figures, **size, compute_seconds=count / 8))
    registry.flush()
    return registry


def tasks(session: Session, *by: By, **selected: object) -> dict[tuple[str, ...], int]:
    rows = usage(session, Selection(**selected), by)  # type: ignore[arg-type]
    return {tuple(row.place.values()): row.work.tasks for row in rows}


def test_each_row_comes_by_itself_when_told_apart_by_everything(used: Session) -> None:
    assert tasks(used, *By) == {
        ("2026-06-01", "ada", "device-1", "all-minilm-l6-v2"): 10,
        ("2026-06-01", "ada", "device-1", "phi3-3-8b"): 1,
        ("2026-06-02", "ada", "device-1", "all-minilm-l6-v2"): 100,
        ("2026-06-03", "bob", "device-2", "all-minilm-l6-v2"): 1000,
    }


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ((By.OWNER,), {("ada",): 111, ("bob",): 1000}),
        ((By.MODEL,), {("all-minilm-l6-v2",): 1110, ("phi3-3-8b",): 1}),
        ((By.DEVICE, By.DAY), {(str(MONDAY), "device-1"): 11, (str(TUESDAY), "device-1"): 100}),
    ],
)
def test_rows_are_summed_up_by_what_is_asked_for(used: Session, by: tuple[By, ...], expected: object) -> None:
    found = tasks(used, *by, until=None if By.DAY not in by else TUESDAY)

    assert found == expected


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        ({"owner": "ada"}, 111),
        ({"device": "device-2"}, 1000),
        ({"model": "phi3-3.8b"}, 1),
        ({"since": TUESDAY}, 1100),
        ({"until": TUESDAY}, 111),
        ({"since": TUESDAY, "until": TUESDAY}, 100),
        ({"owner": "ada", "model": "all-minilm-l6-v2", "since": TUESDAY}, 100),
        ({"owner": "bob", "until": MONDAY}, 0),
    ],
)
def test_only_what_is_selected_is_summed_up(used: Session, selected: dict[str, object], expected: int) -> None:
    assert total_usage(used, Selection(**selected)).tasks == expected  # type: ignore[arg-type]


def test_every_figure_is_summed_and_of_its_own_kind(used: Session) -> None:
    whole = total_usage(used, Selection())

    assert whole == Work(1111, 2222, 3333, 4444, 138.875, 1111 * LARGE, 1111)
    assert [type(figure) for figure in (whole.items, whole.bytes_in, whole.compute_seconds)] == [int, int, float]


def test_where_nothing_was_done_the_total_is_nothing(registry: Session) -> None:
    assert usage(registry, Selection(), list(By)) == []
    assert total_usage(registry, Selection()) == Work(0, 0, 0, 0, 0.0, 0, 0)
    assert models_used(registry) == []


def test_the_models_that_were_used_come_once_each(used: Session) -> None:
    assert models_used(used) == ["all-minilm-l6-v2", "phi3-3-8b"]
