"""The network under test: broker, database, the platform's processes, devices and submitters, each a process."""

import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Engine

from broker_config import names
from broker_config.apply import apply
from broker_config.errors import BrokerError
from broker_config.home import home, private_folder, write_private
from broker_config.node import Node
from broker_config.regions import Region
from broker_config.roles import submitter_role
from broker_config.settings import BrokerSettings
from broker_config.tiers import Tier
from broker_config.topology import HostedModel, Limits, device_topology, topology
from broker_config.users import new_password, put_user
from models.catalogue import own_models_file
from ops.local_device import LocalDevice, enrol_at_broker, keys_of
from ops.local_registry import know
from ops.platform_processes import PLATFORM, PlatformProcess
from registry.database import migrate, open_engine, session
from registry.deployments import Planned, deploy
from registry.device_state import DeviceState
from registry.devices import enrol_device
from registry.owners import add_owner
from registry.states import set_state
from registry.submitters import add_submitter
from soak.kept import Kept
from soak.load import MODELS
from soak.postgres import Postgres
from soak.proxy import Proxy
from tasks.deployment import Deployment
from worker.enrolment import load_enrolment, save_enrolment

# What the platform has to know of it: nobody fetches it.
_STAND_IN = f"""[[model]]
name = "{MODELS[1]}"
kind = "embed"
parameters = 490_000_000
weight_bytes = 550_000_000
licence = "none"
source = {{ type = "folder", path = "nowhere" }}
"""
_TIERS = dict(zip(MODELS, (Tier.TINY, Tier.SMALL), strict=True))
# Short, so that a flood fills a queue.
_LIMITS = Limits(queue_length=1000)
_SLOTS = 4
_TEND_SECONDS = 0.5
#: In the folder of a device: wheels of the models that it can fetch.
SHELF = "shelf"
_OF_PLATFORM = frozenset(part.name for part in PLATFORM)


@dataclass(frozen=True)
class Place:
    """Where a device stands and what it hosts; ``real`` are those of its models that are the catalogue's own."""

    id: str
    owner: str
    region: Region
    models: tuple[str, ...]
    real: tuple[str, ...] = ()


DEVICES = (
    Place("device-asia-1", "ada", Region.ASIA, MODELS),
    Place("device-asia-2", "bob", Region.ASIA, MODELS[:1]),
    Place("device-europe-1", "ada", Region.EUROPE, MODELS),
    Place("device-europe-2", "bob", Region.EUROPE, MODELS[:1]),
    Place("device-america-1", "eve", Region.NORTH_AMERICA, MODELS),
)


#: Health as a run of minutes needs it: what takes days of failing is over in minutes.
HEALTH = {
    "STARAI_HEALTH_SECONDS": "5",
    "STARAI_HEALTH_DEADLINE_SECONDS": "2.5",
    "STARAI_HEALTH_GRACE_SECONDS": "1",
    "STARAI_GREETING_SECONDS": "1",
    "STARAI_STANDING_FORGIVEN_IN": "60",
    "STARAI_STANDING_QUARANTINE": "5",
}


class Network:
    """The whole of it, in one folder, which is ``STARAI_HOME``.

    Args:
        folder: an empty one.
        postgres: the server that keeps the registry, or ``None`` for SQLite.
        places: its devices.
        parts: processes of the platform.
        health: settings of health, as environment variables.
        limits: of its queues; devices that join have to find the usual ones.
    """

    def __init__(
        self,
        folder: Path,
        postgres: Postgres | None,
        places: Sequence[Place] = DEVICES,
        parts: Sequence[PlatformProcess] = PLATFORM,
        health: Mapping[str, str] = HEALTH,
        limits: Limits = _LIMITS,
    ) -> None:
        self.folder = folder
        self.postgres = postgres
        self.logs = private_folder(folder / "log")
        self.poison = private_folder(folder / "poison")
        self.node = Node()
        self.places = tuple(places)
        self._parts = tuple(parts)
        self._health = health
        self._limits = limits
        self.kept: dict[str, Kept] = {}
        #: How each device of ours reaches the broker.
        self.ways: dict[str, Proxy] = {}
        self._over = threading.Event()
        self._tending = threading.Thread(target=self._tend, name="tend", daemon=True)

    def start(self) -> None:
        """Start all but submitters.

        Raises:
            StarAIError: something stands in the way.
        """
        if self.postgres:
            self.postgres.start()
        self.engine: Engine = open_engine()
        migrate(self.engine)
        self.node.start(lifeline=True)
        write_private(own_models_file(), _STAND_IN)
        models = [HostedModel(model, _TIERS[model], model == MODELS[0]) for model in MODELS]
        apply(self.node.url(), topology(models, BrokerSettings().queue_type, self._limits))
        environment = {"STARAI_BROKER_URL": self.node.url(), "STARAI_MANAGEMENT_URL": self.node.api.url, **self._health}
        # Whatever this process's are when one is started again.
        environment |= {
            "STARAI_HOME": str(home()),
            "STARAI_DATABASE_URL": self.engine.url.render_as_string(hide_password=False),
        }
        for part in self._parts:
            self._keep(part.name, part.command, environment)
        for place in self.places:
            self.add(place)
        self._tending.start()

    def enrol(self, place: Place) -> Path:
        """Make a device at the registry and at the broker, and return its enrolment's file."""
        with session(self.engine) as registry:
            add_owner(registry, place.owner)
            enrol_device(registry, place.id, place.owner, place.region)
            deploy(registry, place.id, [Planned(model, _TIERS[model], slots=_SLOTS) for model in place.models])
            set_state(registry, place.id, DeviceState.ACTIVE, "by the soak")
        apply(self.node.url(), device_topology(place.id))
        told = [Deployment(model=model, tier=_TIERS[model], slots=_SLOTS) for model in place.models]
        local, folder = LocalDevice(place.id, place.region), private_folder(self.folder / "devices")
        know(self.engine, keys_of([local], folder))
        return enrol_at_broker(self.node, local, told, 1, folder)

    def add(self, place: Place) -> None:
        """Start a device of ours, which reaches the broker by a way of its own."""
        file = self.enrol(place)
        self.ways[place.id] = way = Proxy(self.node.file.amqp)
        way.start()
        enrolment = load_enrolment(file)
        url = enrolment.url.get_secret_value().replace(f":{self.node.file.amqp}/", f":{way.port}/")
        save_enrolment(enrolment.model_copy(update={"url": SecretStr(url)}), file)
        # A machine of its own, where it keeps real models, and where pip finds them.
        own = {"STARAI_HOME": str(file.parent), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(file.parent / SHELF)}
        environment = own if place.real else None
        self._keep(place.id, ["soak.device", str(file), str(self.poison), *place.real], environment)

    def submitter(self, name: str) -> str:
        """Make a submitter and return its address."""
        with session(self.engine) as registry:
            add_submitter(registry, name)
        password = new_password().get_secret_value()
        put_user(self.node.api, name, password, submitter_role(name))
        return self.node.url(name, password)

    def submit(self, name: str, part: str) -> None:
        """Let a submitter begin with a part, in JSON; it is started again when it dies."""
        file = self.folder / f"{name}.json"
        write_private(file, part)
        self._keep(name, ["soak.submitter", str(file)], {"STARAI_BROKER_URL": self.submitter(name)})

    def journal(self, name: str) -> Path:
        """Return the file in which a submitter counts."""
        return self.folder / f"{name}.journal"

    def death(self, name: str) -> Path:
        """Return the file that makes a submitter kill itself."""
        return self.folder / f"{name}.die"

    def queues(self) -> list[str]:
        """Return all task queues."""
        return [queue for model in MODELS for queue in names.task_queues(_TIERS[model], model)]

    def waiting(self) -> int | None:
        """Return how many messages wait in the task queues and for the recorder, or nothing if the broker is away."""
        try:
            found = {queue["name"]: queue for queue in self.node.api.queues(names.VHOST)}
        except BrokerError:
            return None
        counted = [found[name] for name in (*self.queues(), names.LEDGER) if name in found]
        return sum(
            int(queue.get(kind, 0)) for queue in counted for kind in ("messages_ready", "messages_unacknowledged")
        )

    def stop(self) -> None:
        """End everything that runs."""
        self._over.set()
        for kept in self.kept.values():
            if kept.name not in _OF_PLATFORM:
                kept.release()
        # The platform's last, and one after the other, the recorder at the end.
        for kept in reversed(self.kept.values()):
            kept.stop()
        for way in self.ways.values():
            way.stop()
        self.node.stop()
        if hasattr(self, "engine"):
            self.engine.dispose()
        if self.postgres:
            self.postgres.remove()

    def _keep(self, name: str, command: Iterable[str], environment: dict[str, str] | None = None) -> None:
        kept = Kept(name, [sys.executable, "-P", "-m", *command], self.logs, environment)
        self.kept[name] = kept
        kept.start()

    def _tend(self) -> None:
        """Start again what ended."""
        while not self._over.wait(_TEND_SECONDS):
            for kept in list(self.kept.values()):
                if kept.exit_code != 0:  # a submitter that is done
                    kept.tend()
