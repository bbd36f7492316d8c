"""`starai serve`: the network behind OpenAI's API, for every program that speaks it."""

import logging
from functools import partial
from typing import Any

import click

from broker_config.logs import log_to_stderr
from models.catalogue import load_catalogue
from models.store import ModelStore
from ops.interrupt import stop_on_signals
from ops.phone.assets import load_assets
from ops.phone.models import ModelRoutes
from ops.phone.offers import Offers
from ops.phone.site import phone_site
from ops.serve.app import application
from ops.serve.keys import all_keys
from ops.serve.keys_command import keys
from ops.serve.network import Network
from ops.serve.settings import Settings, serve_options
from ops.web.listening import hosts_of, listener_of, tls_of, url_of
from ops.web.server import run
from starai.client import Client
from starai.errors import SettingError

log = logging.getLogger(__name__)

_RISK = "API keys would cross the network in the clear"


@click.group(invoke_without_command=True)
@serve_options
@click.pass_context
def serve(ctx: click.Context, /, **chosen: Any) -> None:
    """Serve the network by OpenAI's API, to every program that speaks it: chats, completions, embeddings.

    Make a key first: `starai serve keys issue NAME`. Then give a program the address that is printed here, and the
    key. The network is the one that STARAI_BROKER_URL names, else the one that `starai up` runs on this machine. It
    runs until Ctrl-C.
    """
    if ctx.invoked_subcommand is not None:
        return
    log_to_stderr()
    stop_on_signals()
    try:
        _serve(Settings(**chosen))
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)


serve.add_command(keys)


def _serve(settings: Settings) -> None:
    """Serve until a signal. What is wrong with the settings is said before anybody is connected to."""
    if not all_keys():
        raise SettingError(
            "Nobody could use this server: it has no API key yet. Make one with `starai serve keys issue NAME`."
        )
    catalogue, tls, assets = load_catalogue(), tls_of(settings), load_assets()
    page = phone_site(assets, ModelRoutes(Offers(ModelStore(), catalogue)))
    with listener_of(settings, _RISK) as listener:
        connect = partial(Client, region=settings.region)
        network = Network(connect(), connect, settings.deadline)
        hosts = hosts_of(settings, listener)
        app = application(network, catalogue, hosts, settings.most_requests, settings.max_tokens, page)
        _greet(settings, url_of(settings, listener))
        run(app, listener, tls, settings.grace)


def _greet(settings: Settings, url: str) -> None:
    click.echo(f"OpenAI's API is served at {url}/v1\nThe page for phones: {url}/phone/\nCtrl-C stops it.", err=True)
    log.info("serve.ready", extra={"address": f"{url}/v1"})
    if settings.plain and settings.tls_cert is None:
        log.warning("serve.plain", extra={"address": url})
