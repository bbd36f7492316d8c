"""A device as a process of its own, whose model does what the text of a task says.

    gate NAME          says so in the file NAME.<device>, and waits until the file NAME stands
    take SECONDS       is busy for so long
    lease              is answered with the seconds that it may take
    kill               ends the device by SIGKILL
    crash              fails as a model does that this device cannot run
    crash on DEVICE    fails so on that device alone
    refuse             refuses the text as its submitter's fault

Anything else is answered at once. An answer is how many texts ran at that moment, at the most.
It ends with its standard input. Usage: text_device.py ENROLMENT FOLDER [LOAD]

Its keys are in ENROLMENT with the suffix .keys.json, where that file stands.

LOAD is what the device is under, from 0.0 to 1.0, in place of what is measured of this machine; or "swings": what
is measured is then nothing and everything in turn.
"""

import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broker_config.logs import log_to_stderr
from models.entry import Kind
from starai.errors import BadInput, Cancelled, ModelCrashed
from worker import load_sample
from worker.control import Control
from worker.departure import Departure
from worker.device import Device
from worker.enrolment import Enrolment, load_enrolment
from worker.keeper import keeping
from worker.ladder import Ladder
from worker.load import Use
from worker.run import serve


class TextModel:
    """A model that obeys its input, in this very process."""

    kind = Kind.EMBED
    pid = None

    def __init__(self, device: str, folder: Path) -> None:
        self._device = device
        self._folder = folder
        self._closed = False
        self._lock = threading.Lock()
        self._running = 0

    def run(self, inputs: list[str], timeout: float | None, stop: "Future[None] | None" = None) -> NDArray[np.float32]:
        with self._lock:
            self._running += 1
            running = self._running
        try:
            for text in inputs:
                self._obey(stop, *text.split())
            answer = timeout if inputs == ["lease"] else running
            return np.full((len(inputs), 1), answer, np.float32)
        finally:
            with self._lock:
                self._running -= 1

    def close(self) -> None:
        self._closed = True

    def _obey(self, stop: "Future[None] | None", verb: str = "", *words: str) -> None:
        if verb == "gate":
            self._wait(words[0], stop)
        elif verb == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif verb == "take":
            time.sleep(float(words[0]))
        elif verb == "crash" and words in ((), ("on", self._device)):
            raise ModelCrashed("the model crashed")
        elif verb == "refuse":
            raise BadInput("the text cannot be taken")

    def _wait(self, gate: str, stop: "Future[None] | None") -> None:
        (self._folder / f"{gate}.{self._device}").touch()
        while not (self._folder / gate).exists():
            if self._closed:
                raise ModelCrashed("closed")
            if stop is not None and stop.done():
                raise Cancelled("cancelled")
            time.sleep(0.01)


class LoadedDevice(Device):
    """A device under a load that its test has set."""

    set_load: float | None = None

    def load(self, ladder: Ladder) -> float:
        return super().load(ladder) if self.set_load is None else self.set_load


class SwingingSensors:
    """Sensors of a machine that everyone uses in one second and nobody in the next."""

    programs = 0.0

    def __init__(self) -> None:
        self._swing = itertools.cycle((1.0, 0.0))

    def others(self, pids: Mapping[str, int | None]) -> dict[str, Use]:
        return dict.fromkeys(pids, Use(cpu=next(self._swing)))

    def close(self) -> None:
        pass


def loaded_device(enrolment: Enrolment, folder: Path, load: str, keys: Path | None = None) -> Device:
    models = {d.model: TextModel(enrolment.device, folder) for d in enrolment.deployments}
    device = LoadedDevice(enrolment, models, keys=keys)
    if load == "swings":
        load_sample.Sensors = SwingingSensors
    elif load:
        device.set_load = float(load)
    return device


def main(enrolment_file: str, folder: str, load: str = "") -> None:
    log_to_stderr()
    enrolment = load_enrolment(Path(enrolment_file))
    device = loaded_device(enrolment, Path(folder), load, Path(enrolment_file).with_suffix(".keys.json"))
    departure = Departure(device, 3.0)
    with keeping(enrolment, device, departure, Control(Path(enrolment_file)), None):
        device.open()
        try:
            serve(device, enrolment, grace=3.0, lifeline=True, departure=departure)
        finally:
            device.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
