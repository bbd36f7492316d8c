"""`starai submitters`: who may submit tasks, each with a broker user of their own."""

from collections.abc import Iterable
from contextlib import ExitStack

import click

from broker_config import names
from broker_config.address import user_of
from broker_config.enforce import expel
from broker_config.roles import submitter_role
from broker_config.users import new_password
from ops.access import Access, BrokerAddress, only_here, open_access, open_registry
from ops.broker_user import make_user
from ops.confirm import confirm, yes_option
from ops.known import check_known
from ops.output import json_option, moment, print_json, print_table
from registry import submitters as registered
from registry.database import session
from registry.devices import enrolled_devices
from registry.tables import Submitter
from starai.errors import InvalidName, RegistryError

# Of broker users that the network makes itself: for tokens, for devices that join, for a network on one machine.
_RESERVED = ("join-", "device-", "local-")
_HOW_TO_ADD = "`starai submitters list` shows all; add one with `starai submitters add NAME`."


@click.group()
def submitters() -> None:
    """Submitters: who may submit tasks to the network. Each has a broker user of the same name."""


def _name(text: str) -> str:
    try:
        wire = names.wire_name(text)
    except InvalidName as error:
        raise click.BadParameter(str(error)) from error
    if wire != text:
        raise click.BadParameter(f"{text!r} has a dot: use {wire!r}.")
    return text


@submitters.command()
@click.argument("name", type=_name)
@json_option
def add(name: str, as_json: bool) -> None:
    """Add the submitter NAME.

    It prints the address with which they submit; that is shown this once. One that was removed may be added again,
    with a new password.
    """
    with open_access() as access:
        address, url = access.address, _make(access, name)
    if as_json:
        ca_file = str(address.ca_file) if address.ca_file else None
        print_json({"name": name, "url": url, "ca_file": ca_file, "ca_sha256": address.fingerprint})
    else:
        _tell(name, url, address)


@submitters.command("list")
@json_option
def list_submitters(as_json: bool) -> None:
    """List all submitters. Those that were removed are among them."""
    with open_registry() as engine, session(engine) as registry:
        found = registered.submitters(registry)
    if as_json:
        print_json({"submitters": [submitter.model_dump() for submitter in found]})
        return
    rows = [(s.name, moment(s.added_at), moment(s.revoked_at) if s.revoked_at else "") for s in found]
    empty = "There are no submitters yet: add one with `starai submitters add NAME`."
    print_table(("submitter", "added", "removed"), rows, empty)


@submitters.command()
@click.argument("name")
@yes_option
@json_option
def remove(name: str, yes: bool, as_json: bool) -> None:
    """Let NAME submit no more.

    Their broker user is deleted and their connections are closed. What they submitted before is still done.
    It asks first.
    """
    with open_access() as access:
        with session(access.engine) as registry:
            check_known("submitter", name, [s.name for s in registered.submitters(registry)], _HOW_TO_ADD)
        confirm(f"Remove the submitter {name}? Their programs are cut off.", yes)
        with session(access.engine) as registry:
            registered.revoke_submitter(registry, name)
            # Last: where the broker refuses, nothing was removed.
            expel(access.management, name)
    if as_json:
        print_json({"name": name, "removed": True})
    else:
        click.echo(f"Removed the submitter {name}.")


def _make(access: Access, name: str) -> str:
    """Add the submitter to registry and broker, both or neither, and return the address with the new password."""
    password = new_password()
    with ExitStack() as undo:
        with session(access.engine) as registry:
            _check_free(access, name, {device.id for device in enrolled_devices(registry)})
            _check_absent(name, registered.submitters(registry))
            registered.add_submitter(registry, name)
            make_user(access, undo, name, password, submitter_role(name))
        undo.pop_all()
    return access.address.url(name, password.get_secret_value())


def _check_free(access: Access, name: str, devices: set[str]) -> None:
    """Refuse a name that is another broker user's: that user would get this one's password and role."""
    if name in devices | {names.PLATFORM, user_of(access.url.get_secret_value())} or name.startswith(_RESERVED):
        raise InvalidName(f"{name!r} is, or looks like, a broker user of the network's own: choose another name.")


def _check_absent(name: str, known: Iterable[Submitter]) -> None:
    if any(submitter.name == name and submitter.revoked_at is None for submitter in known):
        raise RegistryError(
            f"There is a submitter {name} already. For a new password remove them first: "
            f"`starai submitters remove {name}`; that cuts their programs off."
        )


def _tell(name: str, url: str, address: BrokerAddress) -> None:
    click.echo(f"Added the submitter {name}. Their address is shown this once:\n")
    click.echo(f"  STARAI_BROKER_URL={url}")
    if address.ca_file and address.is_local:
        click.echo(f"  STARAI_BROKER_CA={address.ca_file}")
    elif address.ca_file:
        click.echo("  STARAI_BROKER_CA=starai-ca.pem\n")
        click.echo(f"Send them a copy of {address.ca_file} as starai-ca.pem.")
        click.echo(f"Its SHA-256 is {address.fingerprint}.")
    if address.is_local:
        click.echo(f"\n{only_here(address)}", err=True)
