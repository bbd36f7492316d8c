"""What a new device begins with: the standing of the hardware that it is on, and of its owner."""

from datetime import datetime

from sqlmodel import Session, col, select

from registry.blacklist import has_open_entry
from registry.failures import locked_health
from registry.health_tables import DeviceHealth
from registry.standing_rule import StandingSettings, is_sound, may_serve, trust_now
from registry.tables import Device


def begin_standing(session: Session, device: Device, at: datetime, settings: StandingSettings) -> None:
    """Let a new device begin with what is known of its hardware, and on probation if its owner has one blacklisted.

    Of other devices on the same hardware the least trust counts, and what keeps any of them out of work. What nothing
    is known of begins with full trust.
    """
    kin = _on_hardware(session, device)
    trust = min((trust_now(one.trust, one.trusted_at, at, settings) for one in kin), default=1.0)
    if has_open_entry(session, device.owner_id):
        trust = min(trust, settings.probation)
    if not kin and trust == 1.0:
        return
    health = locked_health(session, device.id, at)
    health.trust, health.trusted_at = trust, at
    health.sound = is_sound(trust, all(one.sound for one in kin), settings)
    health.quarantines = max((one.quarantines for one in kin), default=0)
    health.quarantined_until = max((one.quarantined_until for one in kin if one.quarantined_until), default=None)
    health.held = any(one.held for one in kin)
    session.add(health)
    session.flush()


def is_free(session: Session, device: str, at: datetime) -> bool:
    """Tell whether neither its operator nor a quarantine keeps a device out of work."""
    health = session.get(DeviceHealth, device, populate_existing=True)
    if health is None:
        return True
    return may_serve(health.held, health.quarantined_until, at)


def _on_hardware(session: Session, device: Device) -> list[DeviceHealth]:
    if device.hardware_id is None:
        return []
    joined = select(DeviceHealth).join(Device, col(Device.id) == col(DeviceHealth.device_id))
    same = (Device.hardware_id == device.hardware_id, Device.id != device.id)
    return list(session.exec(joined.where(*same)))
