"""`starai tokens`: invitations by which owners' devices join."""

import secrets
from contextlib import ExitStack
from datetime import datetime, timedelta
from shlex import quote
from typing import Any

import click
from pydantic import SecretStr, ValidationError

from broker_config.enforce import expel
from broker_config.join_token import JoinToken
from broker_config.regions import Region
from broker_config.roles import bootstrap_role
from ops.access import Access, BrokerAddress, open_access, open_registry
from ops.broker_user import make_user
from ops.confirm import confirm, yes_option
from ops.duration import parse_duration
from ops.known import check_known
from ops.output import json_option, moment, output_width, print_json, print_table
from ops.token_link import check_way_in, code, code_width, find_page, link, works_here_alone
from registry.columns import now
from registry.database import session
from registry.overview import TokenOverview, all_owners, all_tokens
from registry.tables import Token
from registry.tokens import TokenReason, issue_token, revoke_token
from starai.errors import SettingError

_MOST_USES = 100_000
# Less than other users have: a code to scan is the smaller, and the login may only ask to join.
_PASSWORD_BYTES = 16
_COLUMNS = ("token", "owner", "region", "state", "uses left", "issued", "expires")


@click.group()
def tokens() -> None:
    """Join tokens: by one, an owner's devices join the network. Each has a broker user of its own."""


@tokens.command()
@click.option("--owner", required=True, help="Whose devices join by it.")
@click.option(
    "--region",
    required=True,
    type=click.Choice([str(region) for region in Region]),
    help="Where those devices stand.",
)
@click.option(
    "--uses", type=click.IntRange(1, _MOST_USES), default=1, show_default=True, help="How many devices may join by it."
)
@click.option(
    "--expires",
    type=parse_duration,
    metavar="DURATION",
    default="1d",
    show_default=True,
    help="For how long they may join: 30m, 12h, 7d.",
)
@click.option("--qr", is_flag=True, help="For phones: print a link to open, and a code of it to scan.")
@click.option(
    "--page",
    metavar="URL",
    help="With --qr: where the page is that phones open. Without it: STARAI_PAGE_URL, else what is served here.",
)
@json_option
def issue(owner: str, region: str, uses: int, expires: timedelta, qr: bool, page: str | None, as_json: bool) -> None:
    """Make a join token.

    It prints the token, which is shown this once, with the two commands that the device's owner runs; or, with --qr,
    a code that the owner of a phone scans. Who has the token can make devices join as the owner's: send it as you would
    send a password.
    """
    if page is not None and not qr:
        raise click.UsageError("--page says where the link of --qr leads: give both.")
    until = now() + expires
    with open_access() as access:
        base = _page(access.address, page) if qr else None
        token = _issue(access, owner, Region(region), until, uses)
    joining = {"link": link(base, token)} if base else {}
    if as_json:
        known = {"id": token.id, "owner": owner, "region": region, "uses": uses, "expires_at": until}
        print_json({**known, "token": token.encode(), "commands": _commands(token), **joining})
        return
    devices = "1 device" if uses == 1 else f"{uses} devices"
    click.echo(f"Token {token.id}: {devices} of {owner} in {region} may join until {moment(until)}.")
    _show_link(joining["link"], owner) if base else _show_commands(token)
    if limit := works_here_alone(access.address, base):
        click.echo(f"\n{limit}", err=True)


@tokens.command("list")
@click.option("--owner", help="Only this owner's.")
@json_option
def list_tokens(owner: str | None, as_json: bool) -> None:
    """List all tokens.

    The newest come first, those that invite nobody any more among them. A token itself is not shown again.
    """
    with open_registry() as engine, session(engine) as registry:
        if owner is not None:
            check_known("owner", owner, [known.name for known in all_owners(registry)], _how_to_add(owner))
        found = [token for token in all_tokens(registry) if owner in (None, token.owner)]
    if as_json:
        print_json({"tokens": [_as_data(token, now()) for token in found]})
        return
    empty = "There are no tokens: make one with `starai tokens issue --owner NAME --region REGION`."
    print_table(_COLUMNS, [_as_row(token, now()) for token in found], empty)


@tokens.command()
@click.argument("token", metavar="ID")
@yes_option
@json_option
def revoke(token: str, yes: bool, as_json: bool) -> None:
    """Let no device join by a token.

    Devices that joined by it stay. Its broker user is deleted; of a token that expired too. It asks first.
    """
    with open_access() as access:
        with session(access.engine) as registry:
            known = [found.token.id for found in all_tokens(registry)]
            check_known("token", token, known, "`starai tokens list` shows their ids.")
        confirm(f"Revoke the token {token}? No device can join by it any more.", yes)
        with session(access.engine) as registry:
            revoke_token(registry, token)
            # Last: where the broker refuses, nothing was revoked.
            expel(access.management, bootstrap_user(token))
    if as_json:
        print_json({"id": token, "revoked": True})
    else:
        click.echo(f"Revoked the token {token}.")


def bootstrap_user(token: str) -> str:
    """Return the name of the broker user with which newcomers who have the token log in."""
    return f"join-{token}"


def token_state(token: Token, at: datetime) -> str:
    """Return ``open`` while devices may join by the token, else why none may."""
    if token.revoked_at is not None:
        return TokenReason.REVOKED
    if token.expires_at <= at:
        return TokenReason.EXPIRED
    return TokenReason.USED_UP if token.uses_left == 0 else "open"


def _page(address: BrokerAddress, named: str | None) -> str:
    check_way_in(address)
    return find_page(named)


def _commands(token: JoinToken) -> list[str]:
    return [f"starai-worker join {token.encode()}", "starai-worker start"]


def _show_commands(token: JoinToken) -> None:
    click.echo("It is shown this once. On the device:\n")
    click.echo("\n".join(f"  {command}" for command in _commands(token)))


def _show_link(text: str, owner: str) -> None:
    click.echo("It is shown this once. On the phone, scan the code, or open the link:\n")
    click.echo(f"{text}\n\n{code(text)}\n")
    click.echo(f"Whoever sees the code can make devices join as {owner}'s until then: show it to nobody else.")
    if (columns := code_width(text)) > output_width():
        click.echo(f"The window is too narrow for the code: make it {columns} columns wide.", err=True)


def _issue(access: Access, owner: str, region: Region, until: datetime, uses: int) -> JoinToken:
    """Make the token at registry and broker, both or neither."""
    _check_authority(access.address)
    password = SecretStr(secrets.token_urlsafe(_PASSWORD_BYTES))
    with ExitStack() as undo:
        with session(access.engine) as registry:
            check_known("owner", owner, [known.name for known in all_owners(registry)], _how_to_add(owner))
            token, secret = issue_token(registry, owner, region, until, uses)
            user = bootstrap_user(token)
            made = _token(access.address, user, password, token, secret)
            make_user(access, undo, user, password, bootstrap_role())
        undo.pop_all()
    return made


def _token(address: BrokerAddress, user: str, password: SecretStr, token: str, secret: SecretStr) -> JoinToken:
    try:
        return JoinToken(
            host=address.host,
            port=address.port,
            web=address.web,
            vhost=address.vhost,
            tls=address.tls,
            ca=address.fingerprint,
            user=user,
            password=password,
            id=token,
            secret=secret,
        )
    except ValidationError as error:
        raise SettingError(
            f"A token cannot hold the broker's host {address.host[:80]!r}: name it in STARAI_BROKER_URL by a-z, 0-9, "
            "'-', '.', or by its address."
        ) from error


def _check_authority(address: BrokerAddress) -> None:
    if address.tls and address.fingerprint is None:
        raise SettingError(
            "A token names the authority that signed the broker's certificate, and none is known: set "
            "STARAI_BROKER_CA to its PEM file."
        )


def _how_to_add(owner: str) -> str:
    return f"Add one with `starai owners add {quote(owner[:100])}`."


def _as_data(found: TokenOverview, at: datetime) -> dict[str, Any]:
    token = found.token
    return {
        "id": token.id,
        "owner": found.owner,
        "region": token.region,
        "state": token_state(token, at),
        "uses": token.uses,
        "uses_left": token.uses_left,
        "issued_at": token.issued_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
    }


def _as_row(found: TokenOverview, at: datetime) -> tuple[str, ...]:
    token = found.token
    uses = f"{token.uses_left} of {token.uses}"
    times = (moment(token.issued_at), moment(token.expires_at))
    return (token.id, found.owner, token.region, token_state(token, at), uses, *times)
