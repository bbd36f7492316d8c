"""Tells Flower of devices and tasks, on behalf of devices, which may send no events themselves.

All of it is what the platform knows: the ledger, the registry, and who is connected. It is for looking at and nothing
depends on it, so under load it leaves out rather than keep the recorder waiting.
"""

import json
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import TimeoutError as TooLate
from typing import Protocol

import pika
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from broker_config import names
from broker_config.address import user_of, vhost_of
from broker_config.link import Link
from broker_config.management import Management
from broker_config.publication import Publication
from registry.database import reading
from registry.device_state import DeviceState
from registry.fleet import slots_of, tasks_of
from registry.ledger_rows import AttemptRow, Key, TaskRow
from registry.tables import Device
from starai.errors import BrokerError, RegistryError
from tasks.celery_event import Event, Told, task_events
from tasks.presence import INTERVAL, Presence, Seen, held_by_users

log = logging.getLogger(__name__)

# Tasks that wait to be told. Beyond half of it only those that ended are taken.
_QUEUE = 4_000
# Tasks told at once, and the seconds between: at most 400 a second, which cost some 15 ms of a processor here.
_BATCH = 100
_PAUSE = 0.25
# Tasks of which is known what was told.
_REMEMBERED = 20_000
_CONFIRMED_WITHIN = 10.0


class Recorded(Protocol):
    """What the recorder has just committed."""

    @property
    def tasks(self) -> Collection[TaskRow]:
        """The tasks that changed, as they are now."""

    @property
    def attempts(self) -> Collection[AttemptRow]:
        """The attempts that changed; each was checked to be of a device that was given the task."""


class DeviceEvents:
    """Publishes Celery's events on a link of its own.

    Args:
        url: the broker's address, as the platform's user.
        engine: the registry's.
        api: the broker's management API; without it no device's presence is told.
    """

    def __init__(self, url: str, engine: Engine, api: Management | None) -> None:
        self._user, self._vhost = user_of(url), vhost_of(url)
        self._engine = engine
        self._api = api
        self._link = Link(url, "platform events")
        self._waiting: deque[tuple[TaskRow, list[AttemptRow]]] = deque()
        self._told: OrderedDict[Key, Told] = OrderedDict()
        self._dropped = 0
        self._enrolled: frozenset[str] = frozenset()
        self._looked = 0.0
        self._presence = Presence()
        self._closing = threading.Event()
        loops = [(self._tell_tasks, _PAUSE), *([(self._tell_presence, INTERVAL)] if api else [])]
        self._threads = [
            threading.Thread(target=self._repeat, args=loop, name=loop[0].__name__, daemon=True) for loop in loops
        ]

    def open(self, timeout: float = 10.0) -> None:
        """Connect and begin to tell.

        Raises:
            BrokerUnreachable, BrokerRefused: the broker could not be reached, or refused.
        """
        self._link.open(timeout)
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Tell no more."""
        self._closing.set()
        self._link.close(1.0)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(_CONFIRMED_WITHIN)

    def on_recorded(self, changes: Recorded) -> None:
        """Take what was recorded, to be told soon. Never waits: what is too much is left out and counted."""
        attempts: dict[Key, list[AttemptRow]] = {}
        for attempt in changes.attempts:
            attempts.setdefault((attempt.submitter, attempt.task), []).append(attempt)
        for task in changes.tasks:
            room = _QUEUE // 2 if task.is_open else _QUEUE
            if len(self._waiting) < room:
                self._waiting.append((task, attempts.get(task.key, [])))
            else:
                self._dropped += 1

    def _repeat(self, step: Callable[[], None], pause: float) -> None:
        while not self._closing.wait(pause):
            try:
                step()
            except (BrokerError, RegistryError, TooLate) as error:
                log.warning("events.failed", extra={"reason": str(error) or type(error).__name__})
            except Exception:  # this thread must go on; nobody else would see why it did not
                log.exception("events.crashed")

    def _tell_tasks(self) -> None:
        events: list[Event] = []
        for _ in range(min(len(self._waiting), _BATCH)):
            task, attempts = self._waiting.popleft()
            events += self._news(task, [attempt for attempt in attempts if self._may_be_named(attempt.device)])
        self._publish("task.multi", events)
        if self._dropped:
            log.warning("events.dropped", extra={"tasks": self._dropped})
            self._dropped = 0

    def _news(self, task: TaskRow, attempts: Iterable[AttemptRow]) -> list[Event]:
        events, self._told[task.key] = task_events(self._told.pop(task.key, Told()), task, attempts)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        return [event for event in events if self._may_be_named(event["hostname"])]

    def _may_be_named(self, device: str) -> bool:
        """Tell whether it is the platform or an enrolled device: any other name would be one more worker to Flower."""
        if device == names.PLATFORM or device in self._enrolled:
            return True
        if time.monotonic() - self._looked > 1.0:
            self._looked = time.monotonic()
            with reading(self._engine) as registry:
                self._enrolled = frozenset(registry.exec(select(Device.id)))
        return device in self._enrolled

    def _tell_presence(self) -> None:
        assert self._api is not None  # noqa: S101
        held = held_by_users(self._api, self._vhost)
        with reading(self._engine) as registry:
            seen = Seen(_serving(registry), held, tasks_of(registry))
        self._publish("worker.multi", self._presence.events(seen))

    def _publish(self, key: str, events: list[Event]) -> None:
        """Send events as one message, which Celery's own workers do too, and wait until the broker has it."""
        if not events:
            return
        properties = pika.BasicProperties(
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=pika.DeliveryMode.Transient.value,
            user_id=self._user,
        )
        body = json.dumps(events).encode()
        message = Publication(names.EVENTS, key, body, properties)
        try:
            self._link.publish(message).result(_CONFIRMED_WITHIN)
        except TooLate:
            message.confirmed.cancel()
            raise


def _serving(registry: Session) -> dict[str, int]:
    """Return the active devices with their slots."""
    active = registry.exec(select(Device.id).where(col(Device.state) == DeviceState.ACTIVE))
    slots = slots_of(registry)
    return {device: slots.get(device, 0) for device in active}
