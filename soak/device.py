"""A device as a process of its own: a real one, but for its models, which do what the text of a task says.

    take SECONDS    is busy for so long, unless there is a file with its device's name in the folder: then it fails
    crash           fails as a model does that this device cannot run
    refuse          refuses the text as its submitter's fault
    poison TAG      leaves a file with that tag in the folder, then kills its device

Anything else is answered at once. Usage: python -m soak.device ENROLMENT FOLDER; it ends with its standard input.
"""

import sys
import time
import uuid
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from broker_config.logs import log_to_stderr
from starai.errors import BadInput, ModelCrashed
from worker.device import Device
from worker.enrolment import load_enrolment
from worker.keys import keys_beside
from worker.run import serve

WIDTH = 4
_GRACE = 3.0


class TextModel:
    """A model that obeys its input, in the device's own process."""

    pid: int | None = None

    def __init__(self, folder: Path, device: str) -> None:
        self._folder = folder
        self._fails = folder / device

    def run(self, inputs: list[str], timeout: float | None, *_: object) -> NDArray[np.float32]:  # noqa: ARG002
        """Obey each text; return one row for each."""
        for text in inputs:
            self._obey(*text.split())
        return np.full((len(inputs), WIDTH), len(inputs), np.float32)

    def close(self) -> None:
        """There is nothing to end."""

    def _obey(self, verb: str = "", word: str = "") -> None:
        if verb == "take":
            if self._fails.exists():
                raise ModelCrashed("this device is to fail")
            time.sleep(float(word))
        elif verb == "crash":
            raise ModelCrashed("the text asked for it")
        elif verb == "refuse":
            raise BadInput("the text asked for it")
        elif verb == "poison":
            (self._folder / f"{word}.{uuid.uuid4().hex}").touch()
            psutil.Process().kill()


def main(enrolment_file: str, folder: str) -> None:
    """Serve until standard input ends."""
    log_to_stderr()
    enrolment = load_enrolment(Path(enrolment_file))
    models = {deployment.model: TextModel(Path(folder), enrolment.device) for deployment in enrolment.deployments}
    device = Device(enrolment, models, keys=keys_beside(Path(enrolment_file)))
    device.watch_machine()
    device.open()
    try:
        serve(device, enrolment, grace=_GRACE, lifeline=True)
    finally:
        device.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
