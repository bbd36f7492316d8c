"""A device as a process of its own, whose model does what the text of a task says.

    gate NAME          says so in the file NAME.<device>, and waits until the file NAME stands
    crash              fails as a model does that this device cannot run
    crash on DEVICE    fails so on that device alone
    refuse             refuses the text as its submitter's fault

Anything else is answered at once. An answer is how many texts ran at that moment, at the most.
It ends with its standard input. Usage: text_device.py ENROLMENT FOLDER
"""

import sys
import threading
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broker_config.logs import log_to_stderr
from starai.errors import BadInput, ModelCrashed
from worker.device import Device
from worker.enrolment import load_enrolment
from worker.run import serve


class TextModel:
    """A model that obeys its input, in this very process."""

    pid = None

    def __init__(self, device: str, folder: Path) -> None:
        self._device = device
        self._folder = folder
        self._closed = False
        self._lock = threading.Lock()
        self._running = 0

    def run(self, inputs: list[str], timeout: float | None) -> NDArray[np.float32]:
        with self._lock:
            self._running += 1
            running = self._running
        try:
            for text in inputs:
                self._obey(*text.split())
            return np.full((len(inputs), 1), running, np.float32)
        finally:
            with self._lock:
                self._running -= 1

    def close(self) -> None:
        self._closed = True

    def _obey(self, verb: str = "", *words: str) -> None:
        if verb == "gate":
            self._wait(words[0])
        elif verb == "crash" and words in ((), ("on", self._device)):
            raise ModelCrashed("the model crashed")
        elif verb == "refuse":
            raise BadInput("the text cannot be taken")

    def _wait(self, gate: str) -> None:
        (self._folder / f"{gate}.{self._device}").touch()
        while not (self._folder / gate).exists():
            if self._closed:
                raise ModelCrashed("closed")
            time.sleep(0.01)


def main(enrolment_file: str, folder: str) -> None:
    log_to_stderr()
    enrolment = load_enrolment(Path(enrolment_file))
    device = Device(enrolment, {d.model: TextModel(enrolment.device, Path(folder)) for d in enrolment.deployments})
    device.open()
    try:
        serve(device, enrolment, grace=3.0, lifeline=True)
    finally:
        device.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
