"""Runs Celery beat for the platform as a process of the local network, on a lifeline."""

import _thread
import logging
import signal
import threading
from typing import Any

from celery.signals import beat_init

from broker_config.lifeline import watch_lifeline
from celery_app import app

log = logging.getLogger(__name__)


def main() -> None:
    """Say what is due until the lifeline ends, or SIGTERM."""
    watch_lifeline(_stop)
    beat_init.connect(_ready, weak=False)
    app.Beat(quiet=True, redirect_stdouts=False).run()


def _ready(**_: Any) -> None:
    log.info("beat.ready", extra={"schedule": ",".join(app.conf.beat_schedule)})


def _stop() -> None:
    if hasattr(signal, "pthread_kill"):
        # It sleeps until something is due; a signal to its thread wakes it.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    else:
        _thread.interrupt_main(signal.SIGTERM)


if __name__ == "__main__":
    main()
