"""What an owner says of a device when it is measured: what it is for, and how much of it they lend."""

from collections.abc import Callable
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from models.measurement import MachineClass
from models.share import Share, default_share
from worker.measure import Evaluation, evaluate_device

#: Adds ``--class`` to a command, as ``claimed``.
class_option: Callable[[Any], Any] = click.option(
    "--class",
    "claimed",
    type=click.Choice([machine_class.value for machine_class in MachineClass]),
    default=MachineClass.PERSONAL.value,
    show_default=True,
    help="What this machine is for; how much of it is lent follows from that.",
)
#: Adds ``--memory-share`` to a command.
memory_share_option: Callable[[Any], Any] = click.option(
    "--memory-share",
    type=click.FloatRange(0, 1, min_open=True),
    help="The part of its memory, and of its GPUs', to lend.  [default: as preferences.toml says, else 0.8 of a "
    "server, 0.5 of a personal machine, 0.15 of a phone]",
)


def evaluate_with_progress(console: Console) -> Evaluation:
    """Measure this machine, with a bar where a person looks on; see :func:`worker.measure.evaluate_device`."""
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Measuring", total=1.0)
        return evaluate_device(lambda done: bar.update(task, completed=done))


def share_of(
    evaluation: Evaluation, machine_class: MachineClass, memory: float | None, threads: int | None = None
) -> Share:
    """Return what the owner lends: that part of the memory and so many threads, or what is usual for such a machine."""
    usual = default_share(machine_class, evaluation.hardware.physical_cores)
    return Share(memory=usual.memory if memory is None else memory, threads=threads or usual.threads)
