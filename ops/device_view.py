"""All that the registry knows of a device, as JSON and as a table."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.table import Table
from sqlmodel import Session, SQLModel

from ops.output import moment, printable
from registry.deployments import deployments_of
from registry.device_keys import current_key
from registry.devices import find_device
from registry.events import events_of
from registry.measurements import latest_measurement
from registry.tables import Deployment, Device, DeviceEvent, Measurement, Owner

_GIB = 2**30


@dataclass(frozen=True)
class DeviceView:
    """A device with everything that belongs to it.

    Attributes:
        keys_since: since when it has its present keys, if it has any.
        history: what happened to it, the oldest first.
    """

    device: Device
    owner: str
    keys_since: datetime | None
    measurement: Measurement | None
    deployments: tuple[Deployment, ...]
    history: tuple[DeviceEvent, ...]


def view_of(session: Session, device: str) -> DeviceView:
    """Return what the registry knows of the device.

    Raises:
        RegistryError: there is no such device.
    """
    found, key = find_device(session, device), current_key(session, device)
    return DeviceView(
        device=found,
        owner=session.get_one(Owner, found.owner_id).name,
        keys_since=key.since if key else None,
        measurement=latest_measurement(session, device),
        deployments=tuple(deployments_of(session, device)),
        history=tuple(events_of(session, device)),
    )


def device_data(device: Device, owner: str, deployments: tuple[Deployment, ...]) -> dict[str, Any]:
    """Return what lists tell of a device, for JSON."""
    return {
        "device": device.id,
        "name": device.name,
        "owner": owner,
        "region": device.region,
        "state": device.state,
        "models": [_columns(deployment, "device_id") for deployment in deployments],
        "enrolled_at": device.enrolled_at,
    }


def view_data(view: DeviceView) -> dict[str, Any]:
    """Return all of it, for JSON."""
    return {
        **device_data(view.device, view.owner, view.deployments),
        "hardware_id": view.device.hardware_id,
        "keys_since": view.keys_since,
        "measurement": _measurement_data(view.measurement) if view.measurement else None,
        "history": [_columns(event, "id", "device_id") for event in view.history],
    }


def view_table(view: DeviceView) -> Table:
    """Return all of it as a table for a person, but for the measurement's details."""
    table = Table(title=f"Device {view.device.id}", show_header=False, title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for section in (identity(view), measured(view.measurement), _hosted(view.deployments), _history(view.history)):
        for what, text in section:
            table.add_row(what, printable(text))
        table.add_section()
    return table


def models_text(deployments: tuple[Deployment, ...]) -> str:
    """Return the models that a device hosts with their slots, one a line."""
    return "\n".join(f"{d.model} ({d.slots} {'slot' if d.slots == 1 else 'slots'})" for d in deployments)


def _measurement_data(measurement: Measurement) -> dict[str, Any]:
    details = json.loads(measurement.details) if measurement.details else None
    return _columns(measurement, "id", "device_id", "details") | {"details": details}


def _columns(row: SQLModel, *but: str) -> dict[str, Any]:
    """Return a row's columns but for some, in their order; ``model_dump`` with a choice has them in any order."""
    return {name: getattr(row, name) for name in type(row).model_fields if name not in but}


_Rows = list[tuple[str, str]]


def identity(view: DeviceView) -> _Rows:
    """Return what a device is, as labels and texts."""
    device = view.device
    return [
        ("Name", device.name or "none given"),
        ("Owner", view.owner),
        ("Region", device.region),
        ("State", device.state),
        ("Enrolled", moment(device.enrolled_at)),
        ("Keys", f"since {moment(view.keys_since)}" if view.keys_since else "none: it did not join by a token"),
        ("Hardware", device.hardware_id or "not told"),
    ]


def measured(measurement: Measurement | None) -> _Rows:
    """Return what it measured last, but for the details, as labels and texts."""
    if measurement is None:
        return [("Measured", "never")]
    found = measurement
    gpu = [found.gpu_name, _gib(found.gpu_memory_bytes), f"driver {found.gpu_driver}" if found.gpu_driver else None]
    return [
        ("Measured", moment(found.at)),
        ("Processor", f"{found.cpu_model}: {found.physical_cores} cores, {found.threads} threads"),
        ("Memory", _gib(found.memory_bytes) or ""),
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


def _history(history: tuple[DeviceEvent, ...]) -> _Rows:
    return [(moment(event.at), f"{event.kind}: {event.reason}") for event in history] or [("History", "nothing yet")]


def _gib(size: int | None) -> str | None:
    return f"{size / _GIB:.1f} GiB" if size else None
