"""What the figures were measured on: a figure without its machine and versions says nothing."""

import os
import platform
import shlex
import sys
from datetime import UTC, datetime
from importlib import metadata

from pydantic import BaseModel, ConfigDict

from worker.hardware import find_hardware

_LIBRARIES = ("celery", "pika", "amqp", "dramatiq", "onnxruntime")


class Machine(BaseModel):
    """A machine, its software, and the command that measured; ``load`` is the load average when it began."""

    model_config = ConfigDict(frozen=True)

    cpu: str
    cores: int
    memory_bytes: int
    load: float | None
    versions: dict[str, str]
    command: str
    date: str


def this_machine(rabbitmq: str, command: str) -> Machine:
    """Describe this machine, with that RabbitMQ."""
    hardware = find_hardware()
    return Machine(
        cpu=hardware.cpu_model,
        cores=hardware.threads,
        memory_bytes=hardware.memory_bytes,
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        versions={"RabbitMQ": rabbitmq, "Python": platform.python_version()}
        | {library: metadata.version(library) for library in _LIBRARIES},
        command=command,
        date=datetime.now(UTC).date().isoformat(),
    )


def own_command() -> str:
    """Return the command line of this process, as it is typed."""
    return shlex.join(["python", "-m", "bench", *sys.argv[1:]])
