"""What a look at the network's health says: for people, and as JSON."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ops.attention import Attention, Rank, answered_text, state_text, trust_text
from ops.health_look import HealthLook, last_cycle_text, troubles
from ops.output import columns_of, printable
from registry.health_tables import HealthCycle
from registry.health_view import HealthOverview

_STYLES = {Rank.BLACKLISTED: "red", Rank.QUARANTINED: "red", Rank.FAILED: "red", Rank.SILENT: "yellow"}
# As wide as the longest word in a cell: "quarantined".
_WORD = 11
_EMPTY = "There are no devices yet: invite one with `starai tokens issue --owner NAME --region REGION`."


def report(found: HealthLook, *, every: bool, cycles: bool) -> Group:
    """Return a look as a person reads it; with all devices, or the last cycles, where that is wanted."""
    return Group(*_parts(found, every, cycles))


def _parts(found: HealthLook, every: bool, cycles: bool) -> Iterator[RenderableType]:
    yield Text(_devices(found) if found.fleet else _EMPTY)
    yield Text(last_cycle_text(found))
    for trouble in troubles(found):
        yield Text(printable(trouble), style="bold red")
    if found.all_well and found.fleet:
        yield Text("All is well.", style="green")
    if found.attention:
        yield attention_table(found.attention)
    if every and found.fleet:
        yield _every(found.fleet)
    if cycles:
        yield _cycles(found) if found.last else Text("No cycle has begun yet.")


def report_data(found: HealthLook) -> dict[str, Any]:
    """Return all of a look, for JSON."""
    attention = {each.device.id: attention for each, attention in found.attention}
    return {
        "at": found.at,
        "all_well": found.all_well,
        "troubles": troubles(found),
        "period_seconds": found.period,
        "outage_since": found.cycles.outage_since,
        "last_cycle": _cycle_data(found.cycles.last) if found.cycles.last else None,
        "fleet": {"devices": found.summary.devices, **asdict(found.summary)},
        "thresholds": found.settings.model_dump(),
        "devices": [_device_data(each, attention.get(each.device.id)) for each in found.fleet],
        "cycles": [_cycle_data(cycle) for cycle in found.last],
    }


def health_data(found: HealthOverview) -> dict[str, Any]:
    """Return what lists tell of a device's health, for JSON; ``trust`` is that of now."""
    entry = found.blacklisted
    return {
        **columns_of(found.health, "device_id", "figures", "trusted_at"),
        "trust": found.trust,
        "blacklisted": {"since": entry.since, "until": entry.until, "reason": entry.reason} if entry else None,
    }


def attention_table(found: Iterable[tuple[HealthOverview, Attention]]) -> Table:
    """Return the devices that need attention, each with what is wrong and what happens next."""
    table = Table("device", "what is wrong", "what happens next")
    table.columns[0].no_wrap = True
    for each, attention in found:
        texts = (each.device.id, attention.what, attention.then)
        table.add_row(*map(printable, texts), style=_STYLES.get(attention.rank, ""))
    return table


def _devices(found: HealthLook) -> str:
    summary = found.summary
    states = [f"{count} {state}" for state, count in summary.states.items() if count]
    why = [
        (summary.demoted, "in the lower band"),
        (summary.quarantined, "quarantined"),
        (summary.held, "held by the operator"),
        (summary.paused, "paused by the owner"),
    ]
    told = ", ".join(f"{count} {word}" for count, word in why if count)
    return f"Devices: {', '.join(states)}{f'; {told}' if told else ''}."


def _every(fleet: Iterable[HealthOverview]) -> Table:
    table = Table("device", "state", "answered", "load", "trust")
    table.columns[0].no_wrap = True
    table.columns[1].min_width = _WORD
    for each in fleet:
        health = each.health
        load = f"{100 * health.load:.0f} %" if health.load is not None else ""
        texts = (each.device.id, state_text(each), answered_text(each), load, trust_text(each))
        table.add_row(*map(printable, texts))
    return table


def _cycles(found: HealthLook) -> Table:
    table = Table("cycle", "began", "took", "asked", "well", "failed", "silent", "outage")
    for column in table.columns[:-1]:
        column.no_wrap = True
    for position, cycle in enumerate(found.last):
        figures = map(str, (cycle.probed, cycle.well, cycle.failed, cycle.silent))
        began = f"{cycle.began_at:%Y-%m-%d %H:%M:%S}"
        took = _took(cycle) or ("broken off" if position else "under way")
        table.add_row(str(cycle.id), began, took, *figures, printable(cycle.outage or ""))
    return table


def _took(cycle: HealthCycle) -> str:
    if cycle.ended_at is None:
        return ""
    return f"{(cycle.ended_at - cycle.began_at).total_seconds():.1f} s"


def _cycle_data(cycle: HealthCycle) -> dict[str, Any]:
    return {"cycle": cycle.id, **columns_of(cycle, "id")}


def _device_data(found: HealthOverview, attention: Attention | None) -> dict[str, Any]:
    return {
        "device": found.device.id,
        "name": found.device.name,
        "owner": found.owner,
        "region": found.device.region,
        "state": found.device.state,
        "attention": _attention_data(attention) if attention else None,
        **health_data(found),
    }


def _attention_data(attention: Attention) -> dict[str, Any]:
    kind = attention.rank.name.lower().replace("_", "-")
    return {"kind": kind, "urgent": attention.urgent, "what": attention.what, "then": attention.then}
