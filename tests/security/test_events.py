"""Events are the platform's alone: what Flower shows is no device's or submitter's word."""

import json

import pika
import pytest
from pika.exceptions import ChannelClosedByBroker

from broker_config import names

EVENT = json.dumps({"type": "worker-online", "hostname": "somebody-else", "timestamp": 0.0, "clock": 1}).encode()


@pytest.mark.parametrize("kind", ["device", "submitter"])
def test_nobody_but_the_platform_may_send_an_event(broker, kind) -> None:
    url = broker.device("device-1") if kind == "device" else broker.submitter("ann")
    properties = pika.BasicProperties(content_type="application/json", content_encoding="utf-8")

    with (
        pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"),
        broker.channel(url) as channel,
    ):
        channel.basic_publish(names.EVENTS, "worker.online", EVENT, properties)


def test_a_submitter_may_not_listen_to_events(broker) -> None:
    with broker.channel(broker.submitter("ann")) as channel:
        channel.queue_declare("reply.ann-1")

        with pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"):
            channel.queue_bind("reply.ann-1", names.EVENTS, "#")


def test_a_device_may_not_listen_to_events(broker) -> None:
    url = broker.device("device-1")

    with pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"), broker.channel(url) as channel:
        channel.queue_bind(names.device_queue("device-1"), names.EVENTS, "#")
