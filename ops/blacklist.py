"""`starai blacklist`: devices that the network shut out."""

import json
from datetime import datetime, timedelta
from typing import Any

import click
from sqlmodel import Session

from ops.access import Access, open_access, open_registry
from ops.confirm import confirm, yes_option
from ops.devices import check_device
from ops.duration import parse_duration
from ops.list_by_default import ListByDefault
from ops.output import json_option, moment, print_json, print_table
from registry.blacklist import Listed, entries
from registry.columns import now
from registry.database import session
from registry.device_state import DeviceState
from registry.devices import find_device
from registry.events import as_data, events_of
from registry.pool import sole_models
from registry.standing_rule import StandingSettings
from starai.errors import RegistryError
from tasks.health.blacklisting import Blacklisting

_COLUMNS = ("device", "owner", "since", "until", "reason", "lifted")
_EVENT_COLUMNS = ("when", "what", "check", "cost", "trust left", "reason")
_EMPTY = "No device is on the blacklist."
# Events in a device's history that are shown of why it is there.
_LAST_EVENTS = 20


@click.group(cls=ListByDefault)
def blacklist() -> None:
    """The blacklist: devices that the network shut out. Without a command, lists it."""


@blacklist.command("list")
@click.option("--all", "with_lifted", is_flag=True, help="Also those that came back since.")
@json_option
def list_entries(with_lifted: bool, as_json: bool) -> None:
    """List the devices that are shut out, the newest first: whose, since when, until when, why."""
    with open_registry() as engine, session(engine) as registry:
        found = entries(registry, lifted=with_lifted)
    if as_json:
        print_json({"blacklist": [_as_data(listed) for listed in found]})
    else:
        print_table(_COLUMNS, map(_as_row, found), _EMPTY)


@blacklist.command()
@click.argument("device")
@click.option("--reason", default="by the operator", show_default=True, help="Why; its owner is told.")
@click.option("--for", "lasts", type=parse_duration, metavar="DURATION", help="For how long: 12h, 7d.  [default: 7d]")
@click.option("--forever", is_flag=True, help="Until you take it off.")
@click.option("--force", is_flag=True, help="Even if a model then has no device any more.")
@yes_option
@json_option
def add(
    device: str, reason: str, lasts: timedelta | None, forever: bool, force: bool, yes: bool, as_json: bool
) -> None:
    """Shut DEVICE out, at once.

    What it runs goes to other devices, and it cannot connect any more; nor can its hardware join under another key. If
    it is on the list, its reason and its time are changed. It asks first.
    """
    if forever and lasts:
        raise click.UsageError("Say --for or --forever, not both.")
    at = now()
    until = None if forever else at + (lasts or timedelta(seconds=StandingSettings().blacklisted))
    with open_access() as access:
        with session(access.engine) as registry:
            check_device(registry, device)
            is_listed = find_device(registry, device).state is DeviceState.BLACKLISTED
            models = [] if is_listed else sole_models(registry, device)
        _warn(device, models, force)
        confirm(f"Shut {device} out {_until(until)}?", yes)
        _blacklisting(access).enter(device, reason, until, at)
    if as_json:
        print_json({"device": device, "state": "blacklisted", "reason": reason, "until": until, "sole_models": models})
    else:
        click.echo(f"{device} is blacklisted {_until(until)}.")


@blacklist.command()
@click.argument("device")
@click.option("--reason", default="by the operator", show_default=True, help="Why; it stays in its history.")
@json_option
def remove(device: str, reason: str, as_json: bool) -> None:
    """Take DEVICE off the blacklist.

    It comes back by itself, is on probation, and works again once a check has found it well.
    """
    with open_access() as access:
        with session(access.engine) as registry:
            check_device(registry, device)
        has_login = _blacklisting(access).lift(device, reason, now())
    if as_json:
        print_json({"device": device, "state": "inactive", "has_login": has_login})
    elif has_login:
        click.echo(f"{device} is off the blacklist: it comes back by itself, on probation.")
    else:
        click.echo(f"{device} is off the blacklist. No login of it was kept: it has to join again, by its keys.")


@blacklist.command()
@click.argument("device")
@json_option
def why(device: str, as_json: bool) -> None:
    """Show why DEVICE is, or last was, on the blacklist: the entry, what led to it, and what happened since."""
    with open_registry() as engine, session(engine) as registry:
        check_device(registry, device)
        listed, state = _last_entry(registry, device), find_device(registry, device).state
        events = events_of(registry, device)[-_LAST_EVENTS:]
    evidence = json.loads(listed.entry.evidence)
    if as_json:
        history = [as_data(event) for event in events]
        print_json({**_as_data(listed), "state": state, "evidence": evidence, "history": history})
        return
    print_table(_COLUMNS, [_as_row(listed)], _EMPTY)
    click.echo("\nWhat led to it, the newest first:")
    print_table(_EVENT_COLUMNS, map(_evidence_row, evidence), "Nothing that cost it trust.")
    click.echo("\nIts last events:")
    print_table(_EVENT_COLUMNS, [_evidence_row(as_data(event)) for event in events], "None.")


def _blacklisting(access: Access) -> Blacklisting:
    return Blacklisting(access.engine, access.management, access.address.vhost)


def _warn(device: str, models: list[str], force: bool) -> None:
    if not models:
        return
    what = f"No other active device hosts {', '.join(models)}"
    if not force:
        raise click.ClickException(
            f"{what}: without {device} nobody does its tasks. Use --force to do it all the same."
        )
    click.echo(f"{what}: its tasks will wait for one.", err=True)


def _last_entry(registry: Session, device: str) -> Listed:
    found = [listed for listed in entries(registry, lifted=True) if listed.entry.device_id == device]
    if not found:
        raise RegistryError(
            f"Device {device} never was on the blacklist. `starai devices show {device}` has its history."
        )
    return found[0]


def _until(until: datetime | None) -> str:
    return f"until {moment(until)}" if until else "until it is taken off"


def _as_data(listed: Listed) -> dict[str, Any]:
    entry = listed.entry
    return {
        "device": entry.device_id,
        "owner": listed.owner,
        "reason": entry.reason,
        "since": entry.since,
        "until": entry.until,
        "lifted_at": entry.lifted_at,
        "lifted": entry.lifted,
    }


def _as_row(listed: Listed) -> tuple[str, ...]:
    entry = listed.entry
    until = moment(entry.until) if entry.until else "taken off"
    lifted = f"{moment(entry.lifted_at)}: {entry.lifted}" if entry.lifted_at else ""
    return (entry.device_id, listed.owner, moment(entry.since), until, entry.reason, lifted)


def _evidence_row(event: dict[str, Any]) -> tuple[str, ...]:
    cost, trust = ("" if event[name] is None else f"{event[name]:.2f}" for name in ("cost", "trust"))
    when = moment(datetime.fromisoformat(event["at"]))
    return (when, event["kind"], event["check"] or "", cost, trust, event["reason"])
