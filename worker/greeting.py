"""Hello, with each new connection, and goodbye; what the platform answers says how this device stands."""

import logging
from concurrent.futures import Future
from importlib import metadata

from broker_config.link import Link
from starai.errors import BrokerError
from tasks.envelope import InvalidMessage, read, write
from tasks.greeting import GOODBYE, HELLO, UNKNOWN, Goodbye, Greeted, Hello
from worker.backoff import Backoff
from worker.questions import Questions, Way

log = logging.getLogger(__name__)

#: Seconds to wait for an answer before hello is said again, at first and at most.
ANSWERED_WITHIN, LONGEST_WAIT = 5.0, 60.0
#: Seconds for which the broker keeps a goodbye that nobody has read, which is longer than anybody waits: without it the
#: platform would take the device for lost.
KEPT = 60.0


class Greeting:
    """Says that the device is there, until it is answered, and when it goes.

    Attributes:
        sound: whether the device is in the upper band, as it was told last.
        state: what the platform said that its state is; ``None`` before it said so.
    """

    def __init__(self, questions: Questions, *, sound: bool) -> None:
        self.sound = sound
        self.state: str | None = None
        self._questions = questions
        self._asked: Future[bytes] = Future()
        self._is_overruled = False
        self._is_leaving = False

    def hello(self, link: Link) -> None:
        """Say hello over a link's new connection, again and again until it is answered; on the link's thread."""
        self._asked.cancel()
        if not self._is_leaving:
            self._say(link, Backoff(ANSWERED_WITHIN, LONGEST_WAIT))

    def order(self, *, sound: bool) -> None:
        """Take in an order: it is newer than the answer to what was asked before it came."""
        self.sound, self._is_overruled = sound, True
        log.info("standing.told", extra={"sound": sound})

    def goodbye(self, way: Way, left: int, within: float) -> bool:
        """Say goodbye, and hello no more; return whether the platform answered within so many seconds.

        Args:
            way: where to say it.
            left: how many tasks are left to others.
            within: seconds.
        """
        self._is_leaving = True
        answer: Future[bytes] = Future()
        try:
            answer = self._questions.ask(way, GOODBYE, write(Goodbye(left=left)), KEPT)
            read(Greeted, answer.result(within))
        except (TimeoutError, BrokerError, InvalidMessage) as error:
            answer.cancel()
            log.warning("goodbye.unanswered", extra={"reason": str(error) or "no answer in time"})
            return False
        return True

    def _say(self, link: Link, waits: Backoff) -> None:
        within = waits.after_failure()
        self._is_overruled = False
        try:
            asked = self._questions.ask(link, HELLO, write(Hello(software=software())), within)
        except BrokerError as error:  # the link is being closed
            log.warning("hello.unsaid", extra={"reason": str(error)})
            return
        self._asked = asked
        asked.add_done_callback(self._on_answer)
        link.call_later(within, lambda: self._say_again(link, waits, asked))

    def _say_again(self, link: Link, waits: Backoff, asked: "Future[bytes]") -> None:
        is_taken = asked.done() and not asked.cancelled() and self.state not in (None, UNKNOWN)
        if asked is self._asked and not is_taken and not self._is_leaving:
            asked.cancel()
            self._say(link, waits)

    def _on_answer(self, answer: "Future[bytes]") -> None:
        if answer.cancelled():
            return
        try:
            greeted = read(Greeted, answer.result())
        except InvalidMessage as error:
            log.warning("hello.unread", extra={"reason": str(error)})
            return
        self.state = greeted.state
        if greeted.state != UNKNOWN and not self._is_overruled:
            self.sound = greeted.sound
        log.info("hello.answered", extra={"state": greeted.state, "sound": self.sound})


def software() -> str:
    """Return the version that this device runs, empty where it is not installed."""
    try:
        return metadata.version("starai")[:40]
    except metadata.PackageNotFoundError:
        return ""
