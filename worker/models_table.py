"""The models on this machine as a table for a person."""

from collections.abc import Sequence
from datetime import datetime

from rich.table import Table

from models.room import Room, gb
from worker.model_facts import ModelFacts
from worker.moment import local_moment

_COLUMNS = ("model", "tier", "size", "from", "here", "verified", "last used", "hosted")


def models_table(facts: Sequence[ModelFacts], room: Room) -> Table:
    """Return the table, with what models take of the disk below it."""
    table = Table(caption=disk_line(room), caption_justify="left")
    for position, column in enumerate(_COLUMNS):
        table.add_column(column, no_wrap=position == 0, justify="right" if column == "size" else "left")
    for one in facts:
        table.add_row(*_row(one))
    return table


def disk_line(room: Room) -> str:
    """Say what models take of the disk."""
    how = "half of what is free without them" if room.lent is None else "as you said"
    return f"Models take {gb(room.taken)} of {gb(room.most)} ({how}); {gb(room.free)} are free in {room.where}."


def _row(one: ModelFacts) -> tuple[str, ...]:
    return (
        one.name,
        one.tier or "",
        gb(one.size_bytes),
        one.source or "not in the catalogue",
        _here(one),
        _when(one.verified) if one.here else "",
        _when(one.last_used) if one.here else "",
        {True: "yes", False: "no", None: ""}[one.planned],
    )


def _here(one: ModelFacts) -> str:
    if one.here:
        return "in use" if one.in_use else "yes"
    return f"{gb(one.partial_bytes)} of it" if one.partial_bytes else "no"


def _when(at: datetime | None) -> str:
    return local_moment(at) if at else "no"
