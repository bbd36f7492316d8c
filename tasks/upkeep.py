"""What the platform looks after by itself, time and again: the sweep, the fleet's health, and what is forgotten."""

import logging

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from broker_config.address import user_of, vhost_of
from broker_config.link import Link
from registry.database import open_engine
from tasks.dead_letters import DeadLetters
from tasks.deadlines import Deadlines
from tasks.enforcement import Enforcement
from tasks.health.blame import Blame
from tasks.health.consequences import Consequences
from tasks.health.cycle import Cycle, Follower
from tasks.health.looks import Looks
from tasks.hoarders import Hoarders
from tasks.leases import Leases
from tasks.lost import Lost
from tasks.mark import Marks
from tasks.platform import management, platform_url
from tasks.retention import Retention
from tasks.sweep import Part, Sweep
from tasks.targets import Targets
from tasks.telling import Telling

log = logging.getLogger(__name__)

# Seconds for the recorder to come to a mark. The sweep waits for that long at most.
_PATIENCE = 20.0


class UpkeepSettings(BaseSettings):
    """``STARAI_SWEEP_SECONDS`` from one sweep to the next; ``STARAI_RETENTION_SECONDS``, what is old is forgotten."""

    model_config = SettingsConfigDict(env_prefix="STARAI_", frozen=True, extra="ignore")

    sweep_seconds: float = Field(default=5.0, gt=0)
    retention_seconds: float = Field(default=60.0, gt=0)


class Upkeep:
    """Assembles what is done every few seconds, from the environment, as :class:`tasks.platform.Platform` is."""

    def __init__(self) -> None:
        self._url = platform_url()
        self._engine = open_engine()
        self._link = Link(self._url, "platform upkeep")
        self._telling = Telling(self._link, user_of(self._url))
        self._marks = Marks(self._engine, self._telling, _PATIENCE)
        self._sweep = self._new_sweep()
        self._cycle = self._new_cycle()
        self._retention = Retention(self._engine)

    def open(self, timeout: float = 10.0) -> None:
        """Connect.

        Raises:
            BrokerUnreachable, BrokerRefused: the broker could not be reached, or refused.
        """
        self._link.open(timeout)

    def close(self) -> None:
        """Disconnect; a sweep or a health cycle that is under way ends soon."""
        self._cycle.close()
        self._marks.close()
        self._link.close()
        self._engine.dispose()

    def sweep(self) -> None:
        """Sweep once, as :meth:`tasks.sweep.Sweep.run` does."""
        self._sweep.run()

    def check_health(self) -> None:
        """Ask the whole fleet how it is, as :meth:`tasks.health.cycle.Cycle.run` does."""
        self._cycle.run()

    def check_greeted(self) -> None:
        """Ask devices that have just come, as :meth:`tasks.health.cycle.Cycle.greet` does."""
        self._cycle.greet()

    def forget(self) -> None:
        """Forget what is old, as :meth:`tasks.retention.Retention.forget` does."""
        self._retention.forget()

    def _new_sweep(self) -> Sweep:
        before: dict[str, Part] = {"dead letters": DeadLetters(self._engine, self._telling).tell}
        after: dict[str, Part] = {"deadlines": Deadlines(self._engine, self._telling).end}
        if api := management(self._url):
            vhost = vhost_of(self._url)
            lost = Lost(self._engine, api, vhost, Targets(), self._telling)
            enforcement = Enforcement(self._engine, api, self._url)
            before["queues"] = lost.look
            after["leases"] = Leases(self._engine, api, self._telling, vhost=vhost).end
            after["lost"] = lost.put_back
            after["hoarders"] = Hoarders(self._engine, api, vhost, enforcement).end
        else:
            reason = "STARAI_MANAGEMENT_URL is not set: no lease is enforced, and nothing that was lost is put back"
            log.warning("sweep.limited", extra={"reason": reason})
        return Sweep(self._engine, self._marks, before, after)

    def _new_cycle(self) -> Cycle:
        if not (api := management(self._url)):
            return Cycle(self._engine, self._url, None)
        enforcement = Enforcement(self._engine, api, self._url)
        vhost = vhost_of(self._url)
        looks = Looks(self._engine, api, vhost)
        followers: dict[str, Follower] = {
            "blame": Blame(self._engine, api, vhost=vhost).look,
            "consequences": Consequences(self._engine, api, self._url).follow,
        }
        return Cycle(self._engine, self._url, enforcement, looks=looks, broker_up=api.uptime, followers=followers)
