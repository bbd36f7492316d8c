"""The topology of the network at RabbitMQ, as frozen data. Nothing here talks to a broker.

What stands is fixed but for one thing: the task queues of a model exist, in every region, while some enrolled
device hosts that model.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from broker_config import names
from broker_config.regions import Region
from broker_config.tiers import Tier


class QueueType(StrEnum):
    """RabbitMQ's two kinds of durable queue: replicated, or on one node."""

    QUORUM = "quorum"
    CLASSIC = "classic"


@dataclass(frozen=True)
class Limits:
    """How much may wait.

    Attributes:
        queue_length: messages that a queue holds before it refuses more.
        deliveries: returns of a task after which a quorum queue takes it for poison (RabbitMQ 4's default).
        order_ttl: milliseconds after which an order to a device that nobody fetched is void.
    """

    queue_length: int = 100_000
    deliveries: int = 20
    order_ttl: int = 60_000


@dataclass(frozen=True)
class Exchange:
    """A durable exchange."""

    name: str
    type: str
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Queue:
    """A durable queue."""

    name: str
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Binding:
    """From an exchange to a queue, or to another exchange."""

    source: str
    destination: str
    key: str = ""
    to_exchange: bool = False


@dataclass(frozen=True)
class Topology:
    """Exchanges, queues and bindings, in the order in which they can be declared."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]

    def __add__(self, other: "Topology") -> "Topology":
        return Topology(self.exchanges + other.exchanges, self.queues + other.queues, self.bindings + other.bindings)


@dataclass(frozen=True)
class HostedModel:
    """A model that some enrolled device hosts, as far as queues care."""

    name: str
    tier: Tier
    is_default: bool = False


EXCHANGES = (
    Exchange(names.SUBMISSIONS, "topic"),
    Exchange(names.INFERENCE, "topic", MappingProxyType({"alternate-exchange": names.UNPLACED})),
    Exchange(names.RESULTS, "topic"),
    Exchange(names.DEVICES, "direct"),
    Exchange(names.REPORTS, "topic"),
    Exchange(names.REQUESTS, "topic"),
    Exchange(names.ENROLMENT, "direct"),
    Exchange(names.UNPLACED, "fanout"),
    Exchange(names.FAILED, "fanout"),
    Exchange(names.PLATFORM, "direct"),
    Exchange(names.EVENTS, "topic"),
)

# What devices ask of the platform, each with the key under which it is answered.
_QUESTIONS = ("rotation", "clearance", "cancellations", "hello", "goodbye", "standing")
# What the platform reads: queue, the exchange it is bound to, the key.
_PLATFORM_QUEUES = (
    (names.REQUESTS_QUEUE, names.REQUESTS, "job.*"),
    (names.ENROLMENT, names.ENROLMENT, "join"),
    (names.UNPLACED, names.UNPLACED, ""),
    (names.FAILED, names.FAILED, ""),
)
# RabbitMQ 4 takes a message that came back 20 times for poison unless it is told otherwise; what the recorder reads has
# no other reader, and that one may be restarted often.
_NEVER_POISON = 1_000_000
# Answers to probes are void when their cycle is over. Classic whatever the setting: nothing of it has to last.
_HEALTH = MappingProxyType({"x-queue-type": "classic", "x-message-ttl": 60_000, "x-overflow": "reject-publish"})
# Every state of a task that is kept, after the reply address: not the pieces of a result that is still being made.
_KEPT_STATES = ("started", "progress", "requeued", "succeeded", "failed", "expired", "cancelled")
# Without a length limit, because a copy that it refused would refuse the task as well. A quorum queue whatever the
# setting: results are transient, so a classic one would lose them with the broker.
_LEDGER_QUEUE = Queue(names.LEDGER, MappingProxyType({"x-queue-type": "quorum", "x-delivery-limit": _NEVER_POISON}))
# Celery's own queue is classic whatever the setting: for a quorum queue stock Celery declares 28 more queues.
_CELERY_QUEUE = Queue(names.PLATFORM, MappingProxyType({"x-queue-type": "classic"}))


def network_topology(kind: QueueType = QueueType.QUORUM, limits: Limits = Limits()) -> Topology:
    """Return what every network has, whatever models it hosts."""
    bounded = {"x-queue-type": str(kind), "x-max-length": limits.queue_length, "x-overflow": "reject-publish"}
    if kind is QueueType.QUORUM:
        bounded |= {"x-delivery-limit": _NEVER_POISON}
    health = Queue(names.HEALTH_QUEUE, MappingProxyType({**_HEALTH, "x-max-length": limits.queue_length}))
    answered = dict.fromkeys([names.REPORTS, *(queue for queue, _, _ in _PLATFORM_QUEUES)])
    return Topology(
        EXCHANGES,
        (_CELERY_QUEUE, _LEDGER_QUEUE, health, *(Queue(queue, MappingProxyType(bounded)) for queue in answered)),
        (
            Binding(names.SUBMISSIONS, names.INFERENCE, "#", to_exchange=True),
            Binding(names.PLATFORM, names.PLATFORM, names.PLATFORM),
            Binding(names.SUBMISSIONS, names.LEDGER, "#"),
            *(Binding(names.RESULTS, names.LEDGER, f"reply.*.{state}") for state in _KEPT_STATES),
            Binding(names.REPORTS, names.HEALTH_QUEUE, "health"),
            *(Binding(names.REPORTS, names.REPORTS, key) for key in _QUESTIONS),
            *(Binding(exchange, queue, key) for queue, exchange, key in _PLATFORM_QUEUES),
        ),
    )


def model_topology(model: HostedModel, kind: QueueType = QueueType.QUORUM, limits: Limits = Limits()) -> Topology:
    """Return the task queues of one hosted model: one a region, bound to the model's keys.

    A tier's default model is bound to the tier's key as well.
    """
    arguments = MappingProxyType(_task_queue_arguments(kind, limits))
    targets = (names.wire_name(model.name), *((str(model.tier),) if model.is_default else ()))
    queues = {region: names.task_queue(region, model.tier, model.name) for region in Region}
    return Topology(
        (),
        tuple(Queue(queue, arguments) for queue in queues.values()),
        tuple(
            Binding(names.INFERENCE, queue, names.submission_key(region, target))
            for region, queue in queues.items()
            for target in targets
        ),
    )


def topology(models: Iterable[HostedModel], kind: QueueType = QueueType.QUORUM, limits: Limits = Limits()) -> Topology:
    """Return the whole topology of a network that hosts these models."""
    whole = network_topology(kind, limits)
    for model in models:
        whole += model_topology(model, kind, limits)
    return whole


def device_topology(device: str, limits: Limits = Limits()) -> Topology:
    """Return one device's control queue: short, and what nobody fetches expires."""
    queue = names.device_queue(device)
    arguments = {"x-queue-type": "classic", "x-max-length": 100, "x-message-ttl": limits.order_ttl}
    return Topology((), (Queue(queue, MappingProxyType(arguments)),), (Binding(names.DEVICES, queue, device),))


def _task_queue_arguments(kind: QueueType, limits: Limits) -> dict[str, object]:
    common: dict[str, object] = {
        "x-queue-type": str(kind),
        "x-max-length": limits.queue_length,
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": names.FAILED,
    }
    if kind is QueueType.CLASSIC:
        return common
    # At-least-once needs reject-publish; without it a dead letter can be lost between two queues.
    return common | {"x-delivery-limit": limits.deliveries, "x-dead-letter-strategy": "at-least-once"}
