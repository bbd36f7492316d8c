"""Stock Flower with our pages in it, that only looks: it sends no command to anybody."""

import asyncio
import logging
from pathlib import Path
from typing import Any

from celery import Celery
from flower.app import Flower
from flower.options import default_options
from flower.urls import settings
from tornado.web import url

from broker_config.address import celery_tls
from ops.flower.loading import load_templates
from ops.flower.login import Login
from ops.flower.pages import DevicePage, FleetPage, NetworkBroker, NetworkMetrics
from ops.flower.sight import Sight

LOCAL_ADDRESS = "127.0.0.1"
# A device that was away for a day is no longer listed among the workers, nor in the metrics; in the fleet it is.
_FORGET_AFTER = 86_400
_TASKS_IN_MEMORY = 20_000

_PAGES = (
    url(r"/fleet", FleetPage, name="fleet"),
    url(r"/worker/(.+)", DevicePage, name="worker"),
    url(r"/broker", NetworkBroker, name="broker"),
    url(r"/metrics", NetworkMetrics),
)


class NetworkFlower(Flower):
    """Flower over the network.

    Args:
        broker_url: the broker's address, as the platform's user.
        sight: what our pages look at.
        login: who may look.
    """

    def __init__(self, broker_url: str, sight: Sight, login: Login) -> None:
        self.sight = sight
        _configure(sight, login)
        loader = load_templates(Path(str(settings["template_path"])))
        super().__init__(default_options, _celery_app(broker_url), **(settings | {"template_loader": loader}))
        # Before Flower's own handlers, and not in its list, which is the module's.
        self.add_handlers(r".*", list(_PAGES))

    def update_workers(self, workername: str | None = None) -> "asyncio.Future[None]":  # noqa: ARG002
        """Ask nobody: devices take no commands, and what is known of them comes by events."""
        nothing = asyncio.get_event_loop().create_future()
        nothing.set_result(None)
        return nothing


def silence_access_log() -> None:
    """Keep every page view out of the log."""
    logging.getLogger("tornado.access").setLevel(logging.ERROR)


def _celery_app(broker_url: str) -> Celery:
    app = Celery("starai-flower")
    # Exclusive, because RabbitMQ 4.3 refuses queues that are neither durable nor exclusive.
    app.conf.update(
        broker_url=broker_url,
        broker_use_ssl=celery_tls(broker_url),
        event_queue_exclusive=True,
        worker_enable_remote_control=False,
        accept_content=["json"],
        timezone="UTC",
    )
    return app


def _configure(sight: Sight, login: Login) -> None:
    chosen: dict[str, Any] = {
        "address": LOCAL_ADDRESS,
        "basic_auth": [f"{login.user}:{login.password.get_secret_value()}"],
        "broker_api": f"{sight.management.url}/api/",
        # Nothing may be started, stopped or revoked from a page.
        "read_only": True,
        # That would ask all workers, every five seconds, to send events.
        "enable_events": False,
        "max_tasks": _TASKS_IN_MEMORY,
        "purge_offline_workers": _FORGET_AFTER,
        "tasks_columns": "uuid,state,routing_key,worker,received,runtime",
    }
    for name, value in chosen.items():
        setattr(default_options, name, value)
