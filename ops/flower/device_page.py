"""What a device's own page shows, as plain text: the templates escape it, and every name may be a stranger's."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from ops.device_view import DeviceView, cost_texts, event_text, identity, measured, view_of
from ops.flower.fleet_view import Load
from ops.health_facts import health_facts, standing_facts
from ops.output import moment
from registry.fleet import RecentAttempt, recent_attempts
from registry.usage import By, Selection, UsageOverview, usage

_UNKNOWN = "not known: the broker does not say"


@dataclass(frozen=True)
class Cell:
    """A text, and where it names a task, that task's id."""

    text: str
    task: str | None = None


@dataclass(frozen=True)
class Table:
    """One table of the page; ``empty`` is what it says without rows."""

    id: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    empty: str


@dataclass(frozen=True)
class DeviceFacts:
    """Everything that the page shows but the load, which the broker tells."""

    view: DeviceView
    attempts: list[RecentAttempt]
    usage: list[UsageOverview]

    @property
    def slots(self) -> int:
        """How many tasks the device runs at once."""
        return sum(deployment.slots for deployment in self.view.overview.deployments)


def facts_of(session: Session, device: str) -> DeviceFacts:
    """Return what the registry knows of a device.

    Raises:
        RegistryError: there is no such device.
    """
    view = view_of(session, device)
    return DeviceFacts(view, recent_attempts(session, device), usage(session, Selection(device=device), (By.MODEL,)))


def labels(found: DeviceFacts, load: Load) -> list[tuple[str, str]]:
    """Return the facts at the page's head, by label."""
    connected = _UNKNOWN if load.connected is None else "yes" if load.connected else "no"
    busy = "" if load.busy is None else f"{load.busy} of {load.slots} slots in use"
    return [*identity(found.view), ("Connected", connected), ("Load", busy or "—"), *measured(found.view.measurement)]


def health(found: DeviceFacts) -> list[tuple[str, str]]:
    """Return how the device is and stands, by label."""
    view = found.view
    return [*health_facts(view.health), *standing_facts(view.health, view.settings)]


def tables(found: DeviceFacts) -> list[Table]:
    """Return the tables below: what it hosts, did in all, did lately, and what happened to it."""
    return [_models(found), _usage(found.usage), _attempts(found.attempts), _history(found)]


def _models(found: DeviceFacts) -> Table:
    rows = [
        _cells(d.model, d.tier, str(d.slots), _figure(d.threads), _figure(d.tasks_per_second))
        for d in found.view.overview.deployments
    ]
    columns = ("Model", "Tier", "Slots", "Threads", "Tasks a second")
    return Table("device-models", "Models", columns, rows, "It hosts no model.")


def _attempts(attempts: list[RecentAttempt]) -> Table:
    columns = ("Task", "Model", "Submitter", "Started", "Took", "Outcome")
    rows = [
        (
            Cell(a.task, a.task),
            *_cells(a.model or "", a.submitter, _second(a.started_at), _took(a), _outcome(a)),
        )
        for a in attempts
    ]
    return Table("device-attempts", "Recent attempts", columns, rows, "It ran none of the network's last tasks.")


def _usage(used: list[UsageOverview]) -> Table:
    columns = ("Model", "Tasks", "Failed", "Texts", "Tokens (claimed)", "Compute seconds", "Bytes in", "Bytes out")
    rows = []
    for overview in used:
        work = overview.work
        whole = (work.tasks, work.failed, work.items, work.tokens_claimed)
        sizes = (work.bytes_in, work.bytes_out)
        figures = (*map(_grouped, whole), f"{work.compute_seconds:,.1f}", *map(_grouped, sizes))
        rows.append(_cells(overview.place[By.MODEL], *figures))
    return Table("device-usage", "Usage", columns, rows, "It ended no task yet.")


def _history(found: DeviceFacts) -> Table:
    rows = [
        _cells(moment(event.at), event_text(event), event.reason, *cost_texts(event))
        for event in reversed(found.view.history)
    ]
    columns = ("When", "Event", "Reason", "Cost", "Trust")
    return Table("device-history", "History", columns, rows, "Nothing happened to it yet.")


def _cells(*texts: str) -> tuple[Cell, ...]:
    return tuple(Cell(text) for text in texts)


def _second(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _took(attempt: RecentAttempt) -> str:
    if attempt.ended_at is None:
        return ""
    return f"{max((attempt.ended_at - attempt.started_at).total_seconds(), 0.0):.3f} s"


def _outcome(attempt: RecentAttempt) -> str:
    return f"{attempt.outcome}: {attempt.reason}" if attempt.reason else str(attempt.outcome)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}" if isinstance(value, float) else str(value)


def _grouped(value: int) -> str:
    return f"{value:,}"
