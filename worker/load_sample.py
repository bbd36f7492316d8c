"""Keeps the load of each model: what the device is under besides that model's own tasks, sampled once a second."""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Protocol

from worker.load import LoadMeter, pressure
from worker.sensors import Sensors

log = logging.getLogger(__name__)

#: Seconds between two samples.
PERIOD = 1.0


class Hosted(Protocol):
    """A model that this device hosts."""

    @property
    def pid(self) -> int | None:
        """The id of the process that has the model in it, or ``None`` while there is none."""


class LoadSampler:
    """Samples on a thread of its own, from :meth:`start` to :meth:`stop`.

    Args:
        hosts: the device's models, all of them.
        period: seconds between two samples.
    """

    def __init__(self, hosts: Mapping[str, Hosted], period: float = PERIOD) -> None:
        self._hosts = dict(hosts)
        self._meters = {model: LoadMeter() for model in hosts}
        self._programs = LoadMeter()
        self._period = period
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def start(self) -> None:
        """Begin. Every load is 0.0 at first."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the sample under way. Stopping twice, or without a start, is harmless."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def step(self, model: str) -> float:
        """Return the load: 0.0, 0.1, ... 1.0. Any thread may ask at any time; it moves once in five seconds at most.

        Raises:
            KeyError: the model is none of the hosts'.
        """
        return self._meters[model].step

    @property
    def programs(self) -> float:
        """The share of all processors that others' programs use, smoothed; any thread may ask."""
        return self._programs.smoothed

    def _run(self) -> None:
        sensors = Sensors()  # here, because psutil keeps the last reading by thread
        while not self._stopped.wait(self._period):
            self._sample(sensors)
        sensors.close()

    def _sample(self, sensors: Sensors) -> None:
        uses = sensors.others({model: host.pid for model, host in self._hosts.items()})
        now = time.monotonic()
        self._programs.sample(sensors.programs, now)
        for model, use in uses.items():
            meter = self._meters[model]
            before = meter.step
            meter.sample(pressure(use), now)
            if meter.step != before:
                log.info("load.moved", extra={"model": model, "load": meter.step, "was": before})
