"""The audit: where a device does at the broker what it should not, and RabbitMQ cannot prevent. No I/O.

A consumer's priority and prefetch are its device's own claim, and so is that it acknowledges what it takes: RabbitMQ
has no limit for them. The management API shows them to the platform. Its figures are up to five seconds old, and of a
connection that a network failure killed they tell until its heartbeats are missed: a single look is no proof, and
what :func:`audit` finds counts when the next look finds it again. Findings can be intersected for that.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from broker_config import names
from broker_config.priority import GOOD_STANDING
from broker_config.roles import device_role

_HIGHEST = 2 * GOOD_STANDING - 1


class Kind(StrEnum):
    """What a device does wrong."""

    FOREIGN_QUEUE = "reads a queue that is not its own"
    PRIORITY = "claims a priority that it does not have"
    PREFETCH = "asks for more at once than a rung holds"
    ARGUMENT = "consumes with an argument that it has no business with"
    EXCLUSIVE = "keeps others from a queue"
    AUTOMATIC = "takes tasks without acknowledging them"
    HOARD = "holds more than it can have begun"
    CONNECTIONS = "has more connections than it needs"
    CHANNELS = "has more channels than it needs"


@dataclass(frozen=True)
class Allowance:
    """What one device may show at the broker.

    Attributes:
        queues: its task queues; none while it is inactive.
        slots: how many tasks it runs at once, over all its models.
        sound: whether it is in good standing, and may claim a priority of the upper band.
        prefetch: how many tasks one of its consumers may hold.
    """

    queues: frozenset[str]
    slots: int
    sound: bool = True
    prefetch: int = 1

    @property
    def held(self) -> int:
        """How many messages it may hold: a task a slot, one more for each rung at home, one for each queue."""
        return self.prefetch * (2 * self.slots + len(self.queues))


@dataclass(frozen=True)
class Finding:
    """One kind of wrong that one device did; two looks that show the same are equal, whatever the detail."""

    device: str
    kind: Kind
    detail: str = field(default="", compare=False)


def audit(
    consumers: Iterable[Mapping[str, Any]],
    channels: Iterable[Mapping[str, Any]],
    allowed: Mapping[str, Allowance],
) -> list[Finding]:
    """Return what devices do wrong, once for each kind, in the order of the devices.

    What is seen may be a part of what there is: sums over a part only come out too small.

    Args:
        consumers: as the management API lists them, for a virtual host or for some of its queues.
        channels: as :meth:`broker_config.management.Management.channels` returns them, one page or several.
        allowed: the devices, by the names of their users; other users are no concern of the audit.
    """
    found: dict[Finding, None] = {}
    for consumer in consumers:
        device = (consumer.get("channel_details") or {}).get("user", "")
        if device in allowed:
            found |= dict.fromkeys(_of_consumer(device, consumer, allowed[device]))
    for device, theirs in _by_user(channels).items():
        if device in allowed:
            found |= dict.fromkeys(_of_channels(device, theirs, allowed[device]))
    return sorted(found, key=lambda finding: finding.device)


def _of_consumer(device: str, consumer: Mapping[str, Any], allowance: Allowance) -> Iterator[Finding]:
    queue, arguments = consumer["queue"]["name"], consumer.get("arguments") or {}
    if queue == names.device_queue(device):
        return  # nobody else reads it
    if queue not in allowance.queues:
        yield Finding(device, Kind.FOREIGN_QUEUE, queue)
    priority = arguments.get("x-priority", 0)
    if not 0 <= priority <= (_HIGHEST if allowance.sound else GOOD_STANDING - 1):
        yield Finding(device, Kind.PRIORITY, f"{priority} on {queue}")
    if not 1 <= consumer["prefetch_count"] <= allowance.prefetch:
        yield Finding(device, Kind.PREFETCH, f"{consumer['prefetch_count'] or 'no limit'} on {queue}")
    if others := set(arguments) - {"x-priority"}:
        yield Finding(device, Kind.ARGUMENT, ", ".join(sorted(others)))
    if consumer.get("exclusive"):
        yield Finding(device, Kind.EXCLUSIVE, queue)
    if not consumer["ack_required"]:
        yield Finding(device, Kind.AUTOMATIC, queue)


def _of_channels(device: str, channels: list[Mapping[str, Any]], allowance: Allowance) -> Iterator[Finding]:
    """A device acknowledges everything, its orders too, so that one that does not is seen here when it has gone on."""
    held = sum(channel.get("messages_unacknowledged", 0) for channel in channels)
    if held > allowance.held:
        yield Finding(device, Kind.HOARD, f"{held} messages, may hold {allowance.held}")
    if taken := sum(_automatic(channel) for channel in channels):
        yield Finding(device, Kind.AUTOMATIC, f"{taken} messages")
    role = device_role(device, ())
    # Of a channel that is new it has no details yet, and says so by an empty list.
    connections = Counter(details["name"] for channel in channels if (details := channel.get("connection_details")))
    if len(connections) > role.connections:
        yield Finding(device, Kind.CONNECTIONS, str(len(connections)))
    if len(channels) > role.channels:
        yield Finding(device, Kind.CHANNELS, str(len(channels)))


def _automatic(channel: Mapping[str, Any]) -> int:
    statistics = channel.get("message_stats") or {}  # an empty one is a list
    return sum(statistics.get(figure, 0) for figure in ("get_no_ack", "deliver_no_ack"))


def _by_user(channels: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    users: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for channel in channels:
        users[channel["user"]].append(channel)
    return users
