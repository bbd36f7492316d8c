"""A whole local network whose devices host the two small language models, each device a process of its own."""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from broker_config.errors import BrokerError
from broker_config.home import private_folder
from broker_config.names import VHOST
from broker_config.regions import Region
from models.catalogue import own_models_file
from ops.local_device import LocalDevice, enrolment_of
from ops.network import LocalNetwork
from ops.process import Process
from starai import Client
from starai.generation import Guidance, GuidanceKind, Options
from tests.models.tiny_models import NAMES, TINY

DEVICES = [LocalDevice("near", Region.ASIA), LocalDevice("far", Region.EUROPE)]
#: A text that goes on for as long as it may: a few seconds.
LONG = Options(max_tokens=2000, guidance=Guidance(kind=GuidanceKind.REGEX, text="[a-z ]{9000,}"))
#: The same, and never twice alike.
VARIED = LONG.model_copy(update={"temperature": 2.0})

_MODEL = """[[model]]
name = "{name}"
kind = "generate"
parameters = 145_000
weight_bytes = 700_000
kv_bytes_per_token = 1024
licence = "MIT"
source = {{ type = "folder", path = {path} }}
"""


@dataclass
class Talking:
    """The network, and what can be done to its devices and their models."""

    network: LocalNetwork
    folder: Path
    held: list[psutil.Process] = field(default_factory=list)

    def models_of(self, device: str) -> list[psutil.Process]:
        """Return the processes with a device's models."""
        below = psutil.Process(self.network.devices[device].pid).children(recursive=True)
        return [one for one in below if "models.child" in one.cmdline()]

    def hold(self) -> None:
        """Let no model go on, nor end, so that what is under way stays so."""
        self.held = [model for device in self.network.devices for model in self.models_of(device)]
        for model in self.held:
            model.suspend()

    def resume(self) -> None:
        """Let them go on; also those whose device is gone, which then end."""
        for model in self.held:
            with suppress(psutil.NoSuchProcess):
                model.resume()

    def connections_of(self, device: str) -> set[str]:
        """Return the names of a device's connections to the broker; a new one has another name."""
        return {str(one["name"]) for one in self.network.node.api.connections() if one["user"] == device}

    def log_of(self, device: str) -> str:
        return self.network.devices[device].log.read_text("utf-8", "replace")

    def revive(self) -> None:
        """Start the devices again that have ended."""
        for device in DEVICES:
            if self.network.devices[device.id].exit_code is not None:
                enrolment = str(enrolment_of(device, self.folder / "devices"))
                command = [sys.executable, "-P", "-m", "worker.cli", "start", "--lifeline", "--enrolment", enrolment]
                self.network.devices[device.id] = Process(device.id, command, self.folder / "log")

    def is_whole(self) -> bool:
        """Tell whether all devices consume, and nothing is at the broker."""
        api = self.network.node.api
        try:
            users = [(one.get("channel_details") or {}).get("user") for one in api.consumers(VHOST)]
            waiting = sum(api.queue_lengths(VHOST, ["inference."]).values())
        except BrokerError:
            return False
        return not waiting and all(users.count(device.id) > len(NAMES) for device in DEVICES)


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talking]:
    """One network for all tests; each begins when it is whole."""
    folder = private_folder(tmp_path_factory.mktemp("talking") / "home")
    with pytest.MonkeyPatch.context() as environment:
        for name in ("STARAI_BROKER_URL", "STARAI_DATABASE_URL", "STARAI_REGION"):
            environment.delenv(name, raising=False)
        environment.setenv("STARAI_HOME", str(folder))
        models = (_MODEL.format(name=name, path=repr(str(TINY / name))) for name in NAMES)
        own_models_file().write_text("\n".join(models), "utf-8")
        network = LocalNetwork(DEVICES, NAMES, Region.ASIA)
        network.start(lambda _: None)
    with network:
        yield Talking(network, folder)


@pytest.fixture
def whole(talking: Talking, monkeypatch: pytest.MonkeyPatch, until: Callable[..., None]) -> Iterator[Talking]:
    """The network when all is well, as the one that this test's commands and clients find."""
    monkeypatch.setenv("STARAI_HOME", str(talking.folder))
    talking.revive()
    until(talking.is_whole, 60)
    yield talking
    talking.resume()


@pytest.fixture
def client(whole: Talking) -> Iterator[Client]:
    with Client() as client:
        yield client
