"""What follows from devices' standing: the band that they are in, quarantine, the blacklist, and the way back."""

import contextlib
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Engine

from broker_config.address import vhost_of
from broker_config.management import Management
from registry.consequences import (
    band_of,
    change_band,
    doubtful,
    due_of,
    last_failure,
    quarantine,
    quarantined_at_work,
)
from registry.database import reading, session
from registry.failures import locked_health
from registry.pool import sole_models
from registry.standing_rule import Due, StandingSettings
from registry.tables import DeviceEvent
from starai.errors import StarAIError
from tasks.enforcement import Enforcement
from tasks.health.blacklisting import Blacklisting
from tasks.order import Order
from tasks.ordering import give_orders

log = logging.getLogger(__name__)

# Seconds for quarantined devices to end what they run, all together; and to take the last of them out of work.
_GRACE, _WITHIN = 5.0, 30.0


class Consequences:
    """Draws consequences. Cut short and begun again, it does what is left, and nothing twice.

    Args:
        engine: the registry's.
        management: the broker's management API, as a user that may change users.
        url: the broker's address, as the platform.
        settings: of the standing; by default the environment's.
        grace: seconds for devices that are quarantined to end what they run.
    """

    def __init__(
        self,
        engine: Engine,
        management: Management,
        url: str,
        settings: StandingSettings | None = None,
        grace: float = _GRACE,
    ) -> None:
        self._engine = engine
        self._url = url
        self._settings = settings or StandingSettings()
        self._grace = grace
        self._enforcement = Enforcement(engine, management, url)
        self._blacklisting = Blacklisting(engine, management, vhost_of(url), self._settings)

    def follow(self, at: datetime) -> None:
        """Do what is due at that time, of which nothing is raised: what fails is logged, and done the next time."""
        devices: list[str] = []
        with _isolated("lifting"):
            self._blacklisting.lift_overdue(at)
        with _isolated("looking"), reading(self._engine) as registry:
            devices = doubtful(registry, self._settings)
        with _isolated("bands"):
            self._change_bands(devices, at)
        for device in devices:
            with _isolated("answering", device):
                self._answer(device, at)
        with _isolated("expelling"):
            self._blacklisting.expel_left()
        with _isolated("quarantine"):
            self._rest(at)

    def _change_bands(self, devices: list[str], at: datetime) -> None:
        with reading(self._engine) as registry:
            found = {device: band_of(registry, device, at, self._settings) for device in devices}
        bands = {device: sound for device, sound in found.items() if sound is not None}
        if not bands:
            return
        # First told, then written down: cut short in between, it is told once more. Who is not there hears of it in
        # the answer to its next hello.
        give_orders(self._url, {device: Order(sound=sound) for device, sound in bands.items()})
        for device in bands:
            with _isolated("band", device):
                self._change_band(device, at)

    def _change_band(self, device: str, at: datetime) -> None:
        with session(self._engine) as registry:
            sound = change_band(registry, device, at, self._settings)
        if sound is not None:
            log.info("device.promoted" if sound else "device.demoted", extra={"device": device})

    def _answer(self, device: str, at: datetime) -> None:
        with session(self._engine) as registry:
            locked_health(registry, device, at)  # what is counted from now on is answered the next time
            failure = last_failure(registry, device)
            due = due_of(failure, self._settings)
            if failure is None or due is Due.NOTHING:
                return
            reason = _reason(failure)
            models = sole_models(registry, device) if due is Due.BLACKLIST else []
            if due is Due.QUARANTINE or models:
                until = quarantine(registry, device, reason, at, self._settings)
        if due is Due.BLACKLIST and not models:
            self._blacklisting.enter(device, reason, at + timedelta(seconds=self._settings.blacklisted), at)
            return
        log.warning("device.quarantined", extra={"device": device, "until": until, "reason": reason})
        if models:
            log.warning("blacklist.spared", extra={"device": device, "models": models})

    def _rest(self, at: datetime) -> None:
        with reading(self._engine) as registry:
            found = quarantined_at_work(registry, at)
        reasons = {device: f"it is quarantined until {until:%Y-%m-%d %H:%M} UTC" for device, until in found.items()}
        if reasons:
            self._enforcement.deactivate_all(reasons, self._grace, _WITHIN)


@contextlib.contextmanager
def _isolated(what: str, device: str | None = None) -> Iterator[None]:
    """Log what fails in the block, so that the rest is done all the same."""
    try:
        yield
    except StarAIError as error:
        log.warning("consequence.failed", extra={"what": what, "device": device, "reason": str(error)})


def _reason(failure: DeviceEvent) -> str:
    return f"its trust fell to {failure.trust:.2f}, at last because of this ({failure.kind}): {failure.reason}"
