"""What there is, for those who operate the network: everything of a kind, each with what belongs to it."""

from collections import defaultdict
from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from registry.tables import Deployment, Device, Owner, Token


@dataclass(frozen=True)
class OwnerOverview:
    """An owner and how many devices are theirs."""

    name: str
    devices: int


@dataclass(frozen=True)
class TokenOverview:
    """A token and its owner's name."""

    token: Token
    owner: str


@dataclass(frozen=True)
class DeviceOverview:
    """A device, its owner's name, and what it hosts, by the models' names."""

    device: Device
    owner: str
    deployments: tuple[Deployment, ...]


def all_owners(session: Session) -> list[OwnerOverview]:
    """Return all owners, by name."""
    counted = select(Owner.name, func.count(col(Device.id))).outerjoin(Device, col(Device.owner_id) == Owner.id)
    rows = session.exec(counted.group_by(Owner.name).order_by(Owner.name))
    return [OwnerOverview(name, devices) for name, devices in rows]


def all_tokens(session: Session) -> list[TokenOverview]:
    """Return all tokens that were ever issued, the newest first."""
    owned = select(Token, Owner.name).join(Owner, col(Token.owner_id) == Owner.id)
    rows = session.exec(owned.order_by(col(Token.issued_at).desc(), col(Token.id)))
    return [TokenOverview(token, owner) for token, owner in rows]


def all_devices(session: Session) -> list[DeviceOverview]:
    """Return all devices, by their ids."""
    hosted: defaultdict[str, list[Deployment]] = defaultdict(list)
    for deployment in session.exec(select(Deployment).order_by(col(Deployment.model))):
        hosted[deployment.device_id].append(deployment)
    owned = select(Device, Owner.name).join(Owner, col(Device.owner_id) == Owner.id)
    rows = session.exec(owned.order_by(col(Device.id)))
    return [DeviceOverview(device, owner, tuple(hosted[device.id])) for device, owner in rows]
