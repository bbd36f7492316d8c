"""`starai record`: the platform's recorder, in the foreground."""

import threading

import click

from broker_config.lifeline import watch_lifeline
from broker_config.logs import log_to_stderr
from ops.interrupt import stop_on_signals
from registry.database import open_engine
from tasks.device_events import DeviceEvents
from tasks.platform import management, platform_url
from tasks.recorder import Recorder


@click.command()
@click.option("--lifeline", is_flag=True, hidden=True, help="Stop when standard input ends.")
def record(lifeline: bool) -> None:
    """Record what is submitted, and what becomes of it, in the registry.

    It reads the broker that STARAI_BROKER_URL names, as the platform's user, and writes to the database of
    STARAI_DATABASE_URL. It runs until Ctrl-C or SIGTERM; while it does not, everything waits at the broker.
    """
    log_to_stderr()
    stop_on_signals()
    stop = threading.Event()
    engine = open_engine()
    url = platform_url()
    events = DeviceEvents(url, engine, management(url))
    recorder = Recorder(url, engine, on_recorded=events.on_recorded)
    try:
        recorder.open()
        events.open()
        if lifeline:
            watch_lifeline(stop.set)
        while not stop.wait(0.5):
            recorder.check()
    except KeyboardInterrupt:
        pass
    finally:
        recorder.close()
        events.close()
        engine.dispose()
