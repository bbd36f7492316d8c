"""The recorder: writes down what the ledger's queue says, and what the queues gave up.

A batch is acknowledged when the database has it, so that a crash of anything in between has it recorded again, which
changes nothing.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pika
from pika.channel import Channel
from sqlalchemy import Engine

from broker_config import names
from broker_config.link import Link
from registry.database import migrate
from registry.ledger import make_durable
from registry.ledger_changes import Changes
from registry.ledger_entries import Entry
from starai.errors import StarAIError
from starai.wire import MAX_BODY
from tasks.inbox import Inbox
from tasks.ledger_message import Delivery, LedgerJunk, read_delivery
from tasks.ledger_writer import LedgerWriter, Stopped
from tasks.orphans import Orphans
from tasks.pace import Pace
from tasks.targets import Targets

log = logging.getLogger(__name__)

#: Messages that the broker sends ahead; a batch has no more.
PREFETCH = 5_000
_FAILED_PREFETCH = 100
#: Bytes that may wait to be recorded; the batch under way may hold as many again.
CAPACITY = 64 * 1024 * 1024
#: Seconds that more messages get to come after the first: much of what becomes of a task is then written at once.
GATHER = 0.05

#: Told what a batch changed, once it is in the database.
OnRecorded = Callable[[Changes], None]


class Recorder:
    """Reads the queues ``ledger`` and ``failed`` and records what they say, until it is closed.

    Args:
        url: the broker's address, for the platform's user.
        engine: the registry's; the recorder makes its transactions durable.
        targets: what tasks' targets mean; by default by the catalogue that is shipped.
        on_recorded: called on the recorder's thread after each batch; what it raises is logged.
    """

    def __init__(
        self, url: str, engine: Engine, targets: Targets | None = None, on_recorded: OnRecorded | None = None
    ) -> None:
        self._engine = engine
        self._targets = targets or Targets()
        self._on_recorded = on_recorded
        self._inbox = Inbox(CAPACITY)
        self._unsettled = self._behind = 0
        self._orphans = Orphans()
        self._pace = Pace()
        self._closing = threading.Event()
        self._ledger = LedgerWriter(engine, self._closing, self._targets.kinds)
        self._failure: BaseException | None = None
        self._link = Link(url, "recorder", self._set_up)
        self._writer = threading.Thread(target=self._run, name="recorder", daemon=True)

    def open(self, timeout: float = 10.0) -> None:
        """Bring the registry up to date, connect, and begin.

        Raises:
            RegistryError: the database refused, or could not be reached.
            BrokerUnreachable, BrokerRefused: the broker could not be reached, or refused.
        """
        make_durable(self._engine)
        migrate(self._engine)
        self._link.open(timeout)
        self._writer.start()

    def check(self) -> None:
        """Make sure that it records, or will as soon as the broker and the database are back.

        Raises:
            StarAIError: it never will again.
        """
        if self._failure:
            raise StarAIError("The recorder ended by an error, which is in its log. Start it again.") from self._failure
        if self._link.over:
            raise self._link.over

    def close(self, timeout: float = 10.0) -> None:
        """Record what is under way, waiting at most so many seconds, and disconnect; the rest stays at the broker."""
        self._closing.set()
        self._inbox.close()
        if self._writer.is_alive():
            self._writer.join(timeout)
        self._link.close()

    # On the link's thread.

    def _set_up(self, channel: Channel, ready: Callable[[], None]) -> None:
        self._inbox.reset(channel)
        self._unsettled = 0
        self._look(channel)
        channel.basic_qos(prefetch_count=_FAILED_PREFETCH)  # of each consumer that comes after it
        channel.basic_consume(names.FAILED, partial(self._take, names.FAILED))
        channel.basic_qos(prefetch_count=PREFETCH)
        channel.basic_consume(names.LEDGER, partial(self._take, names.LEDGER), callback=lambda _: ready())

    def _look(self, channel: Channel) -> None:
        """Find out how many messages wait for the recorder, which learns of them later than it should have."""

        def see(found: Any) -> None:
            self._behind = found.method.message_count

        channel.queue_declare(names.LEDGER, passive=True, callback=see)

    def _take(
        self, queue: str, _: Channel, method: pika.spec.Basic.Deliver, properties: pika.BasicProperties, body: bytes
    ) -> None:
        key: str | bytes = method.routing_key or ""
        text = key.decode("utf-8", "replace") if isinstance(key, bytes) else key
        kept, now = body if len(body) <= MAX_BODY else b"", datetime.now(UTC)
        tag, exchange = method.delivery_tag or 0, method.exchange or ""
        self._unsettled += 1
        self._behind = max(self._behind - 1, 0)
        waited = self._behind > 0
        self._inbox.put(Delivery(tag, queue, exchange, text, properties, kept, len(body), now, waited))

    def _settle(self, channel: Channel, count: int, last: int | None, put_back: Sequence[int]) -> None:
        """Be done with so many messages: put those back, and acknowledge all others up to the last."""
        if not channel.is_open:
            return
        if self._unsettled >= PREFETCH:  # the broker had to hold others back
            self._look(channel)
        self._unsettled -= count
        for tag in put_back:
            channel.basic_nack(tag)
        if last is not None:
            channel.basic_ack(last, multiple=True)

    # On the recorder's own thread.

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                channel, deliveries = self._inbox.take(PREFETCH, GATHER)
                if channel and deliveries:
                    self._record(channel, deliveries)
        except Stopped:
            log.warning("recorder.stopped_early", extra={"reason": "the database is out"})
        except Exception as error:
            log.exception("recorder.crashed")
            self._failure = error

    def _record(self, channel: Channel, deliveries: Sequence[Delivery]) -> None:
        entries, tags = self._read(deliveries)
        put_back: set[int] = set()
        for changes in self._ledger.write(entries):
            put_back.update(tags[id(orphan)] for orphan in self._orphans.to_put_back(changes.orphans))
            _log_refused(changes)
            self._announce(changes)
        last = max((d.tag for d in deliveries if d.tag not in put_back), default=None)
        self._link.call_soon(partial(self._settle, channel, len(deliveries), last, sorted(put_back)))
        if told := self._pace.add(len(deliveries), (datetime.now(UTC) - deliveries[0].at).total_seconds()):
            log.info("recorder.pace", extra=told | {"waiting": self._behind})

    def _read(self, deliveries: Iterable[Delivery]) -> tuple[list[Entry], dict[int, int]]:
        """Return what they say, and of each entry, by its identity, the tag that it came under."""
        entries: list[Entry] = []
        tags: dict[int, int] = {}
        junk: Counter[tuple[str | None, str]] = Counter()
        for delivery in deliveries:
            try:
                entry = read_delivery(delivery, self._targets)
            except LedgerJunk as error:
                junk[delivery.properties.user_id, str(error)] += 1
            else:
                entries.append(entry)
                tags[id(entry)] = delivery.tag
        for (user, reason), count in junk.items():
            log.warning("ledger.junk", extra={"user": user, "reason": reason, "count": count})
        return entries, tags

    def _announce(self, changes: Changes) -> None:
        if self._on_recorded is None:
            return
        try:
            self._on_recorded(changes)
        except Exception:
            log.exception("recorder.hook_failed")


def _log_refused(changes: Changes) -> None:
    """Log what was not believed, once for each device and reason: strangers choose how often they send it."""
    refused = Counter((one.report.device, one.reason) for one in changes.refused)
    for (device, reason), count in refused.items():
        log.warning("ledger.refused", extra={"device": device, "reason": reason, "count": count})
