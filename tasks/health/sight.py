"""What one look at the broker shows of devices, and what stood there from one look to the next. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from broker_config import names
from broker_config.audit import Allowance, Finding, audit
from broker_config.regions import Region
from broker_config.sample import Sample
from tasks.health.workload import Claim, Seen, Stood, within_band

#: Seconds by which the figures of a look are old at most: the broker counts every five, and keeps an answer as long.
FIGURES = 10.0
#: Seconds for which a connection still counts that a network failure killed. The broker ends it when two heartbeats of
#: 10 s in a row brought nothing: 20 to 30 s after the last byte, by AMQP as by STOMP.
DEAD = 31.0
#: The most slots of a device whose priorities are compared with its load: a longer ladder is renewed too slowly.
FEW_SLOTS = 20

# Looks that show what stood.
_LOOKS = 3


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel: messages that it holds, and how many it was ever given or acknowledged; ``None``: nobody counts."""

    held: int
    moved: int | None


@dataclass(frozen=True, slots=True)
class Consumer:
    """A consumer of a task queue. Its priority never changes: a device opens another, with another tag.

    One over STOMP has the priority 0 on RabbitMQ 3.10, whatever its device asked for.
    """

    queue: str
    priority: int


@dataclass(frozen=True)
class Sight:
    """What one look shows of one device: channels by their names, consumers by their tags, what the audit finds."""

    channels: Mapping[str, Channel] = field(default_factory=dict)
    consumers: Mapping[str, Consumer] = field(default_factory=dict)
    connections: int = 0
    findings: frozenset[Finding] = frozenset()

    @property
    def held(self) -> int:
        """Messages that it has taken and not acknowledged."""
        return sum(channel.held for channel in self.channels.values())


@dataclass(frozen=True)
class Look:
    """One look: when it began, in seconds of a clock that never goes back, and each device's sight."""

    at: float
    sights: Mapping[str, Sight]


@dataclass(frozen=True)
class Claims:
    """What devices said in one cycle: after one moment and before another, on the same clock."""

    after: float
    before: float
    of: Mapping[str, Claim]


def sights_of(sample: Sample, allowed: Mapping[str, Allowance]) -> dict[str, Sight]:
    """Return what is to be seen of the devices that are allowed something; others are no concern."""
    channels, consumers = _channels(sample.channels), _consumers(sample.consumers)
    findings: defaultdict[str, set[Finding]] = defaultdict(set)
    for finding in audit(sample.consumers, sample.channels, allowed):
        findings[finding.device].add(finding)
    return {
        device: Sight(
            {name: channel for name, (_, channel) in channels[device].items()},
            consumers[device],
            len({connection for connection, _ in channels[device].values()}),
            frozenset(findings[device]),
        )
        for device in {*channels, *consumers} & allowed.keys()
    }


def seen_of(device: str, looks: Sequence[Look], claims: Claims | None, home: Region | None, slots: int) -> Seen:
    """Return what is seen of a device that is in the last of these looks.

    Args:
        device: its id.
        looks: those of the same part of the network that followed each other, three at most.
        claims: what devices said between the last look but one and the last, where they were heard.
        home: the region of a device with one model; ``None`` where its priorities are not compared.
        slots: how many tasks it runs at once.
    """
    now = looks[-1].sights[device]
    before = looks[-2].sights.get(device) if len(looks) > 1 else None
    return Seen(
        now.connections,
        len(now.consumers),
        now.held,
        _found_twice(now, before) if before else (),
        _stood(device, looks, claims, home if slots <= FEW_SLOTS else None),
    )


def _found_twice(now: Sight, before: Sight) -> tuple[Finding, ...]:
    """Return what both show, as the later one tells it."""
    return tuple(sorted((one for one in now.findings if one in before.findings), key=lambda one: one.kind))


def _stood(device: str, looks: Sequence[Look], claims: Claims | None, home: Region | None) -> Stood | None:
    sights = [look.sights[device] for look in looks if device in look.sights]
    if len(sights) < _LOOKS or claims is None or device not in claims.of or not _encloses(looks, claims):
        return None
    consumers = _standing_consumers(sights)
    prices = [within_band(one.priority) for one in consumers if home and one.queue.startswith(_queues_of(home))]
    return Stood(
        claims.of[device],
        _standing_messages(sights),
        len(consumers),
        home,
        tuple(sorted(prices, reverse=True)),
        max(sight.held for sight in sights),
    )


def _encloses(looks: Sequence[Look], claims: Claims) -> bool:
    """Tell whether what three looks show alike was so when the claims were made, however old their figures are.

    The first look is from before the claims. The figures of the last are from after them, even where the connection
    that they tell of had died by then. Those of the one between are from after the first look.
    """
    first, middle, last = looks
    return first.at <= claims.after and claims.before <= last.at - FIGURES - DEAD and first.at <= middle.at - FIGURES


def _standing_messages(sights: Sequence[Sight]) -> int:
    """Return how many messages were held all the time, by channels that were given none and acknowledged none."""
    first, *later = (sight.channels for sight in sights)
    return sum(
        min(channel.held, *(others[name].held for others in later))
        for name, channel in first.items()
        if channel.moved is not None and all(name in o and o[name].moved == channel.moved for o in later)
    )


def _standing_consumers(sights: Sequence[Sight]) -> list[Consumer]:
    first, *later = (sight.consumers for sight in sights)
    return [consumer for tag, consumer in first.items() if all(others.get(tag) == consumer for others in later)]


def _queues_of(region: Region) -> str:
    return f"{names.INFERENCE}.{region}."


def _channels(channels: Iterable[Mapping[str, Any]]) -> defaultdict[str, dict[str, tuple[str | None, Channel]]]:
    """Return each user's channels by their names, each with its connection's name if it has told it yet."""
    found: defaultdict[str, dict[str, tuple[str | None, Channel]]] = defaultdict(dict)
    for channel in channels:
        connection = (channel.get("connection_details") or {}).get("name")
        one = Channel(channel.get("messages_unacknowledged", 0), _moved(channel.get("message_stats") or {}))
        found[channel["user"]][channel.get("name", "")] = connection, one
    return found


def _moved(statistics: Mapping[str, Any]) -> int | None:
    return statistics["deliver_get"] + statistics.get("ack", 0) if "deliver_get" in statistics else None


def _consumers(consumers: Iterable[Mapping[str, Any]]) -> defaultdict[str, dict[str, Consumer]]:
    """Return each user's consumers of task queues by their tags, which each device chooses, and their channels."""
    found: defaultdict[str, dict[str, Consumer]] = defaultdict(dict)
    for consumer in consumers:
        queue, details = consumer["queue"]["name"], consumer.get("channel_details") or {}
        if queue.startswith(f"{names.INFERENCE}."):
            price = (consumer.get("arguments") or {}).get("x-priority", 0)
            tag = f"{details.get('name', '')} {consumer.get('consumer_tag', '')}"
            found[details.get("user", "")][tag] = Consumer(queue, price)
    return found
