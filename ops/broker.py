"""`starai broker`: the private RabbitMQ node of this machine, on its own."""

import json

import click

from broker_config import names
from broker_config.apply import apply
from broker_config.check import differences
from broker_config.node import Node, NodeStatus
from broker_config.settings import BrokerSettings
from broker_config.topology import Topology, topology
from models.catalogue import load_catalogue
from ops.local_registry import hosted_models
from registry.database import migrate, open_engine


@click.group()
def broker() -> None:
    """The private RabbitMQ node in STARAI_HOME: its own ports, data and cookie, beside any other broker."""


@broker.command()
def start() -> None:
    """Start the node and leave it running in the background; one that runs is left as it is."""
    node = Node()
    fresh = node.start()
    apply(node.url(), _topology())
    found = node.status()
    click.echo(f"{'Started' if fresh else 'Runs already'}: {_line(found)}" if found else "It does not answer.")


@broker.command()
def stop() -> None:
    """Stop the node. Its queues and what waits in them stay for the next start."""
    node = Node()
    ran = bool(node.processes())
    node.stop()
    click.echo("Stopped." if ran else "It was not running.")


@broker.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(as_json: bool) -> None:
    """Say whether the node runs, and where. Exits with 1 when it does not."""
    node = Node()
    found = node.status()
    if as_json:
        click.echo(json.dumps({"running": found is not None, "folder": str(node.folder), **_facts(found)}))
    else:
        click.echo(_line(found) if found else f"It does not run. Its folder is {node.folder}.")
    raise SystemExit(0 if found else 1)


@broker.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(as_json: bool) -> None:
    """Say where the node differs from the topology that the network needs. Exits with 1 when it does."""
    found = differences(_topology(), Node().api.definitions(names.VHOST))
    if as_json:
        click.echo(json.dumps({"differences": found}))
    else:
        click.echo("\n".join(found) or "It has everything that the network needs.")
    raise SystemExit(1 if found else 0)


def _topology() -> Topology:
    engine = open_engine()
    try:
        migrate(engine)
        return topology(hosted_models(engine, load_catalogue()), BrokerSettings().queue_type)
    finally:
        engine.dispose()


def _facts(status: NodeStatus | None) -> dict[str, object]:
    if status is None:
        return {}
    return {
        "version": status.version,
        "pid": status.pid,
        "amqp_port": status.amqp,
        "management_port": status.management,
        "web_port": status.web,
        "amqps_port": status.amqps,
        "webs_port": status.webs,
    }


def _line(status: NodeStatus) -> str:
    places = {"RabbitMQ " + status.version: status.amqp, "web STOMP": status.web, "management": status.management}
    found = ", ".join(f"{name} at 127.0.0.1:{port}" for name, port in places.items() if port)
    return f"{found}, process {status.pid}.{_encrypted(status)}"


def _encrypted(status: NodeStatus) -> str:
    ports = {"amqps": status.amqps, "wss": status.webs}
    found = " and ".join(f"{name} on port {port}" for name, port in ports.items() if port)
    return f" Encrypted: {found}." if found else ""
