"""What a device's standing leads to, as the registry has it: which band it is in, and what its last failure is due.

What was done about a failure is an event that follows it, so that nothing is done twice, whoever asks and how often.
"""

from datetime import datetime, timedelta

from sqlmodel import Session, col, not_, or_, select

from registry.device_state import DeviceState
from registry.events import record_event
from registry.failures import locked_health
from registry.health_tables import DeviceHealth
from registry.standing_rule import Due, StandingSettings, due, is_sound, quarantine_of, trust_now
from registry.tables import Device, DeviceEvent, EventKind

# What is done about a failure, and what makes good that none is done.
_ANSWERS = (EventKind.QUARANTINED, EventKind.BLACKLISTED, EventKind.LIFTED)


def doubtful(session: Session, settings: StandingSettings) -> list[str]:
    """Return the devices whose band may change, or whose last failure may lead to something, by their ids."""
    joined = select(DeviceHealth.device_id).join(Device, col(Device.id) == col(DeviceHealth.device_id))
    # Trust only grows from where it is written: one that is in doubt now was then.
    suspect = or_(col(DeviceHealth.trust) < settings.demoted_below, not_(col(DeviceHealth.sound)))
    found = session.exec(joined.where(suspect, Device.state != DeviceState.BLACKLISTED))
    return sorted(found)


def band_of(session: Session, device: str, at: datetime, settings: StandingSettings) -> bool | None:
    """Return the band that a device is to change to, ``True`` for the upper one; ``None`` where it stays."""
    health = session.get(DeviceHealth, device)
    if health is None:
        return None
    sound = is_sound(trust_now(health.trust, health.trusted_at, at, settings), health.sound, settings)
    return sound if sound is not health.sound else None


def change_band(session: Session, device: str, at: datetime, settings: StandingSettings) -> bool | None:
    """Let a device change its band, into its history; return which it is in then, or ``None`` where it stays."""
    health = locked_health(session, device, at)
    sound = band_of(session, device, at, settings)
    if sound is None:
        return None
    trust = trust_now(health.trust, health.trusted_at, at, settings)
    health.sound = sound
    kind = EventKind.PROMOTED if sound else EventKind.DEMOTED
    reason = (
        f"its trust has grown to {trust:.2f}; {settings.sound_from:g} is enough for the upper band"
        if sound
        else f"its trust has fallen to {trust:.2f}; below {settings.demoted_below:g} it is in the lower band"
    )
    session.add(health)
    record_event(session, device, kind, reason, at, trust)
    return sound


def last_failure(session: Session, device: str) -> DeviceEvent | None:
    """Return the device's last failure that cost it trust, where nothing has been done about it; else ``None``."""
    mine = select(DeviceEvent).where(DeviceEvent.device_id == device).order_by(col(DeviceEvent.id).desc())
    failure = session.exec(mine.where(col(DeviceEvent.cost).is_not(None))).first()
    answer = session.exec(mine.where(col(DeviceEvent.kind).in_(_ANSWERS))).first()
    if failure is None or failure.id is None or (answer and answer.id and answer.id > failure.id):
        return None
    return failure


def due_of(failure: DeviceEvent | None, settings: StandingSettings) -> Due:
    """Return what a failure leads to about which nothing has been done."""
    return Due.NOTHING if failure is None or failure.trust is None else due(failure.trust, settings)


def quarantine(session: Session, device: str, reason: str, at: datetime, settings: StandingSettings) -> datetime:
    """Keep a device out of work for a time, each time for longer, into its history; return until when."""
    health = locked_health(session, device, at)
    lasts = quarantine_of(health.quarantines, settings)
    health.quarantines += 1
    health.quarantined_until = max(at + lasts, health.quarantined_until or at)
    session.add(health)
    trust = trust_now(health.trust, health.trusted_at, at, settings)
    words = f"for {timedelta(seconds=round(lasts.total_seconds()))}: {reason}"
    record_event(session, device, EventKind.QUARANTINED, words, at, trust)
    return health.quarantined_until


def quarantined_at_work(session: Session, at: datetime) -> dict[str, datetime]:
    """Return the devices that serve though they are quarantined, and until when."""
    until = col(DeviceHealth.quarantined_until)
    joined = select(DeviceHealth.device_id, until).join(Device, col(Device.id) == col(DeviceHealth.device_id))
    found = session.exec(joined.where(Device.state == DeviceState.ACTIVE, until > at))
    return {device: end for device, end in found if end}
