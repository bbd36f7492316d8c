"""Says where a broker differs from a topology, by the definitions that its management API exports."""

from collections.abc import Iterator, Mapping
from typing import Any

from broker_config.topology import Binding, Exchange, Queue, Topology


def differences(wanted: Topology, definitions: Mapping[str, Any]) -> list[str]:
    """Return one line for each thing that is missing or has other arguments, and none when all agree.

    ``definitions`` is what ``GET /api/definitions/<vhost>`` returns. What the broker holds beyond
    the topology (control queues of devices, reply queues) is not a difference; what is bound to a part of it is.
    """
    return [
        *_exchanges(wanted, {entry["name"]: entry for entry in definitions["exchanges"]}),
        *_queues(wanted, {entry["name"]: entry for entry in definitions["queues"]}),
        *_bindings(wanted, definitions["bindings"]),
    ]


def _exchanges(wanted: Topology, found: Mapping[str, Any]) -> Iterator[str]:
    for exchange in wanted.exchanges:
        there = found.get(exchange.name)
        if there is None:
            yield f"exchange {exchange.name}: missing"
        elif there["type"] != exchange.type:
            yield f"exchange {exchange.name}: type is {there['type']}, should be {exchange.type}"
        else:
            yield from _arguments("exchange", exchange, there)


def _queues(wanted: Topology, found: Mapping[str, Any]) -> Iterator[str]:
    for queue in wanted.queues:
        there = found.get(queue.name)
        if there is None:
            yield f"queue {queue.name}: missing"
        else:
            yield from _arguments("queue", queue, there)


def _arguments(kind: str, part: Exchange | Queue, there: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted({*part.arguments, *there["arguments"]}):
        has, should = there["arguments"].get(key), part.arguments.get(key)
        if has != should:
            yield f"{kind} {part.name}: {key} is {has}, should be {should}"


def _bindings(wanted: Topology, found: list[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what is missing, and what somebody bound to a part of the topology beside it."""
    there = {
        Binding(b["source"], b["destination"], b["routing_key"], b["destination_type"] == "exchange") for b in found
    }
    for binding in wanted.bindings:
        if binding not in there:
            yield f"{_line(binding)}: missing"
    ours = {exchange.name for exchange in wanted.exchanges} | {queue.name for queue in wanted.queues}
    for binding in sorted(there - set(wanted.bindings), key=_line):
        if binding.destination in ours:
            yield f"{_line(binding)}: should not be there"


def _line(binding: Binding) -> str:
    return f"binding {binding.source} -> {binding.destination} ({binding.key or 'no key'})"
