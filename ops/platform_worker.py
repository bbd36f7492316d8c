"""Runs the platform's Celery worker as a process of the local network, on a lifeline."""

import signal
import threading

from celery.bin.celery import celery
from celery.worker import state

from broker_config.lifeline import watch_lifeline


def main() -> None:
    """Work until the lifeline ends, or SIGTERM."""
    watch_lifeline(_stop)
    quiet = ("--without-mingle", "--without-gossip", "--without-heartbeat")
    # Not app.worker_main, which forgets the exit code: one that could not start is to be started again.
    celery.main(args=["--app", "celery_app", "worker", "--pool", "threads", *quiet])  # exits


def _stop() -> None:
    if hasattr(signal, "pthread_kill"):
        # The loop may sleep for seconds; a signal to its thread wakes it.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    else:
        state.should_stop = 0


if __name__ == "__main__":
    main()
