"""What the page `Fleet` lists, as plain data: every text in it may be a stranger's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops.attention import attention_of, band, state_text
from ops.times import ago
from registry.fleet import FleetDevice
from registry.health_view import HealthOverview
from registry.standing_rule import StandingSettings


@dataclass(frozen=True)
class Load:
    """How many of its slots a device uses, as the broker sees it; ``None`` where that is not known."""

    connected: bool | None
    busy: int | None
    slots: int


def load_of(device: str, slots: int, held: Mapping[str, int] | None) -> Load:
    """Return a device's load.

    Args:
        device: its id.
        slots: how many tasks it runs at once.
        held: what each connected user holds, or ``None`` while the broker does not say.
    """
    if held is None:
        return Load(None, None, slots)
    # Also an order that it has just got counts as held.
    return Load(device in held, min(held[device], slots) if device in held else None, slots)


def fleet_row(
    found: FleetDevice, held: Mapping[str, int] | None, seen: datetime | None, settings: StandingSettings
) -> dict[str, Any]:
    """Return what the table shows of a device, for JSON.

    Args:
        found: the device.
        settings: what follows from its trust.
        held: what each connected user holds, or ``None`` while the broker does not say.
        seen: when it was last known to be connected, if it was.
    """
    device, deployments = found.overview.device, found.overview.deployments
    load = load_of(device.id, found.slots, held)
    return {
        "device": device.id,
        "name": device.name or "",
        "owner": found.overview.owner,
        "region": device.region,
        "tiers": sorted({str(deployment.tier) for deployment in deployments}),
        "models": [deployment.model for deployment in deployments],
        "state": device.state,
        **_health(found.health, settings),
        "connected": load.connected,
        "busy": load.busy,
        "slots": load.slots,
        "done": found.done,
        "failed": found.failed,
        "seen": seen.timestamp() if seen else None,
    }


def _health(found: HealthOverview, settings: StandingSettings) -> dict[str, Any]:
    """Return how a device is, also in words: briefly why it takes no tasks, what is wrong with it, what follows."""
    health, attention = found.health, attention_of(found, settings)
    brief = state_text(found).removeprefix(found.device.state).lstrip(":, ")
    return {
        "trust": round(found.trust, 4),
        "band": band(health.sound),
        "condition": health.condition,
        "checked": ago(health.checked_at, found.at) if health.checked_at else "",
        "brief": brief,
        "what": attention.what if attention else "",
        "then": attention.then if attention else "",
    }
