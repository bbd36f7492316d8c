"""`starai owners`: who lends devices."""

from dataclasses import asdict

import click

from ops.access import open_registry
from ops.output import json_option, print_json, print_table
from registry.database import session
from registry.overview import all_owners
from registry.owners import add_owner

_LONGEST = 100


@click.group()
def owners() -> None:
    """Owners: who lends devices to the network. Each invites devices by join tokens."""


def _name(text: str) -> str:
    if not 0 < len(text) <= _LONGEST or not text.isprintable() or text != text.strip():
        raise click.BadParameter(
            f"an owner's name has 1 to {_LONGEST} printable characters, and no blank at either end."
        )
    return text


@owners.command()
@click.argument("name", type=_name)
@json_option
def add(name: str, as_json: bool) -> None:
    """Add the owner NAME. One that is there already stays as it is."""
    with open_registry() as engine, session(engine) as registry:
        new = all(owner.name != name for owner in all_owners(registry))
        add_owner(registry, name)
    if as_json:
        print_json({"name": name, "added": new})
    else:
        click.echo(f"Added the owner {name}." if new else f"{name} is an owner already.")


@owners.command("list")
@json_option
def list_owners(as_json: bool) -> None:
    """List all owners. Each with how many devices are theirs."""
    with open_registry() as engine, session(engine) as registry:
        found = all_owners(registry)
    if as_json:
        print_json({"owners": [asdict(owner) for owner in found]})
        return
    rows = [(owner.name, str(owner.devices)) for owner in found]
    print_table(("owner", "devices"), rows, "There are no owners yet: add one with `starai owners add NAME`.")
