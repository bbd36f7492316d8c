"""All that the registry knows of a device, as JSON and as a table."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Group
from rich.table import Table
from sqlmodel import Session

from models.browser import BROWSER
from ops.attention import state_text
from ops.health_facts import health_facts, readings_of, standing_facts
from ops.health_report import health_data
from ops.output import columns_of, moment, printable
from registry.columns import now
from registry.deployments import deployments_of
from registry.device_keys import current_key
from registry.events import events_of
from registry.health_view import HealthOverview, device_health
from registry.measurements import latest_measurement
from registry.overview import DeviceOverview
from registry.standing_rule import StandingSettings
from registry.tables import Deployment, DeviceEvent, Measurement

_GIB = 2**30


@dataclass(frozen=True)
class DeviceView:
    """A device with everything that belongs to it.

    Attributes:
        overview: with its owner's name and what it hosts.
        health: how it is; ``settings`` say what follows from its trust.
        keys_since: since when it has its present keys, if it has any.
        history: what happened to it, the oldest first.
    """

    overview: DeviceOverview
    health: HealthOverview
    settings: StandingSettings
    keys_since: datetime | None
    measurement: Measurement | None
    history: tuple[DeviceEvent, ...]


def view_of(session: Session, device: str) -> DeviceView:
    """Return what the registry knows of the device.

    Raises:
        RegistryError: there is no such device.
    """
    settings, key = StandingSettings(), current_key(session, device)
    health = device_health(session, device, now(), settings)
    return DeviceView(
        overview=DeviceOverview(health.device, health.owner, tuple(deployments_of(session, device))),
        health=health,
        settings=settings,
        keys_since=key.since if key else None,
        measurement=latest_measurement(session, device),
        history=tuple(events_of(session, device)),
    )


def device_data(found: DeviceOverview, health: HealthOverview) -> dict[str, Any]:
    """Return what lists tell of a device, for JSON."""
    device = found.device
    return {
        "device": device.id,
        "name": device.name,
        "owner": found.owner,
        "region": device.region,
        "state": device.state,
        "kind": kind_text(health),
        "models": [columns_of(deployment, "device_id") for deployment in found.deployments],
        "enrolled_at": device.enrolled_at,
        "health": health_data(health),
    }


def view_data(view: DeviceView) -> dict[str, Any]:
    """Return all of it, for JSON."""
    said = readings_of(view.health)
    return {
        **device_data(view.overview, view.health),
        "readings": said.model_dump(mode="json") if said else None,
        "thresholds": view.settings.model_dump(),
        "hardware_id": view.overview.device.hardware_id,
        "keys_since": view.keys_since,
        "measurement": _measurement_data(view.measurement) if view.measurement else None,
        "history": [_event_data(event) for event in view.history],
    }


def view_report(view: DeviceView) -> Group:
    """Return all of it for a person, but for the measurement's details."""
    table = Table(title=f"Device {view.overview.device.id}", show_header=False, title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    health = [*health_facts(view.health), *standing_facts(view.health, view.settings)]
    for section in (identity(view), health, measured(view.measurement), _hosted(view.overview.deployments)):
        for what, text in section:
            table.add_row(what, printable(text))
        table.add_section()
    return Group(table, _history(view.history) if view.history else "Nothing has happened to it yet.")


def kind_text(health: HealthOverview) -> str:
    """Return what a device is: a page in a browser, or a program."""
    return "browser" if health.provider == BROWSER else "program"


def models_text(deployments: tuple[Deployment, ...]) -> str:
    """Return the models that a device hosts with their slots, one a line."""
    return "\n".join(f"{d.model} ({d.slots} {'slot' if d.slots == 1 else 'slots'})" for d in deployments)


def _measurement_data(measurement: Measurement) -> dict[str, Any]:
    details = json.loads(measurement.details) if measurement.details else None
    return columns_of(measurement, "id", "device_id", "details") | {"details": details}


def _event_data(event: DeviceEvent) -> dict[str, Any]:
    figures = json.loads(event.figures) if event.figures else None
    return columns_of(event, "id", "device_id", "owner_id", "figures") | {"figures": figures}


_Rows = list[tuple[str, str]]


def identity(view: DeviceView) -> _Rows:
    """Return what a device is, as labels and texts."""
    device = view.overview.device
    return [
        ("Name", device.name or "none given"),
        ("Kind", kind_text(view.health)),
        ("Owner", view.overview.owner),
        ("Region", device.region),
        ("State", state_text(view.health)),
        ("Enrolled", moment(device.enrolled_at)),
        ("Keys", f"since {moment(view.keys_since)}" if view.keys_since else "none: it did not join by a token"),
        ("Hardware", device.hardware_id or "not told"),
    ]


def measured(measurement: Measurement | None) -> _Rows:
    """Return what it measured last, but for the details, as labels and texts."""
    if measurement is None:
        return [("Measured", "never")]
    found = measurement
    cores = f": {found.physical_cores} cores, {found.threads} threads" if found.provider != BROWSER else ""
    gpu = [found.gpu_name, _gib(found.gpu_memory_bytes), f"driver {found.gpu_driver}" if found.gpu_driver else None]
    return [
        ("Measured", moment(found.at)),
        ("Processor", f"{found.cpu_model}{cores}"),
        ("Memory", f"{_gib(found.memory_bytes)}{', as its page says' if found.provider == BROWSER else ''}"),
        ("GPU", ", ".join(filter(None, gpu)) or "none found"),
        ("Engine", found.provider),
        ("One thread", f"{found.gflops_one_thread:.0f} GFLOP/s, {found.gb_per_s_one_thread:.1f} GB/s of memory"),
    ]


def _hosted(deployments: tuple[Deployment, ...]) -> _Rows:
    return [(d.model, _deployment(d)) for d in deployments] or [("Models", "none")]


def _deployment(deployment: Deployment) -> str:
    told = [f"{deployment.tier}, {deployment.slots} {'slot' if deployment.slots == 1 else 'slots'}"]
    if deployment.threads:
        told.append(f"{deployment.threads} {'thread' if deployment.threads == 1 else 'threads'}")
    if deployment.tasks_per_second:
        told.append(f"{deployment.tasks_per_second:.1f} tasks a second")
    return ", ".join(told)


def _history(history: tuple[DeviceEvent, ...]) -> Table:
    table = Table("at", "event", "reason", "cost", "trust")
    for place in (0, 3, 4):
        table.columns[place].no_wrap = True
    for event in history:
        table.add_row(moment(event.at), event_text(event), printable(event.reason), *cost_texts(event))
    return table


def event_text(event: DeviceEvent) -> str:
    """Return what happened, with the check that found it where one did."""
    return f"{event.kind} ({event.failed_check})" if event.failed_check else str(event.kind)


def cost_texts(event: DeviceEvent) -> tuple[str, str]:
    """Return the share of its trust that an event took, and what was left; nothing where none was touched."""
    cost = "" if event.cost is None else f"{100 * event.cost:.0f} %"
    return cost, "" if event.trust is None else f"{event.trust:.2f}"


def _gib(size: int | None) -> str | None:
    return f"{size / _GIB:.1f} GiB" if size else None
