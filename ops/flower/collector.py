"""The network's own metrics, beside Flower's: read when they are asked for, at most once in some seconds."""

import copy
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from broker_config import names
from ops.flower.sight import Sight
from registry.columns import now
from registry.database import reading
from registry.device_state import DeviceState
from registry.health_metrics import HealthFigures, health_figures
from registry.metrics import OTHER, Ended, devices_by_state, ended_between
from registry.standing_rule import StandingSettings
from registry.task_state import OPEN, TaskState
from starai.errors import BrokerError, RegistryError
from starai.wire import Reason

log = logging.getLogger(__name__)

#: Bounds of ``starai_time_to_result_seconds``, in seconds.
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0)
# Counting begins so long before the first look.
_HISTORY = timedelta(hours=1)
# A task's end is written down some moments after the time that it bears; later than this it would be missed.
_SETTLED = timedelta(seconds=10)
_FRESH_SECONDS = 5.0
_LONGEST_SECONDS = 8.0
_QUEUE_WORDS = 4


@dataclass(frozen=True)
class Reading:
    """What was found at one look.

    Attributes:
        queues: as the management API tells of them.
        ended: of all tasks since counting began.
    """

    queues: list[dict[str, Any]]
    devices: Mapping[DeviceState, int]
    health: HealthFigures
    ended: Ended


class NetworkCollector(Collector):
    """Collects the network's metrics. Whatever fails, there is a page: with ``starai_up`` 0 and nothing else of ours.

    Args:
        sight: what to look at.
        settled: how long after its end a task is counted, when it surely has been written down.
    """

    def __init__(self, sight: Sight, settled: timedelta = _SETTLED) -> None:
        self._sight = sight
        self._settled = settled
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "metrics")
        self._look: Future[Reading] | None = None
        self._looked = 0.0
        self._ended = Ended()
        self._until = now() - _HISTORY

    def describe(self) -> list[Metric]:
        """Name no metrics beforehand, for which the network would have to be looked at."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Return the metrics, in bounded time."""
        found = self._reading()
        yield GaugeMetricFamily("starai_up", "Whether the registry and the broker could be read.", float(bool(found)))
        if found:
            yield from _metrics(found)

    def _reading(self) -> Reading | None:
        try:
            return self._fresh_look().result(_LONGEST_SECONDS)
        except (BrokerError, RegistryError, TooLate) as error:
            log.warning("metrics.failed", extra={"reason": str(error) or type(error).__name__})
            return None

    def _fresh_look(self) -> "Future[Reading]":
        """Return a look that is under way or some seconds old at most."""
        with self._lock:
            old = time.monotonic() - self._looked > _FRESH_SECONDS
            if self._look is None or (self._look.done() and old):
                self._look = self._thread.submit(self._read)
                self._looked = time.monotonic()
            return self._look

    def _read(self) -> Reading:
        queues = self._sight.management.queues(self._sight.vhost)
        until = now() - self._settled
        with reading(self._sight.engine) as registry:
            devices = devices_by_state(registry)
            health = health_figures(registry, now(), StandingSettings())
            later = ended_between(registry, self._until, until, BOUNDS)
        self._count(later, until)
        return Reading(queues, devices, health, copy.deepcopy(self._ended))

    def _count(self, later: Ended, until: datetime) -> None:
        self._ended += later
        self._until = max(self._until, until)


def _metrics(found: Reading) -> Iterator[Metric]:
    yield _queues(found.queues)
    ledger = GaugeMetricFamily("starai_ledger_queue_messages", "Messages that the recorder has not written down yet.")
    ledger.add_metric([], next((_depth(queue) for queue in found.queues if queue["name"] == names.LEDGER), 0))
    yield ledger
    devices = GaugeMetricFamily("starai_devices", "Enrolled devices.", labels=["state"])
    for state, count in found.devices.items():
        devices.add_metric([state], count)
    yield devices
    yield from _health(found.health)
    yield from _tasks(found.ended)


def _queues(queues: list[dict[str, Any]]) -> Metric:
    labels = ["region", "tier", "model", "state"]
    metric = GaugeMetricFamily("starai_queue_messages", "Messages in a task queue.", labels=labels)
    for queue in queues:
        # Only the platform may declare queues of such names, so these labels are of its choice.
        words = str(queue["name"]).split(".")
        if words[0] == names.INFERENCE and len(words) == _QUEUE_WORDS:
            metric.add_metric([*words[1:], "ready"], queue.get("messages_ready", 0))
            metric.add_metric([*words[1:], "unacked"], queue.get("messages_unacknowledged", 0))
    return metric


def _health(found: HealthFigures) -> Iterator[Metric]:
    checked = GaugeMetricFamily(
        "starai_devices_checked", "Devices by how their last check came out.", labels=["condition"]
    )
    for condition, count in found.conditions.items():
        checked.add_metric([condition], count)
    yield checked
    below = GaugeMetricFamily("starai_devices_trusted_below", "Devices trusted less than that.", labels=["threshold"])
    for threshold, count in found.below.items():
        below.add_metric([threshold], count)
    yield below
    age = GaugeMetricFamily("starai_health_cycle_age_seconds", "Since the last health cycle began that has ended.")
    if found.cycle_age is not None:
        age.add_metric([], found.cycle_age)
    yield age
    about = "Whether the last health cycle was an outage of the network's own, in which nothing counts."
    yield GaugeMetricFamily("starai_health_outage", about, float(found.outage))


def _tasks(ended: Ended) -> Iterator[Metric]:
    tasks = CounterMetricFamily("starai_tasks", "Tasks that ended.", labels=["state"])
    for state in TaskState:
        if state not in OPEN:
            tasks.add_metric([state], ended.tasks[state])
    yield tasks
    failed = CounterMetricFamily("starai_tasks_failed", "Tasks that failed.", labels=["reason"])
    for reason in (*Reason, OTHER):
        failed.add_metric([reason], ended.failed[reason])
    yield failed
    moved = CounterMetricFamily("starai_reallocations", "Tasks given to another device, once ended.", labels=["kind"])
    moved.add_metric(["lost"], ended.lost)
    moved.add_metric(["republished"], ended.republished)
    yield moved
    within = list(zip([*map(str, BOUNDS), "+Inf"], ended.answered, strict=True))
    about = "From a task's submission to its result, as the platform saw them."
    yield HistogramMetricFamily("starai_time_to_result_seconds", about, buckets=within, sum_value=ended.seconds)


def _depth(queue: dict[str, Any]) -> int:
    return int(queue.get("messages_ready", 0)) + int(queue.get("messages_unacknowledged", 0))
