"""Attempts: how often a task was begun before, and whether it may be begun once more."""

import dataclasses
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from starai.errors import BrokerError, StarAIError
from tasks.clearance_message import ClearanceAnswer, ClearanceRequest
from tasks.envelope import InvalidMessage, read, write
from tasks.message import Task

log = logging.getLogger(__name__)

#: Seconds to wait for the platform's clearance; without an answer the task is started.
CLEARED_WITHIN = 2.0
#: The same for a task that came back more than once, and so may have ended devices, or that the platform sent itself.
CLEARED_LATER = 10.0

# How many tasks' failures are remembered: more are never under way at once.
_FAILURES_KEPT = 1000

#: Sends a question under a key and returns the future of its answer; raises :class:`BrokerError`.
Ask = Callable[[str, bytes, float], "Future[bytes]"]


class NotCleared(StarAIError):
    """The platform wants the task started no more; its submitter has been told why, or told the platform."""


@dataclass(frozen=True)
class Begun:
    """A task that is to be started.

    Attributes:
        task: it, with how often it was begun before in its ``returns``.
        on_record: whether the platform need not hear of it before it starts: it is new, or the platform cleared it.
    """

    task: Task
    on_record: bool


class Attempts:
    """What is known of attempts at tasks: by the platform, else by the queue and by what failed on this very device.

    Args:
        ask: how to ask the platform.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._failures: OrderedDict[tuple[str, str], int] = OrderedDict()

    def begin(self, task: Task, run: str, model: str) -> Begun:
        """Return the task as it is to be started.

        One that came back waits for the platform's clearance, for ``CLEARED_WITHIN`` or ``CLEARED_LATER`` seconds.

        Args:
            task: as it arrived.
            run: the id of this attempt.
            model: what it is to run on.

        Raises:
            NotCleared: it is not to be started.
        """
        answer = self._clearance(task, run, model) if task.came_back else None
        if answer and not answer.start:
            raise NotCleared(answer.reason or "no reason was given")
        on_record = answer is not None or not task.came_back
        if answer and answer.attempt:
            return Begun(dataclasses.replace(task, returns=answer.attempt - 1), on_record)
        # A classic queue does not count how often a task came back, so that a device remembers its own failures.
        failures = self._failures.get((task.reply_to, task.id), 0)
        return Begun(dataclasses.replace(task, returns=max(task.returns, failures)), on_record)

    def note_failure(self, task: Task) -> None:
        """Remember that this device has failed at the task."""
        key = (task.reply_to, task.id)
        self._failures[key] = self._failures.pop(key, 0) + 1
        while len(self._failures) > _FAILURES_KEPT:
            self._failures.popitem(last=False)

    def has_failed_at(self, task: Task) -> bool:
        """Tell whether this device has failed at the task."""
        return (task.reply_to, task.id) in self._failures

    def _clearance(self, task: Task, run: str, model: str) -> ClearanceAnswer | None:
        request = ClearanceRequest(
            task=task.id,
            reply_to=task.reply_to,
            run=run,
            model=model,
            returns=task.returns,
            republished=task.republished,
        )
        within = CLEARED_LATER if task.returns > 1 or task.republished else CLEARED_WITHIN
        answer: Future[bytes] = Future()
        try:
            answer = self._ask("clearance", write(request), within)
            return read(ClearanceAnswer, answer.result(within))
        except (TimeoutError, BrokerError, InvalidMessage) as error:
            answer.cancel()
            log.warning("task.uncleared", extra={"task": task.id, "reason": str(error) or "no answer in time"})
            return None
