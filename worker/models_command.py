"""The commands `starai-worker models`: what is on this machine, fetched, removed, verified."""

import json
import sys
from pathlib import Path

import click
from rich.console import Console

from models.catalogue import load_catalogue
from models.room import gb
from models.store import ModelStore, from_folder
from starai.errors import ModelCorrupt, ModelInUse
from worker.enrolment import Enrolment, enrolment_file, load_enrolment
from worker.model_facts import gather
from worker.model_name import ModelName
from worker.model_store import owners_store
from worker.models_table import models_table
from worker.options import disk_option, enrolment_option, json_option
from worker.preferences import load_preferences, overridden, preferences_beside
from worker.pull_progress import showing

# Of output that no terminal shows: rows are not broken, so that they can be searched by line.
_WIDE = 10_000

_names = click.argument("names", metavar="MODEL...", type=ModelName(), nargs=-1, required=True)


@click.group()
def models() -> None:
    """See, fetch, remove and verify the models on this machine.

    Exit codes: 0 done, 1 failed (the reason is on standard error), 2 wrong arguments.
    """


@models.command("list")
@json_option
@enrolment_option
def list_models(as_json: bool, enrolment: Path | None) -> None:
    """Show every model: its tier and size, where it is from, whether it is here, when it was last verified and used.

    `hosted` says whether the network wants this device to host it. What is not here yet has the size that is expected.
    """
    store, joined = _store(enrolment, None)
    planned = frozenset(deployment.model for deployment in joined.deployments) if joined else None
    facts, room = gather(load_catalogue(), store, planned), store.room()
    if as_json:
        disk = {"taken_bytes": room.taken, "most_bytes": room.most, "free_bytes": room.free, "folder": room.where}
        click.echo(json.dumps({"models": [one.model_dump(mode="json") for one in facts], "disk": disk}, indent=2))
    else:
        width = None if sys.stdout.isatty() else _WIDE
        Console(markup=False, highlight=False, emoji=False, width=width).print(models_table(facts, room))


@models.command()
@_names
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take it from this folder, whatever the catalogue says: its files are linked, or copied, and verified.",
)
@disk_option
@enrolment_option
def pull(names: tuple[str, ...], folder: Path | None, disk: float | None, enrolment: Path | None) -> None:
    """Fetch models, and verify each file of them. What is here already is verified alone.

    What was cut off is gone on with by the next pull. The Hugging Face hub is asked with the token in HF_TOKEN, or that
    of `hf auth login`; HF_ENDPOINT names a mirror. Where models have no room (--disk), those that were not used for
    longest are removed, but none that this device hosts.
    """
    if folder and len(names) > 1:
        raise click.UsageError("--from is for one model.")
    store, _ = _store(enrolment, disk)
    for name in names:
        _pull(store, name, folder)


def _pull(store: ModelStore, name: str, folder: Path | None) -> None:
    entry, before = load_catalogue().get(name), store.names()
    with showing(name, Console(stderr=True)) as on_progress:
        store.ensure(from_folder(entry, folder) if folder else entry, on_progress)
    if gone := sorted(set(before) - set(store.names())):
        click.echo(f"Removed to make room: {', '.join(gone)}.")
    files = store.known(entry).files
    click.echo(f"{name} is here: {_files(len(files))}, {gb(sum(file.size for file in files))}, each verified.")


@models.command()
@_names
@json_option
def verify(names: tuple[str, ...], as_json: bool) -> None:
    """Compare every file of models with its size and SHA-256: what the catalogue says, or what the first pull pinned.

    Exits with 1 where a file is not what it should be.
    """
    store = ModelStore()
    found = {name: store.faults(load_catalogue().get(name)) for name in names}
    if as_json:
        data = [{"name": name, "sound": not faults, "faults": faults} for name, faults in found.items()]
        click.echo(json.dumps({"models": data}, indent=2))
    for name, faults in found.items():
        if not faults and not as_json:
            click.echo(f"{name} is sound: {_files(len(store.known(load_catalogue().get(name)).files))}.")
    if wrong := [name for name, faults in found.items() if faults]:
        raise ModelCorrupt(_wrong(wrong, found))


def _wrong(wrong: list[str], found: dict[str, list[str]]) -> str:
    lines = [fault for name in wrong for fault in found[name]]
    again = " ".join(wrong)
    fix = f"Fetch anew: starai-worker models remove --yes {again} && starai-worker models pull {again}"
    return "\n".join([f"{', '.join(wrong)}: not what it should be.", *lines, fix])


@models.command()
@_names
@click.option("--yes", is_flag=True, help="Do it without asking.")
def remove(names: tuple[str, ...], yes: bool) -> None:
    """Remove models from this machine, and what came of them until now.

    What their files have to be is kept, so that what is pulled again is the same. Refused while a device that runs
    uses one of them; a device that is to host a model that was removed fetches it at its next start.
    """
    store = ModelStore()
    if used := [name for name in names if store.is_used(name)]:
        raise ModelInUse(
            f"A device that runs uses {', '.join(used)}. End it first (`starai-worker exit`), then remove it."
        )
    if not yes and not _agreed(names):
        raise click.ClickException("Nothing was removed.")
    for name in names:
        click.echo(f"{name} is removed." if store.remove(name) else f"{name} was not here.")


def _agreed(names: tuple[str, ...]) -> bool:
    try:
        return click.confirm(f"Remove {', '.join(names)} from this machine?", err=True)
    except click.Abort:  # standard input has ended
        click.echo(err=True)
        raise click.ClickException("Nobody answered, so nothing was removed. Use --yes where no one can.") from None


def _store(enrolment: Path | None, disk: float | None) -> tuple[ModelStore, Enrolment | None]:
    """Return the store as the owner lends it, and what this machine is to host, if it has joined a network."""
    file = enrolment or enrolment_file()
    joined = load_enrolment(file) if enrolment or file.exists() else None
    prefers = overridden(load_preferences(preferences_beside(file)), {"disk": disk})
    return owners_store(prefers, joined), joined


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
