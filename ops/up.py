"""`starai up`: a whole network on this machine, in the foreground."""

import time

import click
from rich.console import Console

from broker_config.regions import Region
from ops.flower.login import announced_address, login_file
from ops.interrupt import stop_on_signals
from ops.local_device import local_devices
from ops.local_options import local_options
from ops.network import LocalNetwork
from ops.phone.announced import announced_page
from ops.platform_processes import PLATFORM
from ops.steps import Steps


@click.command()
@local_options
def up(devices: int, regions: tuple[Region, ...], models: tuple[str, ...]) -> None:
    """Run a whole network on this machine: a private RabbitMQ, the registry, the platform's processes and devices.

    It runs until Ctrl-C and leaves nothing running, however it ends. Submit from another terminal with
    `starai submit`, or in Python with `starai.Client()`.
    """
    console = Console(stderr=True)
    stop_on_signals()
    network = LocalNetwork(local_devices(devices, regions), models, regions[0])
    try:
        with Steps(console) as steps:
            network.start(steps)
        with network:
            _greet(console, network, models[0])
            _watch(console, network)
    except KeyboardInterrupt:
        console.print("Stopped.")


def _greet(console: Console, network: LocalNetwork, model: str) -> None:
    places = ", ".join(f"{device.id} [dim]({device.region})[/dim]" for device in network.plan)
    console.print(f"\nThe network runs: {places}", highlight=False)
    console.print(f"Of the platform: {', '.join(part.name for part in PLATFORM)}", highlight=False)
    console.print(f"Logs are in {network.logs}", highlight=False)
    console.print(f"To look at it: {announced_address()}, the login is in {login_file()}", highlight=False)
    console.print(f"The page for phones: {announced_page()}/phone/", highlight=False)
    console.print(f'\n  starai submit {model} "What is in the box?"\n', highlight=False, style="bold")
    console.print("To invite a device: starai owners add NAME, then starai tokens issue --help")
    console.print("To invite a phone: starai tokens issue --owner NAME --region REGION --qr", highlight=False)
    console.print("Ctrl-C stops it.")


def _watch(console: Console, network: LocalNetwork) -> None:
    """Wait for Ctrl-C, and say which device ended meanwhile; its tasks are others' by then."""
    ended: set[str] = set()
    while True:
        for name, process in network.processes.items():
            if process.exit_code is not None and name not in ended:
                ended.add(name)
                console.print(f"[yellow]{name} ended (exit code {process.exit_code})[/yellow], see {process.log}")
        time.sleep(0.5)
