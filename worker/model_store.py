"""The model store, as the owner of this machine lends it."""

from models.store import ModelStore
from worker.enrolment import Enrolment
from worker.preferences import Preferences


def owners_store(prefers: Preferences | None, enrolment: Enrolment | None) -> ModelStore:
    """Return the store, in which what the device is to host is never removed to make room."""
    hosted = [deployment.model for deployment in enrolment.deployments] if enrolment else []
    return ModelStore(lent=lent_bytes(prefers.disk if prefers else None), hosted=hosted)


def lent_bytes(disk: float | None) -> int | None:
    """Return the bytes of so many GB; ``None`` where the owner has not said how many."""
    return None if disk is None else round(disk * 1e9)
