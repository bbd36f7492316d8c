"""Puts back tasks that were lost: purged, or taken and acknowledged by a device that did not do them."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Engine

from broker_config import names
from broker_config.management import Management
from broker_config.publication import Publication
from registry.columns import now
from registry.database import reading, session
from registry.putting_back import Key, claim_oldest, count_done, count_waiting, keys_in_use
from registry.task_tables import Task
from starai.submission import LONGEST_DEADLINE
from starai.wire import Report, State
from tasks.lost_rule import Look, lost, remember
from tasks.republish import republication
from tasks.targets import Targets
from tasks.telling import Telling

log = logging.getLogger(__name__)

#: Seconds that a task must have been in its queue before a look counts it: the broker's figures may be so old.
SETTLED = 30.0
#: Seconds between two looks: the broker renews its figures every five.
APART = 4.0
#: Seconds for which a look is of use.
KEPT = 120.0
#: Seconds for which nothing is concluded from the figures of a node that came up: it counts its queues anew.
WARM = 30.0
# They are in memory together, and may be large.
_AT_ONCE = 100
_REASON = "its message was no longer in its queue"
_NOTE = "It was put back: its message was lost before any device began it."


class Lost:
    """Compares, queue by queue, what should wait with what does.

    Args:
        engine: the registry's.
        management: the broker's management API.
        vhost: the network's virtual host.
        targets: knows the queue of a routing key.
        telling: publishes for the platform.
        settled, apart, kept, warm: seconds, as the constants of those names say.
        portion: tasks of one queue that are put back in one sweep, at most.
    """

    def __init__(
        self,
        engine: Engine,
        management: Management,
        vhost: str,
        targets: Targets,
        telling: Telling,
        settled: float = SETTLED,
        apart: float = APART,
        kept: float = KEPT,
        warm: float = WARM,
        portion: int = 5000,
    ) -> None:
        self._engine = engine
        self._management = management
        self._vhost = vhost
        self._targets = targets
        self._telling = telling
        self._settled = timedelta(seconds=settled)
        self._apart = timedelta(seconds=apart)
        self._kept = timedelta(seconds=kept)
        self._warm = warm
        self._portion = portion
        self._looks: dict[str, list[Look]] = {}
        self._looked_at: datetime | None = None

    def look(self) -> None:
        """See how many messages each queue has. What is concluded from it waits for a mark put into the ledger later.

        Raises:
            BrokerError: the management API could not be reached, or refused.
        """
        at = now()
        if self._looked_at and at - self._looked_at < self._apart:
            return
        if self._management.uptime() < self._warm:
            self._looks.clear()
            return
        held = self._management.queue_lengths(self._vhost, (names.INFERENCE, names.FAILED))
        self._looked_at = at
        # What became a dead letter may be in neither the queue nor the ledger yet.
        dead = held.pop(names.FAILED, 0)
        looks = {queue: Look(at, count + dead) for queue, count in held.items()}
        self._looks = {q: remember(self._looks.get(q, ()), look, self._kept) for q, look in looks.items()}

    def put_back(self) -> None:
        """Put back what was lost, tell its submitters, and write it down. A mark has been recorded since the last look.

        Raises:
            RegistryError: the database could not be reached.
            BrokerError: the broker could not be reached, or refused.
        """
        at = now()
        for queue, looks in self._looks.items():
            self._looks[queue] = [look if look.recorded else replace(look, recorded=at) for look in looks]
        if self._looked_at is None:
            return
        with reading(self._engine) as registry:
            waiting = keys_in_use(registry, self._looked_at - self._settled)
        for queue, keys in self._by_queue(waiting).items():
            if known := self._looks.get(queue):
                self._put_back(queue, keys, known)

    def _by_queue(self, waiting: Iterable[Key]) -> dict[str, list[Key]]:
        queues: dict[str, list[Key]] = {}
        for key in waiting:
            if queue := self._targets.queue_of(*key):
                queues.setdefault(queue, []).append(key)
        return queues

    def _put_back(self, queue: str, keys: list[Key], looks: list[Look]) -> None:
        at = now()
        with reading(self._engine) as registry:
            befores = [look.at - self._settled for look in looks]
            waiting = count_waiting(registry, keys, befores, at)
            done = count_done(registry, keys, list(zip(befores, [look.recorded or at for look in looks], strict=True)))
        if not (found := lost(looks, [sum(pair) for pair in zip(waiting, done, strict=True)])):
            return
        count, before = found
        log.warning("tasks.lost", extra={"queue": queue, "lost": count})
        left = min(count, self._portion)
        while left > 0 and (claimed := self._claim(keys, before - self._settled, min(left, _AT_ONCE), at)):
            self._publish(claimed, at)
            left -= len(claimed)

    def _claim(self, keys: list[Key], before: datetime, count: int, at: datetime) -> list[tuple[Task, bytes]]:
        with session(self._engine) as registry:
            return claim_oldest(registry, keys, before, count, _REASON, at)

    def _publish(self, claimed: list[tuple[Task, bytes]], at: datetime) -> None:
        refused = self._telling.publish([self._message(task, body, at) for task, body in claimed])
        self._telling.tell(
            (Report(task=task.id, state=State.REQUEUED, at=at.timestamp(), note=_NOTE), task.reply_to or "")
            for (task, _), error in zip(claimed, refused, strict=True)
            if error is None
        )

    def _message(self, task: Task, body: bytes, at: datetime) -> Publication:
        expires = task.expires_at or at + timedelta(seconds=LONGEST_DEADLINE)
        return republication(task, body, self._telling.user, expires)
