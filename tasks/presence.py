"""Who is connected and how much each holds, as the broker sees it; and what Flower is told of devices by that."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from broker_config.management import Management
from broker_config.names import PLATFORM
from tasks.celery_event import Event, device_event

#: Seconds between two looks.
INTERVAL = 5.0
# What Flower is told: the seconds after which it is to expect the next heartbeat. It takes a device for offline after
# twice that. More than the interval, because a look may fail.
_FREQUENCY = 10


def held_by_users(api: Management, vhost: str) -> dict[str, int]:
    """Return how many messages each connected user holds unacknowledged; the broker renews that every five seconds.

    Raises:
        BrokerError: the management API could not be reached, or refused.
    """
    held: dict[str, int] = {}
    for page in range(1, api.channel_pages() + 1):
        for channel in api.channels(vhost, page):
            if user := channel.get("user"):  # of a new channel it is not known yet
                held[user] = held.get(user, 0) + int(channel.get("messages_unacknowledged") or 0)
    return held


@dataclass(frozen=True)
class Seen:
    """What is known of the devices at one moment.

    Attributes:
        serving: those that are enrolled and active, with their slots. Of nobody else anything is told.
        held: what each connected user holds.
        processed: how many tasks each device ended.
    """

    serving: Mapping[str, int]
    held: Mapping[str, int]
    processed: Mapping[str, int]

    def busy(self, device: str) -> int:
        """Return how many of its slots a device uses; for a moment it may hold more, which it gives back."""
        return min(self.held.get(device, 0), self.serving.get(device, 0))


class Presence:
    """Makes events of who is there: what it remembers is who was told to be online, and how busy they were."""

    def __init__(self) -> None:
        self._loads: dict[str, _Load] = {}

    def events(self, seen: Seen) -> list[Event]:
        """Return what is to be told of the devices, and of the platform itself, now."""
        present = {device for device in seen.serving if device in seen.held} | {PLATFORM}
        left, new = sorted(self._loads.keys() - present), sorted(present - self._loads.keys())
        self._loads = {device: _averaged(self._loads.get(device), _load(device, seen)) for device in sorted(present)}
        return [
            *(device_event("worker-offline", device, freq=_FREQUENCY, active=0) for device in left),
            *(device_event("worker-online", device, freq=_FREQUENCY) for device in new),
            *(self._heartbeat(device, seen) for device in self._loads),
        ]

    def _heartbeat(self, device: str, seen: Seen) -> Event:
        fields: dict[str, object] = {}
        if device in seen.serving:
            loads = [round(load, 2) for load in self._loads[device]]
            fields = {"active": seen.busy(device), "processed": seen.processed.get(device, 0), "loadavg": loads}
        return device_event("worker-heartbeat", device, freq=_FREQUENCY, **fields)


# Averages over a minute, five and fifteen, as of a system's load.
_Load = tuple[float, float, float]


def _load(device: str, seen: Seen) -> float:
    """Return which share of its slots a device uses: its processor's load only itself could tell."""
    return seen.busy(device) / seen.serving[device] if seen.serving.get(device) else 0.0


def _averaged(before: _Load | None, load: float) -> _Load:
    if before is None:
        return (load, load, load)
    one, five, fifteen = (
        old + (load - old) * (1 - math.exp(-INTERVAL / (60 * minutes)))
        for old, minutes in zip(before, (1, 5, 15), strict=True)
    )
    return (one, five, fifteen)
