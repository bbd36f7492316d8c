"""The pool of a model: the devices that serve it."""

from sqlmodel import Session, col, select

from registry.deployments import deployments_of
from registry.device_state import DeviceState
from registry.tables import Deployment, Device


def sole_models(session: Session, device: str) -> list[str]:
    """Return the models of a device that no other active device hosts, by name; it need not be active itself.

    Raises:
        RegistryError: there is no such device.
    """
    hosted = {found.model for found in deployments_of(session, device)}
    others = (Device.state == DeviceState.ACTIVE, Deployment.device_id != device, col(Deployment.model).in_(hosted))
    served = select(Deployment.model).join(Device, col(Device.id) == col(Deployment.device_id)).where(*others)
    served_by_others = set(session.exec(served))
    return sorted(hosted - served_by_others)
