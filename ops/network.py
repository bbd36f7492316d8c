"""The local network: a private broker, the registry, the platform, and devices as processes of their own."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout
from sqlalchemy import Engine

from broker_config import names
from broker_config.apply import apply
from broker_config.errors import BrokerError
from broker_config.home import home, private_folder
from broker_config.node import Node
from broker_config.regions import Region
from broker_config.roles import submitter_role
from broker_config.settings import BrokerSettings
from broker_config.topology import device_topology, topology
from broker_config.users import new_password, put_user
from models.calibration import Calibration
from models.catalogue import load_catalogue
from models.entry import CatalogueEntry, Kind
from models.host import LOAD_SECONDS
from models.store import ModelStore
from ops import local_registry
from ops.local_device import LocalDevice, enrol_at_broker, keys_of
from ops.platform_processes import PLATFORM
from ops.process import Process
from registry.database import migrate, open_engine
from starai.errors import LocalNetworkError
from starai.settings import announce_network, forget_network
from worker.calibrate import calibrate_model
from worker.measure import measure

_SUBMITTER = "local-submitter"
_READY_SECONDS = 60.0
_STOP_SECONDS = 10.0

#: Told what happens now, once for each step of the start.
OnStep = Callable[[str], None]


class LocalNetwork:
    """A whole network on this machine. One runs per home folder.

    Args:
        devices: which devices to run.
        models: names of the models that each of them hosts.
        region: where submitters on this machine are.
    """

    def __init__(self, devices: Sequence[LocalDevice], models: Sequence[str], region: Region) -> None:
        self._catalogue = load_catalogue()
        self._models = [self._catalogue.get(name) for name in models]
        self._region = region
        self._folder = private_folder(home())
        self._lock = FileLock(self._folder / "up.lock", timeout=0, mode=0o600)
        self._owns_node = False
        self._platform: dict[str, Process] = {}
        self.node = Node()
        self.plan = tuple(devices)
        self._threads = max((os.cpu_count() or 1) // len(self.plan), 1)
        self.devices: dict[str, Process] = {}

    def start(self, on_step: OnStep) -> None:
        """Start everything and wait until all devices serve.

        Raises:
            LocalNetworkError: a network runs already, or a process of this one ended early.
            StarAIError: whatever else stands in the way; nothing is left running.
        """
        try:
            self._lock.acquire()
        except Timeout as error:
            raise LocalNetworkError(
                f"A network runs already from {self._folder}. Stop it with Ctrl-C there."
            ) from error
        try:
            self._start(on_step)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything, in the order in which it depends on each other: devices, platform, broker."""
        forget_network()
        platform = list(self._platform.values())
        for stopped_together in (list(self.devices.values()), platform[1:], platform[:1]):
            _stop(stopped_together)
        if self._owns_node:
            self.node.stop()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self, on_step: OnStep) -> None:
        for model in self._models:
            on_step(f"the model {model.name}")
            ModelStore().ensure(model)
        on_step("the registry")
        self._fill_registry(on_step)
        on_step("a private RabbitMQ")
        self._owns_node = self.node.start(lifeline=True)
        on_step("exchanges, queues and users")
        url, enrolments = self._set_up_broker()
        on_step("the platform and the devices")
        self._launch(enrolments)
        self._wait_until_ready()
        announce_network(url, self._region)

    def _fill_registry(self, on_step: OnStep) -> None:
        engine = open_engine()
        try:
            migrate(engine)
            calibrated = self._measure(engine, on_step)
            local_registry.know(engine, keys_of(self.plan, self._folder / "devices"))
            self._deployments = local_registry.host(engine, self.plan, self._models, calibrated, self._threads)
            self._hosted = local_registry.hosted_models(engine, self._catalogue)
        finally:
            engine.dispose()

    def _measure(self, engine: Engine, on_step: OnStep) -> dict[str, Calibration]:
        """Measure what no earlier start did: this machine, and each model with as many threads as it now gets."""
        unmeasured = local_registry.enrol(engine, self.plan)
        known = local_registry.calibrations(engine, self.plan, self._threads)
        new = [model for model in self._models if model.name not in known]
        if unmeasured or new:
            on_step("a short measurement of this machine")
        if unmeasured:
            local_registry.record(engine, unmeasured, measure)
        found = {model.name: _calibrated(model, self._threads) for model in new}
        return known | {model: calibration for model, calibration in found.items() if calibration}

    def _set_up_broker(self) -> tuple[str, dict[str, Path]]:
        whole = topology(self._hosted, BrokerSettings().queue_type)
        for device in self.plan:
            whole += device_topology(device.id)
        apply(self.node.url(), whole)
        password = new_password().get_secret_value()
        put_user(self.node.api, _SUBMITTER, password, submitter_role(_SUBMITTER))
        folder, told = self._folder / "devices", self._deployments
        enrolments = {d.id: enrol_at_broker(self.node, d, told, self._threads, folder) for d in self.plan}
        return self.node.url(_SUBMITTER, password), enrolments

    def _launch(self, enrolments: dict[str, Path]) -> None:
        python, logs = [sys.executable, "-P", "-m"], private_folder(self._folder / "log")
        environment = {"STARAI_BROKER_URL": self.node.url(), "STARAI_MANAGEMENT_URL": self.node.api.url}
        for part in PLATFORM:
            self._platform[part.name] = Process(part.name, [*python, *part.command], logs, environment)
        for device, file in enrolments.items():
            command = [*python, "worker.cli", "start", "--lifeline", "--enrolment", str(file)]
            self.devices[device] = Process(device, command, logs)

    def _wait_until_ready(self) -> None:
        # To verify and load a language model's gigabytes takes longer than anything else.
        is_large = any(model.kind is Kind.GENERATE for model in self._models)
        patience = LOAD_SECONDS if is_large else _READY_SECONDS
        deadline = time.monotonic() + patience
        while missing := self._not_ready():
            for process in self.processes.values():
                if process.exit_code is not None:
                    raise LocalNetworkError(f"{process.name} ended at its start:\n{process.last_words()}")
            if time.monotonic() > deadline:
                raise LocalNetworkError(f"Not ready after {patience:g} s: {', '.join(missing)}. See {self.logs}.")
            time.sleep(0.1)

    @property
    def processes(self) -> dict[str, Process]:
        """The platform's processes and the devices, by name."""
        return self._platform | self.devices

    @property
    def logs(self) -> Path:
        """The folder with the processes' logs."""
        return self._folder / "log"

    def _not_ready(self) -> list[str]:
        try:
            consumers = self.node.api.consumers(names.VHOST)
        except BrokerError:  # a node that just came up may not answer this yet
            return ["the broker"]
        # Of a consumer that is new the broker has no details yet.
        users = {details["user"] for consumer in consumers if (details := consumer.get("channel_details"))}
        queues = {consumer["queue"]["name"] for consumer in consumers}
        waited_for = [part.name for part in PLATFORM if not part.is_ready(self._platform[part.name], queues)]
        return waited_for + [device for device in self.devices if device not in users]


def _calibrated(model: CatalogueEntry, threads: int) -> Calibration | None:
    store = ModelStore()
    folder = store.ensure(model)
    return calibrate_model(store.known(model), folder, threads)


def _stop(processes: Sequence[Process]) -> None:
    for process in processes:
        process.release()
    for process in processes:
        process.wait(_STOP_SECONDS)
