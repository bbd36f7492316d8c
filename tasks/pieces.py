"""The pieces of a text on their way to its submitter, and the signs of life of the attempt that makes it."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future

from starai.errors import BrokerError
from starai.wire import State

log = logging.getLogger(__name__)

#: Seconds between two pieces, at least: what is made meanwhile goes together.
PIECE_EVERY = 0.05
#: Seconds between two signs of life, at most; a third of a lease that is shorter. Less than the platform waits beyond a
#: lease (``tasks/leases.py``), because what happened since the last sign it cannot know.
PROGRESS_EVERY = 3.0

#: Reports a state of the task, with what more there is to it; the future ends when the broker has it.
Tell = Callable[..., "Future[None]"]


class Pieces:
    """Sends what a text has come to have more.

    No piece is sent before the broker has the one before, so that a broker or a submitter that is slow costs no more
    than the text itself. One that is lost is not sent again: the end of the text brings all of it. A link that took
    none is tried again after as long as from one sign of life to the next.

    Args:
        tell: how to report.
        lease: seconds that the attempt may go on without a sign of life.
        streamed: whether the submitter wants pieces.
        clock: seconds that never go back.
    """

    def __init__(
        self, tell: Tell, lease: float, *, streamed: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._streamed = streamed
        self._clock = clock
        self._every = min(PROGRESS_EVERY, lease / 3)
        self._waiting = self._away = ""
        self._sent = 0
        self._piece_at, self._progress_at = clock(), clock() + self._every
        self._last: Future[None] | None = None

    def add(self, text: str) -> None:
        """The attempt got on, and made that of the text, which may be nothing. One thread at a time may say so."""
        now = self._clock()
        if self._streamed:
            self._waiting += text
            self._send(now)
        if now >= self._progress_at:
            self._progress_at = now + self._every
            self._try(State.PROGRESS)

    def _send(self, now: float) -> None:
        self._settle(now)
        if not self._waiting or self._last or now < self._piece_at:
            return
        self._piece_at = now + PIECE_EVERY
        self._last = self._try(State.PIECE, offset=self._sent, text=self._waiting)
        if self._last:
            self._away, self._waiting = self._waiting, ""
        else:
            self._be_patient(now)

    def _settle(self, now: float) -> None:
        """Count the last piece as sent once the broker has it; what it did not take goes with the next one."""
        if self._last is None or not self._last.done():
            return
        if self._last.cancelled() or self._last.exception():
            self._waiting = self._away + self._waiting
            self._be_patient(now)
        else:
            self._sent += len(self._away)
        self._last, self._away = None, ""

    def _be_patient(self, now: float) -> None:
        # Each try over a link that was refused logs in anew, while the model's other texts wait; and a submitter that
        # reads nothing is to cost nothing.
        self._piece_at = now + self._every

    def _try(self, state: State, **more: object) -> "Future[None] | None":
        try:
            return self._tell(state, **more)
        except BrokerError as error:  # the end will be told, or the task is another's by then
            log.warning("task.piece_untold", extra={"state": str(state), "reason": str(error)})
            return None
