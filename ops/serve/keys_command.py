"""`starai serve keys`: who may use this machine's endpoint."""

import click

from ops.confirm import confirm, yes_option
from ops.list_by_default import ListByDefault
from ops.output import json_option, moment, print_json, print_table
from ops.serve.keys import all_keys, check_key, issue_key, revoke_key


@click.group(cls=ListByDefault)
def keys() -> None:
    """API keys: who has one may use this machine's endpoint. Without a command: list them."""


@keys.command()
@click.argument("name")
@json_option
def issue(name: str, as_json: bool) -> None:
    """Make a key, called NAME.

    It prints the key, which is shown this once: only its hash is kept. One for each program, so that each can be
    revoked alone. Endpoints that run take it at once.
    """
    key = issue_key(name)
    if as_json:
        print_json({"name": name, "key": key})
        return
    click.echo(f"API key {name}. It is shown this once:\n")
    click.echo(f"  {key}")


@keys.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """List all keys, the oldest first. A key itself is not shown again."""
    found = all_keys()
    if as_json:
        print_json({"keys": [{"name": key.name, "made_at": key.made_at} for key in found]})
        return
    rows = [(key.name, moment(key.made_at)) for key in found]
    print_table(("key", "made"), rows, "There are no API keys: make one with `starai serve keys issue NAME`.")


@keys.command()
@click.argument("name")
@yes_option
@json_option
def revoke(name: str, yes: bool, as_json: bool) -> None:
    """Let nobody in by the key NAME any more.

    Endpoints that run refuse it from then on; what it has under way ends as it would have. It asks first.
    """
    check_key(name)
    confirm(f"Revoke the API key {name}? Programs that have it are refused from now on.", yes)
    revoke_key(name)
    if as_json:
        print_json({"name": name, "revoked": True})
    else:
        click.echo(f"Revoked the API key {name}.")
