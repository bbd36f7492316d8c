"""The options by which a local network is described, the same for every command that starts one."""

from collections.abc import Callable
from typing import Any

import click

from broker_config.regions import Region
from models.catalogue import shipped_catalogue

_DEFAULT_REGIONS = (Region.ASIA, Region.EUROPE, Region.NORTH_AMERICA)


def local_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--devices``, ``--region`` and ``--model`` to a command, as ``devices``, ``regions``, ``models``."""
    default_model = next(model.name for model in shipped_catalogue() if model.default and model.tier == "tiny")
    options = (
        click.option("--devices", type=click.IntRange(1, 32), default=3, show_default=True, help="Devices to run."),
        click.option(
            "--region",
            "regions",
            multiple=True,
            type=click.Choice([str(region) for region in Region]),
            default=[str(region) for region in _DEFAULT_REGIONS],
            show_default=True,
            callback=lambda _context, _option, names: tuple(Region(name) for name in names),
            help="Region of a device; again for more. Devices are spread over them; submitters are in the first.",
        ),
        click.option(
            "--model",
            "models",
            multiple=True,
            default=[default_model],
            show_default=True,
            help="Model that every device hosts; again for more.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command
