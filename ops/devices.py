"""`starai devices`: the machines that owners enrolled."""

import contextlib
from collections.abc import Iterator

import click
from sqlmodel import Session

from ops.access import open_access, open_registry
from ops.confirm import confirm, yes_option
from ops.device_list import devices_table
from ops.device_view import device_data, view_data, view_of, view_report
from ops.known import check_known
from ops.list_by_default import ListByDefault
from ops.output import json_option, output_width, print_json, print_rich, print_table
from registry.columns import now
from registry.database import reading, session
from registry.devices import enrolled_devices, find_device
from registry.health_view import fleet_health
from registry.overview import all_devices, all_owners
from registry.standing_rule import StandingSettings
from registry.tables import Owner
from registry.transfer import transfer_device
from tasks.conduct import Conduct
from tasks.enforcement import Enforcement

_EMPTY = "There are no devices yet: invite one with `starai tokens issue --owner NAME --region REGION`."


reason_option = click.option(
    "--reason", default="by the operator", show_default=True, help="Why; it stays in the device's history."
)


@click.group(cls=ListByDefault)
def devices() -> None:
    """Devices: the machines that owners enrolled. Without a command, lists them."""


@devices.command("list")
@json_option
def list_devices(as_json: bool) -> None:
    """List all devices.

    Whose they are, where, in which state and why, how far they are trusted, when they last answered, what they host.
    A wide terminal shows also their names, their load, and since when they are enrolled. `starai health` shows what of
    them needs attention.
    """
    with open_registry() as engine, reading(engine) as registry:
        found = all_devices(registry)
        health = {each.device.id: each for each in fleet_health(registry, now(), StandingSettings())}
    if as_json:
        print_json({"devices": [device_data(each, health[each.device.id]) for each in found]})
    elif found:
        print_rich(devices_table(found, health, output_width()))
    else:
        click.echo(_EMPTY)


@devices.command()
@click.argument("device")
@json_option
def show(device: str, as_json: bool) -> None:
    """Show all of DEVICE.

    How the last check found it, how far it is trusted, what it measured, what it hosts, since when it has its keys, and
    its history. With --json also the whole measurement as the device sent it.
    """
    with open_registry() as engine, session(engine) as registry:
        check_device(registry, device)
        view = view_of(registry, device)
    if as_json:
        print_json(view_data(view))
    else:
        print_rich(view_report(view))


@devices.command()
@click.argument("device")
@click.argument("owner")
@reason_option
@yes_option
@json_option
def transfer(device: str, owner: str, reason: str, yes: bool, as_json: bool) -> None:
    """Make DEVICE another OWNER's.

    It keeps its keys, its state and its history, and goes on serving. It asks first.
    """
    with open_registry() as engine:
        with session(engine) as registry:
            check_device(registry, device)
            _check_owner(registry, owner)
            old = registry.get_one(Owner, find_device(registry, device).owner_id).name
        if old != owner:
            confirm(f"Make {device}, which is {old}'s, {owner}'s?", yes)
            with session(engine) as registry:
                transfer_device(registry, device, owner, reason)
    if as_json:
        print_json({"device": device, "from": old, "to": owner})
    else:
        click.echo(
            f"{device} is {owner}'s now, and was {old}'s." if old != owner else f"{device} is {owner}'s already."
        )


@devices.command()
@click.argument("device")
@reason_option
@click.option(
    "--grace",
    type=click.FloatRange(0, 3600),
    default=30.0,
    show_default=True,
    help="Seconds for the device to end what it runs; then another one does it.",
)
@json_option
def deactivate(device: str, reason: str, grace: float, as_json: bool) -> None:
    """Take DEVICE out of work until it is activated: no health check brings it back.

    It is told first, and ends what it runs. Then the broker lets it read no task queue any more, whatever it thinks.
    """
    with _enforcement(device) as enforcement:
        enforcement.deactivate(device, reason, grace, hold=True)
    _print_state(device, "inactive", as_json)


@devices.command()
@click.argument("device")
@reason_option
@json_option
def activate(device: str, reason: str, as_json: bool) -> None:
    """Let DEVICE work again. If it runs, it begins within seconds, by itself."""
    with _enforcement(device) as enforcement:
        enforcement.activate(device, reason)
    _print_state(device, "active", as_json)


@devices.command()
@json_option
def audit(as_json: bool) -> None:
    """Look at what devices do at the broker that they should not, and it cannot prevent.

    It compares their consumers, channels and what they hold with what each is allowed. What two looks in a row find is
    a failure of the device, and stays in its history. Exits with 1 when there is any.
    """
    with open_access() as access:
        found = Conduct(access.engine, access.management).audit_all()
    if as_json:
        print_json({"findings": [{"device": f.device, "kind": f.kind.name, "detail": f.detail} for f in found]})
    else:
        rows = [(finding.device, finding.kind, finding.detail) for finding in found]
        print_table(("device", "it ...", "detail"), rows, "Nothing is wrong.")
    raise SystemExit(1 if found else 0)


def check_device(registry: Session, device: str) -> None:
    """Make sure that there is such a device.

    Raises:
        RegistryError: there is none; the message has the nearest ids.
    """
    known = [found.id for found in enrolled_devices(registry)]
    check_known("device", device, known, "`starai devices` lists them.")


def _check_owner(registry: Session, owner: str) -> None:
    known = [found.name for found in all_owners(registry)]
    check_known("owner", owner, known, "Add one with `starai owners add NAME`.")


@contextlib.contextmanager
def _enforcement(device: str) -> Iterator[Enforcement]:
    with open_access() as access:
        with session(access.engine) as registry:
            check_device(registry, device)
        yield Enforcement(access.engine, access.management, access.url.get_secret_value())


def _print_state(device: str, state: str, as_json: bool) -> None:
    if as_json:
        print_json({"device": device, "state": state})
    else:
        click.echo(f"{device} is {state}.")
