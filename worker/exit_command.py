"""The command `starai-worker exit`: ends the device that runs, and says how it ended."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from starai.errors import DeviceRuns
from worker.control import Control, utc_now
from worker.enrolment import enrolment_file, load_enrolment
from worker.options import enrolment_option, json_option
from worker.status import Ending, Status
from worker.wishes import ExitWish

# Seconds beyond the grace for a device to say goodbye, disconnect and end its models.
_SLACK = 20.0
_POLL = 0.1


@dataclass(frozen=True)
class Exit:
    """How a device was found to end: ``ran`` tells whether there was one, ``ending`` what it said, if it did."""

    ran: bool
    ending: Ending | None = None


@click.command("exit")
@click.option("--grace", type=click.FloatRange(0), help="Seconds for running tasks.  [default: as `start` was told]")
@json_option
@enrolment_option
def exit_device(grace: float | None, as_json: bool, enrolment: Path | None) -> None:
    """End the device that runs: it takes nothing new, finishes what runs, hands back the rest and says goodbye.

    Leaving by one's own choice is never held against a device. Waits until it has ended, and says how. Ctrl-C ends
    the wait only. A service that was installed starts the device again at the next login; `starai-worker service
    remove` ends that.

    Exits with 0 when no device runs (any more), with 1 when it ended without saying how, or does not end.
    """
    file = enrolment or enrolment_file()
    load_enrolment(file)
    control = Control(file)
    found = end_device(control, grace, Console(stderr=True, markup=False, highlight=False))
    if as_json:
        ending = found.ending.model_dump() if found.ending else None
        click.echo(json.dumps({"ran": found.ran, "ending": ending}, indent=2))
    else:
        click.echo(as_sentence(found))
    if found.ran and found.ending is None:
        raise SystemExit(1)


def end_device(control: Control, grace: float | None, console: Console) -> Exit:
    """Let the device that runs leave, and wait for that.

    Raises:
        DeviceRuns: it does not end.
    """
    if not control.runs():
        return Exit(ran=False)
    before = control.status()
    control.change_wishes(lambda wishes: wishes.model_copy(update={"exit": ExitWish(grace=grace)}))
    with console.status("The device leaves") as line:
        _wait(control, lambda status: line.update(_progress(status)))
    after = control.status()
    told = after is not None and (before is None or after.since >= before.since)
    return Exit(ran=True, ending=after.ended if after and told else None)


def as_sentence(found: Exit) -> str:
    """Return what to tell the owner."""
    if not found.ran:
        return "No device runs here."
    if found.ending is None:
        return "The device has ended, and did not say how. What ran is done by other devices."
    finished, left = found.ending.finished, found.ending.left
    parts = [f"{_tasks(finished)} finished"] if finished else []
    parts += [f"{_tasks(left)} handed to other devices"] if left else []
    did = ", ".join(parts) or "nothing ran"
    told = (
        "" if found.ending.told else " The network did not answer its goodbye; it will notice that the device is gone."
    )
    return f"The device has ended: {did}.{told}"


def _wait(control: Control, show: Callable[[Status], object]) -> None:
    heard = time.monotonic()
    while control.runs():
        status = control.status()
        if status is not None:
            show(status)
            if status.leaving_by is not None:
                heard = max(heard, time.monotonic() + (status.leaving_by - utc_now()).total_seconds())
        if time.monotonic() > heard + _SLACK:
            pid = f" Its process is {status.pid}." if status else ""
            raise DeviceRuns(f"The device does not end.{pid} Its log says what it waits for.")
        time.sleep(_POLL)


def _progress(status: Status) -> str:
    if status.leaving_by is None or not status.running:
        return "The device leaves"
    seconds = max((status.leaving_by - utc_now()).total_seconds(), 0)
    return f"The device leaves: {_tasks(status.running)} running, {seconds:.0f} s at most"


def _tasks(count: int) -> str:
    return f"{count} task" if count == 1 else f"{count} tasks"
