"""`starai phones`: the page by which phones join."""

import logging
from typing import Any

import click

from broker_config.logs import log_to_stderr
from broker_config.tls import fingerprint
from models.catalogue import load_catalogue
from models.store import ModelStore
from ops.interrupt import stop_on_signals
from ops.phone.address import Address, address_of
from ops.phone.announced import announce_page, forget_page
from ops.phone.app import application
from ops.phone.assets import load_assets
from ops.phone.models import ModelRoutes
from ops.phone.offers import Offers
from ops.phone.port import listen_as_before, listen_at
from ops.phone.settings import Settings, phone_options
from ops.web.listening import hosts_of, tls_of, url_of
from ops.web.server import run

log = logging.getLogger(__name__)

# What phones download goes on where it was cut off.
_GRACE_SECONDS = 2


@click.command("phones")
@phone_options
@click.option("--lifeline", is_flag=True, hidden=True, help="End when standard input does.")
def serve_page(*, lifeline: bool, **chosen: Any) -> None:
    """Serve the page by which phones join, and the models that they run.

    `starai up` does it as well. Invite a phone by `starai tokens issue --qr`. It runs until Ctrl-C.
    """
    log_to_stderr()
    stop_on_signals()
    try:
        _serve(Settings(**chosen), lifeline)
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)


def _serve(settings: Settings, lifeline: bool) -> None:
    """Serve until a signal, or the end of the lifeline."""
    address, assets, catalogue = address_of(settings), load_assets(), load_catalogue()
    tls = tls_of(address.place)
    listen = listen_as_before if settings.port is None else listen_at
    with listen(address.place) as listener:
        models = ModelRoutes(Offers(ModelStore(), catalogue))
        app = application(assets, models, hosts_of(address.place, listener), address.ca)
        url = address.url or url_of(address.place, listener, address.name)
        announce_page(url)
        try:
            _greet(address, url)
            run(app, listener, tls, _GRACE_SECONDS, lifeline=lifeline)
        finally:
            forget_page()


def _greet(address: Address, url: str) -> None:
    click.echo(f"The page for phones is served at {url}/phone/\nCtrl-C stops it.", err=True)
    authority = {"authority": fingerprint(address.ca)} if address.ca else {}
    log.info("page.ready", extra={"address": url} | authority)
    if address.place.plain and address.place.tls_cert is None:
        log.warning("page.plain", extra={"address": url})
