"""Answers the platform's health probes, on a thread of its own: one at a time, and of those that wait the newest."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker_config.publication import Publication
from starai.errors import SettingError
from tasks.probe import HealthReport, Probe, Readings, digest, echo, report_publication, write_report
from worker.keys import load_keys

log = logging.getLogger(__name__)


class Prober:
    """Takes probes from any thread, and never keeps it waiting.

    Args:
        device: this device, which is its broker user's name as well.
        keys: the file with its keys, read anew for each answer because they may be rotated; ``None``: it has none.
        take: takes readings.
        publish: sends a message.
    """

    def __init__(
        self,
        device: str,
        keys: Path | None,
        take: Callable[[], Readings],
        publish: Callable[[Publication], "Future[None]"],
    ) -> None:
        self._device = device
        self._keys = keys
        self._take = take
        self._publish = publish
        self._changed = threading.Condition()
        self._waiting: Probe | None = None
        self._thread: threading.Thread | None = None
        self._sent: list[Future[None]] = []
        self._unsigned = ""

    def ask(self, probe: Probe) -> None:
        """Answer the probe soon, and no other that waits."""
        with self._changed:
            self._waiting = probe
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="probes", daemon=True)
                self._thread.start()
            self._changed.notify()

    def answer(self, probe: Probe) -> None:
        """Take readings, and send them signed; then what the probe brought along, for the way up."""
        for late in self._sent:
            late.cancel()  # what is not sent yet comes to nobody any more
        report = HealthReport(
            device=self._device,
            cycle=probe.cycle,
            nonce=probe.nonce,
            readings=self._take(),
            digest=digest(probe.padding),
            at=time.time(),
        )
        answers = [report_publication(write_report(report, self._signing()), self._device)]
        if probe.padding:
            answers.append(echo(probe, self._device))
        self._sent = [self._publish(answer) for answer in answers]

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting is not None)
                probe, self._waiting = self._waiting, None
            if probe is None:
                continue
            try:
                self.answer(probe)
            except Exception as error:  # noqa: BLE001 - the next one is to be answered
                reason = f"{type(error).__name__}: {error}"
                log.error("probe.unanswered", extra={"cycle": probe.cycle, "reason": reason})

    def _signing(self) -> Ed25519PrivateKey | None:
        if self._keys is None:
            return None
        try:
            return load_keys(self._keys).signing
        except SettingError as error:
            if str(error) != self._unsigned:
                log.warning("probe.unsigned", extra={"reason": str(error)})
            self._unsigned = str(error)
            return None
