"""Which attempts have run for longer than their tasks' leases, and on which connections: pure."""

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import Any

from registry.sweeping import Running
from starai.submission import LONGEST_LEASE


def overran(attempts: Iterable[Running], usual: float, margin: float, now: datetime) -> list[Running]:
    """Return the attempts that got on longer ago than their lease, or the usual one, and a margin; all in seconds.

    That a text gets on is its device's word, so that no attempt may go on for longer than ``LONGEST_LEASE``.
    """
    return [
        a
        for a in attempts
        if (a.progressed_at or a.started_at) + timedelta(seconds=(a.lease or usual) + margin) < now
        or a.started_at + timedelta(seconds=LONGEST_LEASE + margin) < now
    ]


def for_results(device: str, connections: Sequence[Mapping[str, Any]], hearing: Set[str]) -> set[str]:
    """Return the names of a device's connections that are for what it says, and bring no tasks.

    A program says so by what it calls them. A page in a browser can give a connection no name: what it says, it says
    where it hears its orders.

    Args:
        device: its id.
        connections: as :meth:`broker_config.management.Management.connections_of` returns them.
        hearing: the names of those that read its control queue.
    """
    called = {one["name"]: (one.get("client_properties") or {}).get("connection_name") for one in connections}
    return {name for name, call in called.items() if (name in hearing if call is None else call == f"{device} results")}


def are_called(connections: Iterable[Mapping[str, Any]]) -> bool:
    """Tell whether all of these connections have a name of their device's choice, so that nobody need ask for more."""
    return all((one.get("client_properties") or {}).get("connection_name") for one in connections)


def began(connections: Iterable[Mapping[str, Any]], but: Set[str] = frozenset()) -> dict[str, datetime | None]:
    """Return the names of connections, but of some, and when each began, where that is known yet."""
    return {one["name"]: _began(one) for one in connections if one["name"] not in but}


def judged(
    attempts: Iterable[Running], connections: Mapping[str, datetime | None]
) -> tuple[list[Running], list[Running], set[str]]:
    """Return the attempts that run still, those that cannot, and the connections that hold the former.

    A connection that began later than an attempt does not hold it: when the one before ended, the broker gave what it
    held to others. While it is not known of a connection when it began, an attempt that no other holds is not judged.
    """
    known = {name: began for name, began in connections.items() if began}
    run: list[Running] = []
    ended: list[Running] = []
    holders: set[str] = set()
    for attempt in attempts:
        held_by = {name for name, began in known.items() if began <= attempt.started_at}
        holders |= held_by
        if held_by:
            run.append(attempt)
        elif len(known) == len(connections):
            ended.append(attempt)
    return run, ended, holders


def _began(connection: Mapping[str, Any]) -> datetime | None:
    milliseconds = connection.get("connected_at")
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
