"""Cancelled tasks, and the devices that have to know of them."""

from datetime import datetime

from sqlmodel import Session, col, or_, select

from broker_config import names
from registry.device_state import DeviceState
from registry.tables import Deployment, Device
from registry.task_state import TaskState
from registry.task_tables import Task

# In these a message of the task may still lie in a queue, or come back to one.
_LOOSE = (TaskState.QUEUED, TaskState.STARTED, TaskState.CANCELLED)


def devices_to_tell(session: Session, model: str | None) -> list[str]:
    """Return the devices that host a model, given by its wire name, whether they are at work or not.

    Those that rest may come back before the task expires. Where the model is not known, all devices are meant.
    """
    found = session.exec(
        select(Deployment.device_id, Deployment.model)
        .join(Device, col(Device.id) == col(Deployment.device_id))
        .where(col(Device.state) != DeviceState.BLACKLISTED)
    )
    return sorted({device for device, hosted in found if model is None or names.wire_name(hosted) == model})


def cancelled_for(session: Session, device: str, now: datetime, most: int) -> list[Task]:
    """Return the cancelled tasks of the models that a device hosts which have not expired: the newest, so many."""
    hosted = session.exec(select(Deployment.model).where(Deployment.device_id == device))
    models = [names.wire_name(model) for model in hosted]
    if not models:
        return []
    return list(
        session.exec(
            select(Task)
            .where(
                col(Task.cancelled_at).is_not(None),
                col(Task.state).in_(_LOOSE),
                or_(col(Task.model).is_(None), col(Task.model).in_(models)),
                or_(col(Task.expires_at).is_(None), col(Task.expires_at) > now),
            )
            .order_by(col(Task.cancelled_at).desc())
            .limit(most)
        )
    )
