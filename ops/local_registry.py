"""Fills the registry for a local network: its owner, its devices, what they measured and host."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlalchemy import Engine
from sqlmodel import Session

from broker_config.topology import HostedModel
from models.calibration import Calibration
from models.catalogue import Catalogue
from models.entry import CatalogueEntry
from models.measurement import Measurement as Measured
from ops.local_device import LocalDevice
from registry.database import session
from registry.deployments import Planned, deploy, deployments_of, hosted, rates_of
from registry.device_keys import add_key, current_key, rotate
from registry.device_state import DeviceState
from registry.devices import enrol_device
from registry.measurements import latest_measurement, record_measurement
from registry.owners import add_owner
from registry.speed import AVERAGE, relative_speed
from registry.states import set_state
from tasks.admission import measurement_row
from tasks.deployment import Deployment
from worker.keys import DeviceKeys

_OWNER = "local"


def enrol(engine: Engine, devices: Iterable[LocalDevice]) -> list[str]:
    """Enrol the devices; return those that were never measured."""
    with session(engine) as registry:
        add_owner(registry, _OWNER)
        for device in devices:
            enrol_device(registry, device.id, _OWNER, device.region)
            set_state(registry, device.id, DeviceState.ACTIVE, "started by starai up")
        return [device.id for device in devices if latest_measurement(registry, device.id) is None]


def know(engine: Engine, keys: Mapping[str, DeviceKeys]) -> None:
    """Let each device be known by its keys. Where its folder was removed it has others than the last time."""
    with session(engine) as registry:
        for device, own in keys.items():
            public = own.public_signing, own.public_sealing
            known = current_key(registry, device)
            if known is None or known.signing == own.public_signing:
                add_key(registry, device, *public)
            else:
                rotate(registry, device, known.signing, *public)


def record(engine: Engine, devices: Iterable[str], measure: Callable[[], Measured]) -> None:
    """Measure this machine once and record it for each of the devices, which all are on it."""
    measured = measure()
    with session(engine) as registry:
        for device in devices:
            record_measurement(registry, measurement_row(device, measured))


def calibrations(engine: Engine, devices: Iterable[LocalDevice], threads: int) -> dict[str, Calibration]:
    """Return, by model, what any of the devices measured with so many threads: all are on the same machine."""
    with session(engine) as registry:
        return {
            found.model: Calibration(slots=found.slots, tasks_per_second=found.tasks_per_second)
            for device in devices
            for found in deployments_of(registry, device.id)
            if found.threads == threads and found.tasks_per_second is not None
        }


def host(
    engine: Engine,
    devices: Iterable[LocalDevice],
    models: Sequence[CatalogueEntry],
    calibrated: Mapping[str, Calibration],
    threads: int,
) -> list[Deployment]:
    """Let each of the devices host the models with so many threads each, and return what each is to be told of that.

    A model that could not be measured has one slot.
    """
    plan = [_planned(model, calibrated.get(model.name), threads) for model in models]
    with session(engine) as registry:
        for device in devices:
            deploy(registry, device.id, plan)
        return [_deployment(registry, planned) for planned in plan]


def hosted_models(engine: Engine, catalogue: Catalogue) -> list[HostedModel]:
    """Return what some enrolled device hosts, with the catalogue's word on which is its tier's default."""
    defaults = {model.name for model in catalogue if model.default}
    with session(engine) as registry:
        return [HostedModel(model.name, model.tier, model.name in defaults) for model in hosted(registry)]


def _planned(model: CatalogueEntry, calibration: Calibration | None, threads: int) -> Planned:
    measured = calibration.model_dump() if calibration else {}
    return Planned(model.name, model.tier, threads=threads, **measured)


def _deployment(registry: Session, planned: Planned) -> Deployment:
    rate = planned.tasks_per_second
    speed = AVERAGE if rate is None else relative_speed(rate, rates_of(registry, planned.model))
    return Deployment(model=planned.model, tier=planned.tier, slots=planned.slots, speed=speed)
