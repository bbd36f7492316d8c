"""Which devices hold tasks and do nothing: pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any


def held_by(channels: Iterable[Mapping[str, Any]], users: Iterable[str]) -> dict[str, set[str]]:
    """Return, for each of these users that holds messages unacknowledged, on which connections it does.

    Args:
        channels: as :meth:`broker_config.management.Management.channels` returns them.
        users: the devices.
    """
    devices = set(users)
    held: dict[str, set[str]] = {}
    for channel in channels:
        details = channel.get("connection_details")  # of a channel that is new it has none yet
        if details and channel.get("user") in devices and channel.get("messages_unacknowledged", 0):
            held.setdefault(channel["user"], set()).add(details["name"])
    return held


def holding_since(before: Mapping[str, datetime], holding: Iterable[str], now: datetime) -> dict[str, datetime]:
    """Return since when each device has held something at every look."""
    return {device: before.get(device, now) for device in holding}


def suspects(since: Mapping[str, datetime], seconds: float, now: datetime) -> list[str]:
    """Return the devices that have held something for so long."""
    return sorted(device for device, at in since.items() if at + timedelta(seconds=seconds) < now)
