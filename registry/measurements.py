"""Measurements: what devices said of their hardware and speed."""

from sqlmodel import Session, col, select

from registry.devices import find_device
from registry.tables import Measurement


def record_measurement(session: Session, measurement: Measurement) -> Measurement:
    """Add a measurement of an enrolled device; earlier ones stay.

    Raises:
        RegistryError: there is no such device.
    """
    find_device(session, measurement.device_id)
    session.add(measurement)
    session.flush()
    return measurement


def latest_measurement(session: Session, device: str) -> Measurement | None:
    """Return what the device measured last, or ``None`` if it never did.

    Raises:
        RegistryError: there is no such device.
    """
    find_device(session, device)
    newest_first = (col(Measurement.at).desc(), col(Measurement.id).desc())
    return session.exec(select(Measurement).where(Measurement.device_id == device).order_by(*newest_first)).first()
