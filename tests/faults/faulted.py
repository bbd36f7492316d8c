"""A whole network of real processes at which faults are injected, and what its registry says of it."""

import psutil
from sqlmodel import select

from broker_config.regions import Region
from ops.platform_processes import PLATFORM
from registry.columns import now
from registry.database import session
from registry.device_state import DeviceState
from registry.devices import find_device
from registry.health_tables import DeviceHealth, HealthCycle
from registry.tables import DeviceEvent, EventKind
from soak.load import MODELS
from soak.network import HEALTH, Network, Place
from starai import Client
from starai.job import Job

ASIA_1, ASIA_2, EUROPE = (
    Place("device-asia-1", "ada", Region.ASIA, MODELS[:1]),
    Place("device-asia-2", "bob", Region.ASIA, MODELS[:1]),
    Place("device-europe-1", "eve", Region.EUROPE, MODELS[:1]),
)
#: From one health cycle to the next, and the time for answers, in seconds.
PERIOD, DEADLINE = 3.0, 1.5
FAST = HEALTH | {"STARAI_HEALTH_SECONDS": str(PERIOD), "STARAI_HEALTH_DEADLINE_SECONDS": str(DEADLINE)}
PARTS = [part for part in PLATFORM if part.name not in ("flower", "page")]


class Faulted:
    """The network, what is submitted to it, and what its registry says."""

    def __init__(self, network: Network, client: Client) -> None:
        self.network = network
        self.client = client
        self.since = now()

    def begin(self) -> None:
        """Forget what was; what is asked about later began now."""
        self.since = now()

    def submit(self, text: str, count: int = 1, region: Region = Region.ASIA) -> list[Job]:
        return [self.client.submit(MODELS[0], text, region=region, deadline=60, lease=20) for _ in range(count)]

    def runs(self, job: Job) -> str | None:
        """Return the device that said last that it began the job."""
        return next((report.device for report in reversed(job.reports) if report.device), None)

    def state(self, place: Place) -> DeviceState:
        with session(self.network.engine) as registry:
            return find_device(registry, place.id).state

    def is_well(self, *places: Place) -> bool:
        return all(self.state(place) is DeviceState.ACTIVE for place in places or self.network.places)

    def charged(self, place: Place) -> list[EventKind]:
        """Return what counted against a device since then."""
        with session(self.network.engine) as registry:
            mine = select(DeviceEvent).where(DeviceEvent.device_id == place.id, DeviceEvent.at >= self.since)
            return [event.kind for event in registry.exec(mine) if event.cost is not None]

    def nobody_is_charged(self) -> bool:
        return not any(self.charged(place) for place in self.network.places)

    def cycles(self) -> int:
        """Return how many cycles ended that began since then."""
        with session(self.network.engine) as registry:
            return len([c for c in registry.exec(select(HealthCycle)) if c.ended_at and c.began_at >= self.since])

    def health(self, place: Place) -> DeviceHealth:
        with session(self.network.engine) as registry:
            found = registry.get_one(DeviceHealth, place.id)
            registry.expunge(found)
            return found

    def process(self, place: Place) -> psutil.Process:
        pid = self.network.kept[place.id].pid
        assert pid, f"{place.id} is down"
        return psutil.Process(pid)
