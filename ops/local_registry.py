"""Fills the registry for a local network: its owner, its devices, what they measured and host."""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Engine

from broker_config.topology import HostedModel
from models.catalogue import Catalogue
from models.entry import CatalogueEntry
from ops.local_device import SLOTS, LocalDevice
from registry.database import session
from registry.deployments import Planned, deploy, hosted
from registry.devices import enrol_device
from registry.measurements import latest_measurement, record_measurement
from registry.owners import add_owner
from registry.tables import Measurement
from worker.measure import Measurement as Measured

_OWNER = "local"


def enrol(engine: Engine, devices: Iterable[LocalDevice], models: Sequence[CatalogueEntry]) -> list[str]:
    """Enrol the devices with the models that they host; return those that were never measured."""
    plan = [Planned(model.name, model.tier, SLOTS) for model in models]
    with session(engine) as registry:
        add_owner(registry, _OWNER)
        for device in devices:
            enrol_device(registry, device.id, _OWNER, device.region)
            deploy(registry, device.id, plan)
        return [device.id for device in devices if latest_measurement(registry, device.id) is None]


def record(engine: Engine, devices: Iterable[str], measure: Callable[[], Measured]) -> None:
    """Measure this machine once and record it for each of the devices, which all are on it."""
    measured = measure().model_dump()
    with session(engine) as registry:
        for device in devices:
            record_measurement(registry, Measurement(device_id=device, **measured))


def hosted_models(engine: Engine, catalogue: Catalogue) -> list[HostedModel]:
    """Return what some enrolled device hosts, with the catalogue's word on which is its tier's default."""
    defaults = {model.name for model in catalogue if model.default}
    with session(engine) as registry:
        return [HostedModel(model.name, model.tier, model.name in defaults) for model in hosted(registry)]
