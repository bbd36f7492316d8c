"""Usage, summed up: what the devices of whom did, with which model, on which day."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col, func

from broker_config.names import wire_name
from registry.tables import Owner
from registry.task_tables import Usage


class By(StrEnum):
    """What usage can be told apart by."""

    DAY = "day"
    OWNER = "owner"
    DEVICE = "device"
    MODEL = "model"


@dataclass(frozen=True)
class Selection:
    """Which usage is meant; what is ``None`` is not looked at.

    Attributes:
        model: by its name, or as it stands on the wire.
        since: the first day, and ``until`` the last, in UTC.
    """

    owner: str | None = None
    device: str | None = None
    model: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Work:
    """What was done; :class:`registry.task_tables.Usage` says what the figures are."""

    tasks: int
    failed: int
    items: int
    tokens_claimed: int
    compute_seconds: float
    bytes_in: int
    bytes_out: int


@dataclass(frozen=True)
class UsageOverview:
    """What was done together under the same ``place``: of a day, an owner, a device, a model, those asked for."""

    place: dict[By, str]
    work: Work


_PLACES: dict[By, Any] = {
    By.DAY: col(Usage.day),
    By.OWNER: col(Owner.name),
    By.DEVICE: col(Usage.device),
    By.MODEL: col(Usage.model),
}
_FIGURES: tuple[Any, ...] = (
    Usage.tasks,
    Usage.failed,
    Usage.items,
    Usage.tokens_claimed,
    Usage.compute_seconds,
    Usage.bytes_in,
    Usage.bytes_out,
)
_SUMS = tuple(func.coalesce(func.sum(figure), 0) for figure in _FIGURES)


def usage(session: Session, selection: Selection, by: Collection[By]) -> list[UsageOverview]:
    """Return the selected usage, summed up by what it is to be told apart by, in the order of :class:`By`.

    Told apart by nothing it is one sum, also where there is nothing to sum up.
    """
    places = [place for place in By if place in by]
    columns = [_PLACES[place] for place in places]
    summed = select(*columns, *_SUMS).join_from(Usage, Owner, col(Owner.id) == Usage.owner_id)
    rows = session.connection().execute(summed.where(*_conditions(selection)).group_by(*columns).order_by(*columns))
    count = len(places)
    return [
        UsageOverview(dict(zip(places, map(str, row[:count]), strict=True)), _work(row[count:]))
        for row in map(tuple, rows)
    ]


def total_usage(session: Session, selection: Selection) -> Work:
    """Return all of the selected usage in one sum."""
    (whole,) = usage(session, selection, ())
    return whole.work


def models_used(session: Session) -> list[str]:
    """Return the models that there is usage of, as they stand on the wire."""
    return list(session.connection().execute(select(col(Usage.model)).distinct().order_by(col(Usage.model))).scalars())


def _conditions(selection: Selection) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if selection.owner is not None:
        wanted.append(col(Owner.name) == selection.owner)
    if selection.device is not None:
        wanted.append(col(Usage.device) == selection.device)
    if selection.model is not None:
        wanted.append(col(Usage.model) == wire_name(selection.model))
    if selection.since is not None:
        wanted.append(col(Usage.day) >= selection.since)
    if selection.until is not None:
        wanted.append(col(Usage.day) <= selection.until)
    return wanted


def _work(sums: Sequence[Any]) -> Work:
    # PostgreSQL sums whole numbers up to decimal ones.
    tasks, failed, items, tokens, seconds, received, sent = sums
    return Work(int(tasks), int(failed), int(items), int(tokens), float(seconds), int(received), int(sent))
