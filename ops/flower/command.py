"""`starai flower`: the network's pages, on this machine only."""

import errno
import logging
import signal

import click
from prometheus_client import REGISTRY
from tornado.ioloop import IOLoop

from broker_config.address import vhost_of
from broker_config.lifeline import watch_lifeline
from broker_config.logs import log_to_stderr
from ops.access import open_access
from ops.flower.app import LOCAL_ADDRESS, NetworkFlower, silence_access_log
from ops.flower.collector import NetworkCollector
from ops.flower.login import announce_address, forget_address, kept_login, login_file
from ops.flower.sight import Sight
from starai.errors import SettingError

log = logging.getLogger(__name__)

#: Flower's own.
DEFAULT_PORT = 5555


@click.command("flower")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    envvar="STARAI_FLOWER_PORT",
    help=f"Where to listen; 0 for any port that is free.  [default: {DEFAULT_PORT}, or any where that is taken]",
)
@click.option("--lifeline", is_flag=True, hidden=True, help="End when standard input does.")
def show_flower(port: int | None, lifeline: bool) -> None:
    """Show the network in a browser, on this machine: Flower, with the pages of the fleet.

    `starai up` runs it as well. It asks for a login, which is made once and kept in the home folder.
    """
    log_to_stderr()
    silence_access_log()
    with open_access() as access:
        broker_url = access.url.get_secret_value()
        sight = Sight(access.engine, access.management, vhost_of(broker_url))
        REGISTRY.register(NetworkCollector(sight))
        flower = NetworkFlower(broker_url, sight, kept_login())
        url = f"http://{LOCAL_ADDRESS}:{_listen(flower, port)}"
        _stop_with(flower, lifeline)
        announce_address(url)
        log.info("flower.ready", extra={"address": url, "login": login_file()})
        try:
            flower.start()
        finally:
            forget_address()


def _listen(flower: NetworkFlower, port: int | None) -> int:
    """Return the port on which Flower listens from now on."""
    try:
        return _bind(flower, DEFAULT_PORT if port is None else port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or port is not None:
            raise SettingError(
                f"Flower cannot listen on port {port or DEFAULT_PORT}: {error.strerror}. Choose another by --port."
            ) from error
        return _bind(flower, 0)


def _bind(flower: NetworkFlower, port: int) -> int:
    flower.options.port = port
    bound: int = flower.start_http_server()
    return bound


def _stop_with(flower: NetworkFlower, lifeline: bool) -> None:
    loop = IOLoop.current()

    def stop(*_: object) -> None:
        loop.add_callback_from_signal(flower.stop)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    if lifeline:
        watch_lifeline(stop)
