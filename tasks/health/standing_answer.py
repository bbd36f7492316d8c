"""Tells a device how it stands with the network, and why: about itself, and nobody else."""

import logging

from sqlalchemy import Engine

from registry.columns import now
from registry.database import reading
from registry.standing import DeviceStanding, standing_of
from registry.standing_rule import StandingSettings
from registry.tables import DeviceEvent
from starai.errors import RegistryError
from tasks.envelope import write
from tasks.greeting import Standing, StandingEvent

log = logging.getLogger(__name__)


class Standings:
    """Answers devices that ask how they stand.

    Args:
        engine: the registry's.
        settings: of the standing; by default the environment's.
    """

    def __init__(self, engine: Engine, settings: StandingSettings | None = None) -> None:
        self._engine = engine
        self._settings = settings or StandingSettings()

    def answer(self, user: str | None, _body: bytes) -> bytes:
        """Return the standing of the device that asks; whatever it writes, it asks about itself.

        Where it cannot be told, the answer is ``{}``.

        Args:
            user: who asks, as the broker validated.
        """
        try:
            with reading(self._engine) as registry:
                return write(_told(standing_of(registry, user or "", now(), self._settings), self._settings))
        except RegistryError as error:
            log.warning("standing.untold", extra={"device": user, "reason": str(error)})
            return b"{}"


def _told(found: DeviceStanding, settings: StandingSettings) -> Standing:
    health = found.health
    return Standing(
        device=found.device.id,
        owner=found.owner,
        region=found.device.region,
        state=found.device.state,
        since=found.since,
        trust=found.trust,
        sound=health.sound,
        demoted_below=settings.demoted_below,
        sound_from=settings.sound_from,
        quarantined_below=settings.quarantined_below,
        blacklisted_below=settings.blacklisted_below,
        quarantined_until=health.quarantined_until,
        blacklisted_until=found.blacklisted_until,
        condition=health.condition,
        checked_at=health.checked_at,
        reason=health.reason,
        events=tuple(map(_event, found.events)),
    )


def _event(event: DeviceEvent) -> StandingEvent:
    return StandingEvent(
        at=event.at,
        kind=event.kind,
        reason=event.reason,
        check=event.failed_check,
        cost=event.cost,
        trust=event.trust,
    )
