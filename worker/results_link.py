"""The link over which a device says what it has to say; made anew when the broker refused it."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future

from broker_config.link import Link
from broker_config.publication import Publication
from starai.errors import BrokerError, BrokerRefused
from worker.backoff import Backoff

log = logging.getLogger(__name__)

#: Seconds between two attempts at a login that was refused, at first and at most.
FIRST_LOGIN_PAUSE, LONGEST_LOGIN_PAUSE = 5.0, 60.0

# Seconds for a connection to stand.
_OPEN_TIMEOUT = 5.0
# Seconds between two looks whether the link has ended.
_LOOK = 1.0


class ResultsLink:
    """A link that comes back. A plain one ends for good when it is refused, as it is while the device is blacklisted.

    Args:
        new: returns a link that is not open yet.
    """

    def __init__(self, new: Callable[[], Link]) -> None:
        self._new = new
        self._link = new()
        self._renewing = threading.Lock()
        self._closed = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="results keeper", daemon=True)

    def open(self) -> None:
        """Connect, and from then on come back by itself.

        Raises:
            BrokerUnreachable, BrokerRefused, BrokerUntrusted: the broker could not be reached, or refused.
        """
        self._link.open(_OPEN_TIMEOUT)
        self._keeper.start()

    @property
    def is_connected(self) -> bool:
        """Whether the connection stands and is set up at this moment."""
        return self._link.is_connected

    def publish(self, publication: Publication) -> "Future[None]":
        """Hand a message to the link and return the future of its confirmation; see :meth:`Link.publish`.

        A link that was refused is made anew first: the device may have been let in again.

        Raises:
            BrokerError: it is closed, or was refused once more.
        """
        link = self._link
        try:
            return link.publish(publication)
        except BrokerRefused:
            self._renew(link)
            return self._link.publish(publication)

    def close(self, timeout: float) -> None:
        """Wait at most that many seconds for confirmations, then disconnect for good. Closing twice is harmless."""
        self._closed.set()
        self._link.close(timeout)

    def _keep(self) -> None:
        logins, pause = Backoff(FIRST_LOGIN_PAUSE, LONGEST_LOGIN_PAUSE), _LOOK
        while not self._closed.wait(pause):
            pause = self._look(logins)

    def _look(self, logins: Backoff) -> float:
        """Make a link anew that has ended; return how many seconds to wait until the next look."""
        link = self._link
        if not isinstance(link.over, BrokerRefused):
            logins.succeeded()
            return _LOOK
        try:
            self._renew(link)
        except BrokerError as error:
            pause = logins.after_failure()
            log.warning("results.refused", extra={"reason": str(error), "seconds": pause})
            return pause
        return _LOOK

    def _renew(self, ended: Link) -> None:
        with self._renewing:
            if self._link is not ended:
                return
            fresh = self._new()
            fresh.open(_OPEN_TIMEOUT)
            self._link = fresh
            if self._closed.is_set():  # it was closed meanwhile, and knew only the old one
                fresh.close(0)
