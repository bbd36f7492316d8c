"""How a device is, and how it stands with its network, as its owner reads it."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tasks.greeting import Standing, StandingEvent
from worker.enrolment import Enrolment
from worker.moment import local_moment
from worker.status import Doing, Status


def status_table(enrolment: Enrolment, status: Status | None) -> RenderableType:
    """Return a table of the device on this machine; ``status``: what it says of itself while it runs."""
    grid = _grid([("device", f"{enrolment.device} in {enrolment.region}")])
    rows = _running(status) if status else [("state", "not running; start it: starai-worker start")]
    for row in rows:
        grid.add_row(*row)
    return grid


def standing_table(standing: Standing) -> RenderableType:
    """Return a table of how the network sees the device, and of what happened to it, the newest first."""
    grid = _grid(_standing(standing))
    if not standing.events:
        return grid
    return Group(grid, "", _events(standing.events))


def doing(status: Status) -> str:
    """Return what a device that runs is about, in words."""
    if status.doing is Doing.LEAVING:
        by = f", at {local_moment(status.leaving_by)} at the latest" if status.leaving_by else ""
        return f"leaving{by}"
    if status.doing is Doing.STARTING:
        return "starting: it connects and loads its models"
    if status.paused:
        until = f", until {local_moment(status.paused.until)}" if status.paused.until else ""
        return f"paused: {status.paused.why}{until}"
    if not status.connected:
        return "without connection; it goes on trying"
    return "serving" if status.subscriptions else "resting: the network gives it no tasks at the moment"


def _running(status: Status) -> Iterable[tuple[str, str]]:
    yield "state", doing(status)
    yield "since", f"{local_moment(status.since)} (process {status.pid})"
    yield "connection", "stands" if status.connected else "none; it goes on trying"
    for model in status.models:
        held = f", {model.held} waiting" if model.held else ""
        yield (
            "model",
            f"{model.model}: {model.running} of {model.slots} slots in use{held}, other load {model.load:.0%}",
        )
        if model.broken:
            yield "", f"out of service, and tried again: {escape(model.broken)}"
    yield "tasks", f"{status.done} done, {status.failed} failed since the start"
    if status.mistake:
        yield "preferences", status.mistake
    for name in status.without_effect:
        yield "preferences", f"{name} does nothing: this machine does not tell what it asks for"


def _standing(standing: Standing) -> Iterable[tuple[str, str]]:
    since = f" since {local_moment(standing.since)}" if standing.since else ""
    yield "network says", f"{standing.state}{since}, of {standing.owner}"
    yield "trust", f"{standing.trust:.2f} of 1: {_trust(standing)}"
    if standing.quarantined_until:
        yield "quarantine", f"it gets no tasks until {local_moment(standing.quarantined_until)}"
    if standing.blacklisted_until:
        yield "blacklist", f"shut out until {local_moment(standing.blacklisted_until)}"
    if standing.checked_at is None:
        yield "last check", "none yet"
    else:
        why = f": {standing.reason}" if standing.reason else ""
        yield "last check", f"{standing.condition} at {local_moment(standing.checked_at)}{why}"


def _trust(standing: Standing) -> str:
    """Return what the trust means; failures take it away, time and good checks bring it back."""
    if standing.sound:
        now = f"in good standing; below {standing.demoted_below:.2f} it gets only what no other device has a slot for"
    else:
        now = f"it gets only what no other device has a slot for, until it is at {standing.sound_from:.2f}"
    quarantine, blacklist = standing.quarantined_below, standing.blacklisted_below
    return (
        f"{now}; a failure below {quarantine:.2f} takes it out of work for a time, below {blacklist:.2f} it is shut out"
    )


def _events(events: Iterable[StandingEvent]) -> Table:
    table = Table("when", "what", "cost", "trust", "why")
    for event in events:
        what = f"{event.kind} ({event.check})" if event.check else event.kind
        table.add_row(local_moment(event.at), what, _figure(event.cost), _figure(event.trust), Text(event.reason))
    return table


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _grid(rows: Iterable[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for row in rows:
        grid.add_row(*row)
    return grid
