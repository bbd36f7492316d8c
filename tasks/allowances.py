"""What each enrolled device may show at the broker, as the registry has it: a few queries, however many devices."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from broker_config import names
from broker_config.audit import Allowance
from broker_config.regions import Region
from registry.columns import now
from registry.device_state import DeviceState
from registry.health_tables import DeviceHealth
from registry.tables import Deployment, Device, DeviceEvent, EventKind

#: Seconds for which a device that fell into the lower band may still show priorities of the upper one: it has a budget
#: of subscription changes, and the longest ladder, 64 rungs, is renewed in 140 s.
LENIENT = 300.0

# The task queues of a model in all regions, and its slots on a device.
_Model = tuple[frozenset[str], int]


@dataclass(frozen=True)
class Enrolled:
    """What the registry knows of a device that matters at the broker.

    Attributes:
        allowance: what it may show there.
        home: the region of a device with one model; ``None`` where it has several or none.
    """

    allowance: Allowance
    home: Region | None = None


def enrolled(registry: Session) -> dict[str, Enrolled]:
    """Return all enrolled devices, by their ids."""
    known = (
        select(col(Device.id), col(Device.region), col(Device.state), col(DeviceHealth.sound))
        .join(DeviceHealth, col(DeviceHealth.device_id) == col(Device.id), isouter=True)
        .order_by(col(Device.id))
    )
    hosted, demoted = _hosted(registry), _demoted(registry, now() - timedelta(seconds=LENIENT))
    return {
        device: _enrolled(hosted.get(device, ()), region, state, sound=sound is not False or device in demoted)
        for device, region, state, sound in registry.execute(known)
    }


def allowances(registry: Session) -> dict[str, Allowance]:
    """Return what each enrolled device may show at the broker."""
    return {device: one.allowance for device, one in enrolled(registry).items()}


def _enrolled(models: Sequence[_Model], region: Region, state: DeviceState, *, sound: bool) -> Enrolled:
    queues = frozenset[str]().union(*(queues for queues, _ in models)) if state is DeviceState.ACTIVE else frozenset()
    allowance = Allowance(queues, slots=sum(slots for _, slots in models), sound=sound)
    return Enrolled(allowance, region if len(models) == 1 else None)


def _hosted(registry: Session) -> dict[str, list[_Model]]:
    """Return the task queues and the slots of each device's models; devices with the same model share the set."""
    wanted = select(col(Deployment.device_id), col(Deployment.tier), col(Deployment.model), col(Deployment.slots))
    queues: dict[tuple[str, str], frozenset[str]] = {}
    hosted: defaultdict[str, list[_Model]] = defaultdict(list)
    for device, tier, model, slots in registry.execute(wanted):
        if (tier, model) not in queues:
            queues[tier, model] = frozenset(names.task_queues(tier, model))
        hosted[device].append((queues[tier, model], slots))
    return hosted


def _demoted(registry: Session, since: datetime) -> set[str]:
    """Return the devices in the lower band that fell into it after that time."""
    fell = (
        select(col(DeviceEvent.device_id))
        .join(DeviceHealth, col(DeviceHealth.device_id) == col(DeviceEvent.device_id))
        .where(
            col(DeviceHealth.sound).is_(False), col(DeviceEvent.kind) == EventKind.DEMOTED, col(DeviceEvent.at) >= since
        )
    )
    return set(registry.scalars(fell))
