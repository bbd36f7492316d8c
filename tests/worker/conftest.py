"""Devices as processes of their own, and submitters of theirs."""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from broker_config import names
from broker_config.errors import BrokerError
from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.database import migrate, open_engine, session
from registry.deployments import Planned, deploy
from registry.device_state import DeviceState
from registry.devices import enrol_device
from registry.owners import add_owner
from registry.states import set_state
from starai import Client
from starai.job import Job
from tasks.deployment import Deployment
from tasks.order import Order, order_publication
from tasks.platform import Platform
from worker.control import Control
from worker.enrolment import Enrolment, save_enrolment

MODEL = "all-minilm-l6-v2"
QUEUES = {region: names.task_queue(region, Tier.TINY, MODEL) for region in Region}
_ROOT = Path(__file__).parents[2]


@dataclass
class DeviceProcess:
    """One device that runs, or ran."""

    id: str
    process: "subprocess.Popen[bytes]"
    log_file: Path
    broker: Any
    folder: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text("utf-8", "replace")

    def connections(self) -> list[dict[str, Any]]:
        """Return its connections, as the broker sees them."""
        with suppress(BrokerError):
            return [c for c in self.broker.node.api.connections() if c.get("user") == self.id]
        return []

    def task_connections(self) -> list[str]:
        """Return the broker's names of the connections that bring tasks; there should be one."""
        ours = f"{self.id} tasks"
        return [c["name"] for c in self.connections() if c.get("client_properties", {}).get("connection_name") == ours]

    def subscriptions(self) -> dict[str, tuple[str, int]]:
        """Return the task queue and priority of each of its consumers by their tags, as the broker sees them."""
        consumers = self.broker.node.api.consumers(self.broker.vhost)
        ours = [c for c in consumers if (c["channel_details"] or {}).get("user") == self.id]
        rungs = [c for c in ours if c["queue"]["name"] != names.device_queue(self.id)]
        return {c["consumer_tag"]: (c["queue"]["name"], c["arguments"]["x-priority"]) for c in rungs}

    def close_task_connection(self, until: Callable[..., None]) -> None:
        until(self.task_connections)
        self.broker.node.api.close_connection(self.task_connections()[0], "a test")

    @property
    def times_consuming(self) -> int:
        """How often it began to consume."""
        return self.log.count("device.consuming")

    def began(self, gate: str) -> bool:
        """Tell whether its model waits, or waited, at that gate."""
        return (self.folder / f"{gate}.{self.id}").exists()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)


class Gates:
    """Where tasks wait until the test lets them go on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, gate: str) -> None:
        (self.folder / gate).touch()


@pytest.fixture
def gates(tmp_path: Path) -> Gates:
    folder = tmp_path / "gates"
    folder.mkdir()
    return Gates(folder)


@pytest.fixture
def enrol(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that enrols a device at a broker and returns its enrolment's file."""

    def make(broker, device: str, region: str, slots: int, queues=None, speed: float = 0.5, sound: bool = True) -> Path:
        url = SecretStr(broker.device(device, *(QUEUES.values() if queues is None else queues)))
        deployment = Deployment(model=MODEL, tier=Tier.TINY, slots=slots, speed=speed)
        file = tmp_path / f"{device}.json"
        save_enrolment(
            Enrolment(device=device, region=Region(region), url=url, deployments=[deployment], sound=sound), file
        )
        return file

    return make


@pytest.fixture
def enrolment(tmp_path: Path) -> Callable[[DeviceProcess], Path]:
    """Return a function that returns the file of a device's enrolment."""
    return lambda device: tmp_path / f"{device.id}.json"


@pytest.fixture
def control(enrolment) -> Callable[[DeviceProcess], Control]:
    """Return a function that returns where a device's owner reaches it."""
    return lambda device: Control(enrolment(device))


@pytest.fixture
def start(enrol, tmp_path: Path, gates: Gates, until) -> Iterator[Callable[..., DeviceProcess]]:
    """Return a function that starts a device and waits until it consumes; all are ended after the test."""
    started: list[DeviceProcess] = []

    def begin(
        broker, region: str = "asia", slots: int = 1, queues=None, wait: bool = True, load: object = "", **traits: Any
    ) -> DeviceProcess:
        device = f"device-{region}-{secrets.token_hex(3)}"
        file = enrol(broker, device, region, slots, queues, **traits)
        script = [sys.executable, "-P", str(Path(__file__).parent / "text_device.py")]
        script += [str(file), str(gates.folder), str(load)]
        log_file = tmp_path / f"{device}.log"
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                script, stdin=subprocess.PIPE, stderr=log, env={**os.environ, "PYTHONPATH": str(_ROOT)}
            )
        started.append(DeviceProcess(device, process, log_file, broker, gates.folder))
        if wait:
            until(lambda: started[-1].times_consuming)
        return started[-1]

    yield begin
    for device in started:
        with suppress(ProcessLookupError):
            device.signal(signal.SIGKILL)
        device.process.wait()
        device.process.stdin.close()
        print(f"--- {device.id}\n{device.log}")  # noqa: T201 - pytest shows it when the test failed


@pytest.fixture
def consumers(broker) -> Callable[[], list[int]]:
    """Return a function that counts the consumers of every region's queue, in the order of the regions."""

    def count() -> list[int]:
        with broker.channel() as channel:
            return [channel.queue_declare(queue, passive=True).method.consumer_count for queue in QUEUES.values()]

    return count


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    """Return a function that connects a submitter of its own."""
    with ExitStack() as clients:

        def client(broker, region: str = "asia") -> Client:
            return clients.enter_context(Client(broker.submitter(), region=region))

        yield client


@pytest.fixture
def ask(broker, connect) -> Callable[..., Job]:
    """Return a function that submits a text and returns its job."""
    client = connect(broker)

    def submit(text: str, region: str = "asia", **more: Any) -> Job:
        return client.submit(MODEL, text, region=region, **more)

    return submit


@pytest.fixture
def tls(monkeypatch):
    """The nodes of this test listen with TLS."""
    monkeypatch.setenv("STARAI_BROKER_TLS", "1")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Engine]:
    """A registry of the test's own, empty."""
    engine = open_engine(f"sqlite:///{tmp_path / 'registry.sqlite'}")
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def platform(broker, registry: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """The platform's answers, from the test's own registry."""
    monkeypatch.setenv("STARAI_BROKER_URL", broker.url())
    monkeypatch.setenv("STARAI_DATABASE_URL", str(registry.url))
    platform = Platform()
    platform.open()
    yield platform
    platform.close()


@pytest.fixture
def know(registry: Engine) -> Callable[..., DeviceProcess]:
    """Return a function that lets the registry know a device that was started, as one at work."""

    def enrol_here(device: DeviceProcess) -> DeviceProcess:
        with session(registry) as opened:
            add_owner(opened, "ann")
            enrol_device(opened, device.id, "ann", Region.ASIA)
            deploy(opened, device.id, [Planned(MODEL, Tier.TINY)])
            set_state(opened, device.id, DeviceState.ACTIVE, "it joined")
        return device

    return enrol_here


@pytest.fixture
def order(broker) -> Callable[..., None]:
    """Return a function that sends a device an order."""

    def send(device: DeviceProcess, **wanted: Any) -> None:
        message = order_publication(device.id, Order(**wanted), names.PLATFORM)
        with broker.channel() as channel:
            channel.basic_publish(message.exchange, message.key, message.body, message.properties, mandatory=True)

    return send


@pytest.fixture
def heard(broker, until) -> Callable[[], tuple[str, bytes]]:
    """Return a function that waits for the next answer to a probe, and returns who sent it, and what."""

    def wait() -> tuple[str, bytes]:
        with broker.channel() as channel:
            found: list[Any] = []
            until(lambda: found.append(channel.basic_get(names.HEALTH_QUEUE, auto_ack=True)) or found[-1][0])
            return found[-1][1].user_id, found[-1][2]

    return wait
