"""A device as a process of its own: a real one, but for models that do what the text of a task says.

    take SECONDS    is busy for so long, unless there is a file with its device's name in the folder: then it fails
    crash           fails as a model does that this device cannot run
    refuse          refuses the text as its submitter's fault
    poison TAG      leaves a file with that tag in the folder, then kills its device

Anything else is answered at once. Usage: python -m soak.device ENROLMENT FOLDER [MODEL ...]; the models that are named
are the catalogue's own, each in its process. It ends with its standard input. Its clock is ahead by the seconds in the
file with its device's name and ``.clock`` in the folder, if there is one.
"""

import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from broker_config.logs import log_to_stderr
from models.catalogue import load_catalogue
from models.entry import Kind
from models.host import ModelHost
from models.store import ModelStore
from soak.clock import obey
from starai.errors import BadInput, ModelCrashed
from worker import recovery
from worker.control import Control
from worker.departure import Departure
from worker.device import Device
from worker.enrolment import Enrolment, load_enrolment
from worker.host import Host
from worker.keeper import keeping
from worker.keys import keys_beside
from worker.mending import mend
from worker.run import serve

WIDTH = 4
_GRACE = 3.0
# Until a real model that failed is made ready: a test waits for that.
_PAUSE = 1.0


class TextModel:
    """A model that obeys its input, in the device's own process."""

    kind = Kind.EMBED
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


def main(enrolment_file: str, folder: str, *real: str) -> None:
    """Serve until standard input ends."""
    log_to_stderr()
    file = Path(enrolment_file)
    enrolment = load_enrolment(file)
    obey(Path(folder) / f"{enrolment.device}.clock")
    if real:
        recovery.FIRST_PAUSE = _PAUSE
    hosts = _hosts(enrolment, real)
    models: dict[str, Host] = {d.model: TextModel(Path(folder), enrolment.device) for d in enrolment.deployments}
    device = Device(enrolment, models | hosts, keys=keys_beside(file), mend=lambda model: _mend(model, hosts))
    departure = Departure(device, _GRACE)
    with keeping(enrolment, device, departure, Control(file), None):
        device.watch_machine()
        device.open()
        try:
            for host in hosts.values():
                host.start()
            serve(device, enrolment, grace=_GRACE, lifeline=True, departure=departure)
        finally:
            device.close()


def _hosts(enrolment: Enrolment, real: Sequence[str]) -> dict[str, ModelHost]:
    entries = [load_catalogue().get(model) for model in real]
    return {entry.name: ModelHost(entry, ModelStore().ensure(entry), enrolment.threads) for entry in entries}


def _mend(model: str, hosts: Mapping[str, ModelHost]) -> None:
    if model in hosts:
        mend(model, hosts[model])


if __name__ == "__main__":
    main(*sys.argv[1:])
