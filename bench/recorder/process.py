"""The recorder, as a process of its own with a new database."""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from broker_config.regions import Region
from ops.process import Process
from registry.database import migrate, open_engine, session
from registry.deployments import Planned, deploy
from registry.devices import enrol_device
from registry.owners import add_owner
from tasks.deployment import Deployment

_OWNER = "owner"


@contextmanager
def recorder(broker_url: str, devices: Mapping[str, Deployment]) -> Iterator[Process]:
    """Run the recorder of a network with these devices."""
    with tempfile.TemporaryDirectory(prefix="starai-recorder-") as folder:
        database = f"sqlite:///{Path(folder) / 'registry.db'}"
        fill(database, devices)
        command = [sys.executable, "-P", "-m", "ops.cli", "record", "--lifeline"]
        environment = {"STARAI_BROKER_URL": broker_url, "STARAI_DATABASE_URL": database}
        process = Process("recorder", command, Path(folder), environment)
        try:
            yield process
        finally:
            process.release()
            process.wait(10.0)


def fill(database: str, devices: Mapping[str, Deployment]) -> None:
    """Make the registry, with devices and what they host: only of those are results believed."""
    engine = open_engine(database)
    migrate(engine)
    with session(engine) as registry:
        add_owner(registry, _OWNER)
        for device, found in devices.items():
            enrol_device(registry, device, _OWNER, Region.ASIA)
            deploy(registry, device, [Planned(found.model, found.tier, found.slots)])
    engine.dispose()
