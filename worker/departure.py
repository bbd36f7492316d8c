"""How a device leaves: by a signal, by its owner's command, or with whoever started it. None of them is a failure."""

import logging
import os
import signal
import threading
import time
from types import FrameType

from celery.worker import state

from worker.device import Device
from worker.status import Doing, Ending

log = logging.getLogger(__name__)

#: Seconds for the network to take the goodbye.
GOODBYE_WITHIN = 2.0
#: The same where the owner does not want to wait: after the second signal.
HURRIED_GOODBYE = 0.5


class Departure:
    """Ends a device in this order: take nothing new, let tasks end, say goodbye, hand the rest back, disconnect.

    The goodbye comes before the tasks go back, so that the network never takes them for a failure of the device.

    Args:
        device: what is to leave.
        grace: seconds that running tasks get to end.

    Attributes:
        ended: how it left, once it has said goodbye.
        over: set once it has disconnected.
    """

    def __init__(self, device: Device, grace: float) -> None:
        self._device = device
        self._grace = grace
        self._lock = threading.Lock()
        self._asked_at: float | None = None
        self._finished_before = 0
        self._signals = 0
        self._serving = False
        self.ended: Ending | None = None
        self.over = threading.Event()

    @property
    def asked(self) -> bool:
        """Whether the device is to leave."""
        return self._asked_at is not None

    @property
    def doing(self) -> Doing:
        """What the device is about."""
        if self.asked:
            return Doing.LEAVING
        return Doing.SERVING if self._serving else Doing.STARTING

    @property
    def time_left(self) -> float:
        """Seconds that running tasks have left, once the device was asked to leave; negative when they are over."""
        return self._grace - (time.monotonic() - (self._asked_at or time.monotonic()))

    def ask(self, grace: float | None = None) -> None:
        """Let the device leave; any thread may ask. Asking again changes nothing but the grace, where one is given."""
        with self._lock:
            first, self._asked_at = not self.asked, self._asked_at or time.monotonic()
            if first:
                self._finished_before = self._device.done
            if grace is not None:
                self._grace = time.monotonic() - self._asked_at + grace
        state.should_stop = 0
        if first and not self._serving:
            _interrupt_main()

    def begin_serving(self) -> None:
        """From here on the device's own loop looks whether it is to leave; until then a request interrupts."""
        self._serving = True

    def obey_signals(self) -> None:
        """Let SIGTERM, Ctrl-C and, on Windows, Ctrl-Break ask; the second one ends this process at once."""
        for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._on_signal)

    def take_leave(self) -> None:
        """Say goodbye, if the device was asked to leave rather than failed, and disconnect."""
        if self.asked and self.ended is None:
            self.ended = self._say_goodbye(GOODBYE_WITHIN)
            log.info("device.left", extra=self.ended.model_dump())
        self._device.close()
        self.over.set()

    def _say_goodbye(self, within: float) -> Ending:
        left = self._device.running
        finished = self._device.done - self._finished_before
        return Ending(finished=finished, left=left, told=self._device.say_goodbye(left, within))

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._signals += 1
        if not self._serving:  # nothing runs yet
            self._asked_at = self._asked_at or time.monotonic()
            raise KeyboardInterrupt
        if self._signals == 1:
            self.ask()
        else:
            # Not here: the signal may have come while this thread held a lock that the goodbye needs.
            threading.Thread(target=self._leave_at_once, daemon=True).start()

    def _leave_at_once(self) -> None:
        try:
            self._say_goodbye(HURRIED_GOODBYE)
        finally:
            # What runs is unacknowledged, so the broker gives it to another device.
            os._exit(1)


def _interrupt_main() -> None:
    main = threading.main_thread()
    if threading.current_thread() is main:
        raise KeyboardInterrupt
    if hasattr(signal, "pthread_kill") and main.ident is not None:
        signal.pthread_kill(main.ident, signal.SIGINT)  # a real signal also ends a wait
    else:
        signal.raise_signal(signal.SIGINT)
