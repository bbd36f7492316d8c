"""Deployments: which device hosts which model."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlmodel import Session, col, delete, select

from broker_config.tiers import Tier
from broker_config.topology import HostedModel
from registry.devices import find_device
from registry.tables import Deployment


@dataclass(frozen=True)
class Planned:
    """One model of a device's deployment plan; :class:`registry.tables.Deployment` says what its figures are."""

    model: str
    tier: Tier
    slots: int = 1
    threads: int | None = None
    tasks_per_second: float | None = None
    gpu: int | None = None
    memory_bytes: int | None = None


def deploy(session: Session, device: str, plan: Iterable[Planned]) -> None:
    """Let the device host exactly the models of the plan; an empty one leaves it none.

    Raises:
        RegistryError: there is no such device.
    """
    find_device(session, device)
    session.exec(delete(Deployment).where(col(Deployment.device_id) == device))
    session.add_all(Deployment(device_id=device, **asdict(planned)) for planned in plan)
    session.flush()


def deployments_of(session: Session, device: str) -> list[Deployment]:
    """Return what the device hosts, by the models' names.

    Raises:
        RegistryError: there is no such device.
    """
    find_device(session, device)
    by_model = select(Deployment).where(Deployment.device_id == device).order_by(col(Deployment.model))
    return list(session.exec(by_model))


def rates_of(session: Session, model: str) -> list[float]:
    """Return the tasks per second of every device that hosts the model and measured it."""
    rate = col(Deployment.tasks_per_second)
    return [found for found in session.exec(select(rate).where(Deployment.model == model)) if found is not None]


def hosted(session: Session) -> list[HostedModel]:
    """Return the models that some enrolled device hosts, by name, as far as queues care.

    Which model is its tier's default is the catalogue's to say, not the registry's.
    """
    found = session.exec(select(Deployment.model, Deployment.tier).distinct())
    return sorted((HostedModel(model, Tier(tier)) for model, tier in found), key=lambda model: (model.name, model.tier))


def hosted_models(session: Session) -> list[str]:
    """Return the names of the models that some enrolled device hosts, sorted."""
    return sorted({model.name for model in hosted(session)})
