"""Runs the device in the foreground, from its enrolment to its last task."""

import logging
import os
import signal
from types import FrameType

from celery.worker import state

from broker_config.lifeline import watch_lifeline
from models.catalogue import load_catalogue
from models.host import ModelHost
from models.store import ModelStore
from starai.errors import DeviceFailed
from worker.app import device_app, device_worker
from worker.device import Device
from worker.enrolment import Enrolment

log = logging.getLogger(__name__)

#: Seconds that running tasks get to end after the device was told to stop.
GRACE = 30.0


def run_device(enrolment: Enrolment, *, grace: float = GRACE, lifeline: bool = False) -> None:
    """Host the enrolled models and serve tasks until the process is told to stop.

    Args:
        enrolment: who this device is and what it hosts.
        grace: seconds that running tasks get to end.
        lifeline: stop as well when standard input ends, so that the device never outlives who started it.

    Raises:
        BrokerUnreachable, BrokerRefused, ModelError: it could not begin.
        DeviceFailed: it began, and ended by an error.
    """
    hosts: dict[str, ModelHost] = {}
    device = Device(enrolment, hosts)
    try:
        device.open()  # first: a wrong address shows in seconds, a model may take minutes to fetch
        _start_hosts(enrolment, hosts)
        serve(device, enrolment, grace=grace, lifeline=lifeline)
    finally:
        device.close()


def serve(device: Device, enrolment: Enrolment, *, grace: float, lifeline: bool = False) -> None:
    """Serve tasks with a device that is open, until the process is told to stop.

    Raises:
        DeviceFailed: it ended by an error.
    """
    device.watch_load()
    worker = device_worker(device_app(enrolment, device, grace))
    _stop_on_signals()
    if lifeline:
        watch_lifeline(_on_orphaned)
    log.info("device.ready", extra={"device": device.id, "models": ",".join(d.model for d in enrolment.deployments)})
    worker.start()
    if worker.exitcode:
        raise DeviceFailed(f"The device {device.id} stopped because of an error, which is in its log. Start it again.")
    log.info("device.stopped", extra={"device": device.id})


def _start_hosts(enrolment: Enrolment, hosts: dict[str, ModelHost]) -> None:
    catalogue, store = load_catalogue(), ModelStore()
    for deployment in enrolment.deployments:
        model = catalogue.get(deployment.model)
        hosts[deployment.model] = host = ModelHost(model, store.ensure(model), deployment.threads or enrolment.threads)
        host.start()


def _stop_on_signals() -> None:
    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _on_signal)


def _on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    if state.should_stop is not None:
        # The second one: at once. What runs is unacknowledged, so the broker gives it to another device.
        os._exit(1)
    state.should_stop = 0


def _on_orphaned() -> None:
    log.warning("device.orphaned")
    state.should_stop = 0
