"""Runs the device in the foreground, from its enrolment to its last task."""

import logging
from contextlib import ExitStack

from broker_config.lifeline import watch_lifeline
from models.catalogue import load_catalogue
from models.host import ModelHost
from models.store import ModelStore
from starai.errors import DeviceFailed
from worker.app import device_app, device_worker
from worker.console import leave_with_console
from worker.control import Control
from worker.departure import Departure
from worker.device import Device
from worker.enrolment import Enrolment
from worker.keeper import keeping
from worker.keys import keys_beside
from worker.mending import mend
from worker.model_store import owners_store
from worker.on_gpu import gpu_of
from worker.preferences_file import PreferencesFile
from worker.threads import within_threads

log = logging.getLogger(__name__)

#: Seconds that running tasks get to end after the device was told to stop.
GRACE = 30.0


def run_device(
    enrolment: Enrolment,
    *,
    grace: float = GRACE,
    lifeline: bool = False,
    control: Control | None = None,
    preferences: PreferencesFile | None = None,
) -> None:
    """Host the enrolled models and serve tasks until the process is told to stop.

    Args:
        enrolment: who this device is and what it hosts.
        grace: seconds that running tasks get to end.
        lifeline: stop as well when standard input ends, so that the device never outlives who started it.
        control: where its owner's commands reach it; without one they do not.
        preferences: what its owner prefers; without them nothing pauses it.

    Raises:
        BrokerUnreachable, BrokerRefused, ModelError: it could not begin.
        DeviceRuns: one runs with this enrolment already.
        SettingError: the files by which owner and device talk cannot be used.
        DeviceFailed: it began, and ended by an error.
    """
    if preferences and preferences.current.threads:
        enrolment = within_threads(enrolment, preferences.current.threads)
    hosts: dict[str, ModelHost] = {}

    def store() -> ModelStore:
        return owners_store(preferences.current if preferences else None, enrolment)

    keys = keys_beside(control.enrolment) if control else None
    device = Device(enrolment, hosts, keys=keys, mend=lambda model: mend(model, hosts[model], store()))
    departure = Departure(device, grace)
    with keeping(enrolment, device, departure, control, preferences), ExitStack() as used:
        departure.obey_signals()
        try:
            device.watch_machine()
            device.open()  # first: a wrong address shows in seconds, a model may take minutes to fetch
            _start_hosts(enrolment, hosts, store(), used)
            serve(device, enrolment, grace=grace, lifeline=lifeline, departure=departure)
        except KeyboardInterrupt:  # before it served
            log.info("device.stopped", extra={"device": device.id})
        finally:
            departure.take_leave()


def serve(
    device: Device, enrolment: Enrolment, *, grace: float, lifeline: bool = False, departure: Departure | None = None
) -> None:
    """Serve tasks with a device that is open, until the process is told to stop.

    Raises:
        DeviceFailed: it ended by an error.
    """
    departure = departure or Departure(device, grace)
    device.watch_load()
    worker = device_worker(device_app(enrolment, device, departure))
    departure.obey_signals()
    departure.begin_serving()
    leave_with_console(departure)
    if lifeline:
        watch_lifeline(lambda: _on_orphaned(departure))
    log.info("device.ready", extra={"device": device.id, "models": ",".join(d.model for d in enrolment.deployments)})
    worker.start()
    if worker.exitcode:
        raise DeviceFailed(f"The device {device.id} stopped because of an error, which is in its log. Start it again.")
    log.info("device.stopped", extra={"device": device.id})


def _start_hosts(enrolment: Enrolment, hosts: dict[str, ModelHost], store: ModelStore, used: ExitStack) -> None:
    catalogue = load_catalogue()
    for deployment in enrolment.deployments:
        model = catalogue.get(deployment.model)
        used.enter_context(store.using(model))
        folder = store.ensure(model)
        threads = deployment.threads or enrolment.threads
        host = ModelHost(store.known(model), folder, threads, gpu_of(deployment))
        hosts[deployment.model] = host
        host.start()


def _on_orphaned(departure: Departure) -> None:
    log.warning("device.orphaned")
    departure.ask()
