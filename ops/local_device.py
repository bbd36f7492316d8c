"""The devices of a local network: which there are, and their enrolment at the broker."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from pydantic import SecretStr

from broker_config import names
from broker_config.node import Node
from broker_config.regions import Region
from broker_config.roles import device_role
from broker_config.users import new_password, put_user
from tasks.deployment import Deployment
from worker.enrolment import Enrolment, save_enrolment
from worker.keys import DeviceKeys, keys_beside, load_or_make_keys


@dataclass(frozen=True)
class LocalDevice:
    """A device on this machine: its id, and the region that it stands for."""

    id: str
    region: Region


def local_devices(count: int, regions: Sequence[Region]) -> list[LocalDevice]:
    """Return that many devices, spread over the regions in turn, named after them."""
    numbers: Counter[Region] = Counter()
    devices = []
    for region in islice(cycle(regions), count):
        numbers[region] += 1
        devices.append(LocalDevice(f"local-{region}-{numbers[region]}", region))
    return devices


def enrolment_of(device: LocalDevice, folder: Path) -> Path:
    """Return where the device keeps its enrolment below that folder; its keys are beside it."""
    return folder / device.id / "enrolment.json"


def keys_of(devices: Iterable[LocalDevice], folder: Path) -> dict[str, DeviceKeys]:
    """Return each device's own keys, by its id, made if it has none.

    Raises:
        SettingError: they cannot be read or written.
    """
    return {d.id: load_or_make_keys(keys_beside(enrolment_of(d, folder))) for d in devices}


def enrol_at_broker(node: Node, device: LocalDevice, deployments: list[Deployment], threads: int, folder: Path) -> Path:
    """Give the device a broker user that may read its own task queues only, and return its enrolment's file."""
    queues = [queue for d in deployments for queue in names.task_queues(d.tier, d.model)]
    password = new_password().get_secret_value()
    put_user(node.api, device.id, password, device_role(device.id, queues))
    file = enrolment_of(device, folder)
    enrolment = Enrolment(
        device=device.id,
        region=device.region,
        url=SecretStr(node.url(device.id, password)),
        deployments=deployments,
        threads=threads,
    )
    save_enrolment(enrolment, file)
    return file
