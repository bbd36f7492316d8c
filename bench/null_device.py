"""A real device, as a process of its own, whose model does nothing."""

import os
import signal
from concurrent.futures import Future

import numpy as np
from numpy.typing import NDArray

from bench.peer import Control
from models.entry import Kind
from worker.device import Device
from worker.enrolment import Enrolment
from worker.run import serve

_WIDTH = 8


class NullModel:
    """Answers each text with zeros, at once, in the device's own process."""

    kind = Kind.EMBED
    pid: int | None = None

    def run(
        self,
        inputs: list[str],
        timeout: float | None,  # noqa: ARG002 - a host's
        stop: "Future[None] | None" = None,  # noqa: ARG002
    ) -> NDArray[np.float32]:
        """Return one row for each text."""
        return np.zeros((len(inputs), _WIDTH), np.float32)

    def close(self) -> None:
        """There is nothing to end."""


def null_device(control: Control, enrolment: Enrolment) -> None:
    """Serve the enrolled model, which does nothing, until the benchmark ends."""
    device = Device(enrolment, {deployment.model: NullModel() for deployment in enrolment.deployments})
    device.open()
    control.listen(lambda _: None, on_end=lambda: os.kill(os.getpid(), signal.SIGTERM))
    control.say("ready")
    try:
        serve(device, enrolment, grace=1.0)
    finally:
        device.close()
