"""Failures of devices: what each costs, written into the device's history and taken off its trust, in one."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from registry.devices import find_device
from registry.health_state import Check
from registry.health_tables import DeviceHealth
from registry.standing_rule import COSTS, LIE, Due, StandingSettings, after_failure, due, trust_now
from registry.tables import DeviceEvent, EventKind

_REASON_LENGTH = 500


def count_failure(
    session: Session,
    device: str,
    kind: EventKind,
    reason: str,
    at: datetime,
    *,
    settings: StandingSettings,
    cycle: int | None = None,
    check: Check | None = None,
    figures: Mapping[str, Any] | None = None,
    cost: float | None = None,
) -> Due:
    """Count a failure against a device; others that would change its standing wait until this transaction ends.

    What follows from it is left to others (``tasks/health/consequences.py``).

    Args:
        session: the transaction.
        device: whose failure it is.
        kind: which; one of :data:`registry.standing_rule.COSTS` unless ``cost`` is given.
        reason: a sentence for people; what is beyond 500 characters is cut.
        at: when it failed.
        settings: of the standing.
        cycle: the health cycle that found it, if one did.
        check: by which check.
        figures: what it was found by, as JSON can say it.
        cost: the share of its trust that it takes, where that is another than the kind's.

    Returns:
        What is due, given what is left of its trust.

    Raises:
        RegistryError: there is no such device.
    """
    owner = find_device(session, device).owner_id
    health = locked_health(session, device, at)
    taken = cost_of(kind, check) if cost is None else cost
    health.trust = after_failure(trust_now(health.trust, health.trusted_at, at, settings), taken)
    health.trusted_at = max(at, health.trusted_at)
    session.add(health)
    session.add(
        DeviceEvent(
            device_id=device,
            at=at,
            kind=kind,
            reason=reason[:_REASON_LENGTH],
            owner_id=owner,
            cycle=cycle,
            failed_check=check,
            figures=None if figures is None else json.dumps(dict(figures)),
            cost=taken,
            trust=health.trust,
        )
    )
    session.flush()
    return due(health.trust, settings)


def cost_of(kind: EventKind, check: Check | None = None) -> float:
    """Return the share of its trust that such a failure costs a device; a failed check of who it is shows a lie."""
    return LIE if kind is EventKind.CHECK_FAILED and check is Check.IDENTITY else COSTS[kind]


def locked_health(session: Session, device: str, at: datetime) -> DeviceHealth:
    """Return what is known of a device's health, made where nothing is yet, and locked until the transaction ends.

    Raises:
        RegistryError: there is no such device.
    """
    find_device(session, device)
    if session.get(DeviceHealth, device) is None:
        _make_health(session, device, at)
    return session.get_one(DeviceHealth, device, with_for_update=True, populate_existing=True)


def _make_health(session: Session, device: str, at: datetime) -> None:
    # Two may find none and make one at once. Neither may take turns by the device's own row: who has both rows locks
    # this one first.
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    new = DeviceHealth(device_id=device, trusted_at=at)
    session.execute(dialect.insert(DeviceHealth).values(**new.model_dump()).on_conflict_do_nothing())
