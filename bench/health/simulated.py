"""The machines of a fleet in one process: it reads every control queue, and answers for each device as it would.

``python -m bench.health.simulated COUNT``; its broker is ``STARAI_BROKER_URL``, whose user may speak for others.
"""

import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pika
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.health.fleet import MODEL, device_ids, signing_key
from broker_config import names
from broker_config.lifeline import watch_lifeline
from broker_config.link import Link
from tasks.order import read_order
from tasks.probe import HealthReport, Readings, digest, echo, report_publication, write_report

READY = "simulated.ready"
_GIB = 2**30


def main() -> None:
    """Answer until the lifeline ends."""
    devices = device_ids(int(sys.argv[1]))
    keys = {device: signing_key(device) for device in devices}
    links: list[Link] = []
    link = Link(os.environ["STARAI_BROKER_URL"], "simulated devices", partial(_consume, keys, links))
    links.append(link)
    ended = threading.Event()
    watch_lifeline(ended.set)
    link.open(300.0)
    print(READY, flush=True)
    ended.wait()
    link.close()


def _consume(keys: dict[str, Ed25519PrivateKey], links: list[Link], channel: Any, ready: Callable[[], None]) -> None:
    last = next(reversed(keys))
    for device, key in keys.items():
        answer = partial(_answer, links, device, key)
        done = (lambda _: ready()) if device == last else (lambda _: None)
        channel.basic_consume(names.device_queue(device), answer, auto_ack=True, callback=done)


def _answer(
    links: list[Link],
    device: str,
    key: Ed25519PrivateKey,
    _channel: Any,
    _method: Any,
    properties: pika.BasicProperties,
    body: bytes,
) -> None:
    order = read_order(properties.user_id, body)
    if order is None or (probe := order.probe) is None:
        return
    readings = Readings(
        load=0.1,
        processor=0.2,
        temperature=55.0,
        memory_left=8 * _GIB,
        disk_left=100 * _GIB,
        provider="CPUExecutionProvider",
        models=(MODEL,),
        running=1,
        held=0,
        unsettled=0,
        consumers=4,
    )
    report = HealthReport(
        device=device, cycle=probe.cycle, nonce=probe.nonce, at=0.0, digest=digest(probe.padding), readings=readings
    )
    said = [report_publication(write_report(report, key), device)]
    links[0].publish_all([*said, echo(probe, device)] if probe.padding else said)


if __name__ == "__main__":
    main()
