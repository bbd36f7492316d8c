"""A whole network for phones of real processes; a phone may reach the broker by a way of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

from sqlmodel import select

from broker_config import names
from broker_config.join_token import parse
from broker_config.regions import Region
from broker_config.tiers import Tier
from ops.phone.announced import announced_page
from registry.columns import now
from registry.database import session
from registry.device_state import DeviceState
from registry.devices import find_device
from registry.health_tables import DeviceHealth, HealthCycle
from registry.tables import Device, DeviceEvent
from soak.network import Network
from soak.proxy import Proxy

MODEL = "all-minilm-l6-v2"
#: Work for a phone for many seconds, on a machine that does nothing else.
LONG = ["stone " * 250] * 24


class PhoneNetwork:
    """The network, and what its registry and its broker say of phones."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.ways: list[Proxy] = []
        self.since = now()

    @property
    def page(self) -> str:
        """Where the page is served."""
        found = announced_page()
        assert found, "the page is not served"
        return f"{found}/phone/"

    def starai(self, *arguments: str) -> str:
        """Run the operator's command, and return what it printed."""
        command = [sys.executable, "-P", "-m", "ops.cli", *arguments]
        done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def token(self, region: Region = Region.ASIA, uses: int = 1, owner: str = "ann") -> str:
        """Make a token, as it is."""
        self.starai("owners", "add", owner) if owner not in self._owners() else None
        asked = ("--owner", owner, "--region", region, "--uses", str(uses), "--json")
        return str(json.loads(self.starai("tokens", "issue", *asked))["token"])

    def way(self) -> Proxy:
        """Make another way to the broker's web STOMP."""
        web = self.network.node.file.web
        assert web
        self.ways.append(way := Proxy(web))
        way.start()
        return way

    def link(self, region: Region = Region.ASIA, way: Proxy | None = None, owner: str = "ann") -> str:
        """Make a link by which one phone joins, by that way."""
        token = self.token(region, owner=owner)
        if way:
            token = parse(token).model_copy(update={"web": way.port}).encode()
        return f"{self.page}#{token}"

    def phones(self) -> list[str]:
        """Return the devices that joined since the test began, the first one first."""
        with session(self.network.engine) as registry:
            found = registry.exec(select(Device).where(Device.enrolled_at >= self.since)).all()
            return [device.id for device in sorted(found, key=lambda device: device.enrolled_at)]

    def state(self, device: str) -> DeviceState:
        with session(self.network.engine) as registry:
            return find_device(registry, device).state

    def health(self, device: str) -> DeviceHealth:
        with session(self.network.engine) as registry:
            found = registry.get_one(DeviceHealth, device)
            registry.expunge(found)
            return found

    def charges(self, device: str) -> list[str]:
        """Return what counted against a device."""
        with session(self.network.engine) as registry:
            events = registry.exec(select(DeviceEvent).where(DeviceEvent.device_id == device)).all()
            return [f"{event.kind}: {event.reason}" for event in events if event.cost]

    def cycles(self) -> int:
        """Return how many cycles of health have ended."""
        with session(self.network.engine) as registry:
            return len([cycle for cycle in registry.exec(select(HealthCycle)) if cycle.ended_at])

    def listeners(self) -> set[str]:
        """Return which devices listen in the model's queue of Asia."""
        queue = names.task_queue(Region.ASIA, Tier.TINY, MODEL)
        found = [one for one in self.network.node.api.consumers(names.VHOST) if one["queue"]["name"] == queue]
        return {str(one["channel_details"]["user"]) for one in found if one.get("channel_details")}

    def log(self, name: str) -> str:
        """Return what a process of the network has logged."""
        return "".join(path.read_text("utf-8") for path in sorted(Path(self.network.logs).glob(f"{name}.*.log")))

    def _owners(self) -> str:
        return self.starai("owners", "list", "--json")
