"""A text as it comes in: pieces of several attempts, of which the last one counts."""

import threading

from starai.errors import Restarted
from starai.wire import MAX_BODY

# Attempts that are told apart: a network begins a task three times, or four.
_MOST_RUNS = 100


class Reading:
    """What was given of a text so far, and what its latest attempt has made. Any thread may use it.

    All that was given since the last :class:`Restarted`, joined, is the beginning of the latest attempt's text, or that
    attempt has not come so far yet and agrees: it is never made of parts of two different texts.

    Attributes:
        run: the latest attempt's id; empty before there is one.
    """

    def __init__(self) -> None:
        self.run = ""
        self._lock = threading.Lock()
        self._before: set[str] = set()
        self._made = self._given = ""
        self._is_whole = False

    def hear(self, run: str, offset: int, text: str) -> None:
        """Take in a piece. One that does not follow what is there is dropped: the end brings what is missing.

        So is one beyond what a result may be: a stranger says how long its text is.
        """
        with self._lock:
            if self._is_whole or run in self._before or len(self._before) > _MOST_RUNS:
                return
            if run != self.run:
                self._turn_to(run)
            if offset <= len(self._made) and offset + len(text) <= MAX_BODY:
                self._made = self._made[:offset] + text

    def end(self, run: str, text: str) -> None:
        """Take in the whole text, which is that attempt's."""
        with self._lock:
            self._turn_to(run)
            self._made, self._is_whole = text, True

    def take(self) -> str:
        """Return what there is more than was given.

        Raises:
            Restarted: what was given is not the beginning of the text; from now on that is given from its beginning.
        """
        with self._lock:
            if self._made.startswith(self._given):
                more, self._given = self._made[len(self._given) :], self._made
                return more
            if self._given.startswith(self._made) and not self._is_whole:
                return ""
            self._given = ""
        raise Restarted("Another device began the text anew, and its text is another one.")

    def _turn_to(self, run: str) -> None:
        self._before.add(self.run)  # of a device that was given up, and may not know it yet
        self._before.discard(run)
        self.run, self._made = run, ""
