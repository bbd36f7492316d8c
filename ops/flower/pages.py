"""Our pages inside Flower. Each looks at the network on another thread, so that Flower goes on meanwhile."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import prometheus_client
from flower.views import BaseHandler
from flower.views.broker import BrokerView
from flower.views.monitor import Metrics
from tornado.web import HTTPError, authenticated

from broker_config import names
from broker_config.topology import topology
from ops.flower.device_page import DeviceFacts, facts_of, health, labels, tables
from ops.flower.fleet_view import fleet_row, load_of
from ops.flower.sight import Sight
from ops.health_look import HealthLook, last_cycle_text, look_at, troubles
from registry.columns import now
from registry.database import reading
from registry.deployments import hosted
from registry.fleet import FleetDevice, fleet
from registry.standing_rule import StandingSettings
from starai.errors import RegistryError

_Found = TypeVar("_Found")


async def _elsewhere(look: Callable[[], _Found]) -> _Found:
    """Run what waits for the network on another thread."""
    return await asyncio.get_running_loop().run_in_executor(None, look)


class _Page(BaseHandler):
    @property
    def sight(self) -> Sight:
        """What there is to look at."""
        found: Sight = self.application.sight
        return found


class FleetPage(_Page):
    """All devices; with ``json=1``, the data that the page refreshes itself with."""

    @authenticated
    async def get(self) -> None:
        """Answer with the page, or its data."""
        if not self.get_argument("json", default=False, type=bool):
            self.render("fleet.html")
            return
        devices, health, held = await _elsewhere(self._look)
        rows = [
            fleet_row(found, held, self._seen(found.overview.device.id, held), health.settings) for found in devices
        ]
        cycle = {"cycle": last_cycle_text(health), "troubles": troubles(health)}
        self.write({"data": rows, "broker": held is not None, **cycle})

    def _look(self) -> tuple[list[FleetDevice], HealthLook, dict[str, int] | None]:
        with reading(self.sight.engine) as registry:
            devices = fleet(registry, now(), StandingSettings())
            return devices, look_at(registry, [found.health for found in devices]), self.sight.held()

    def _seen(self, device: str, held: dict[str, int] | None) -> datetime | None:
        """Return when the device was last known to be there: now, or when the platform last told Flower of it."""
        if held is not None and device in held:
            return datetime.now(UTC)
        told = self.application.events.state.workers.get(device)
        last = getattr(told, "timestamp", None)
        return datetime.fromtimestamp(last, UTC) if last else None


class DevicePage(_Page):
    """One device. It stands in the place of Flower's page of a worker, which would ask the device itself."""

    @authenticated
    async def get(self, device: str) -> None:
        """Answer with the page."""
        if device == names.PLATFORM:
            self.redirect(self.reverse_url("fleet"))
            return
        try:
            found, held = await _elsewhere(lambda: self._look(device))
        except RegistryError as error:
            raise HTTPError(404, str(error)) from error
        load = load_of(device, found.slots, held)
        cards = [("Device details", labels(found, load)), ("Health", health(found))]
        self.render("device.html", device=device, cards=cards, tables=tables(found))

    def _look(self, device: str) -> tuple[DeviceFacts, dict[str, int] | None]:
        with reading(self.sight.engine) as registry:
            return facts_of(registry, device), self.sight.held()


class NetworkBroker(BrokerView):
    """Flower's page of the broker, with the network's queues."""

    def get_active_queue_names(self) -> list[str]:
        """Return the queues that the network's topology has now."""
        with reading(self.application.sight.engine) as registry:
            found = topology(hosted(registry))
        return [queue.name for queue in found.queues]


class NetworkMetrics(Metrics):
    """Flower's metrics, in which the network's own are registered."""

    async def get(self) -> None:
        """Answer with all of them."""
        self.application.purge_offline_worker_metrics()
        page: Any = await _elsewhere(prometheus_client.generate_latest)
        self.set_header("Content-Type", prometheus_client.CONTENT_TYPE_LATEST)
        self.write(page)
