"""A device that a test plays by hand."""

import json
import time

import numpy as np
import pika

from broker_config import names
from broker_config.regions import Region
from broker_config.tiers import Tier
from starai.report import report_publication
from starai.tensor import pack
from starai.wire import Failure, Reason, Report, State

MODEL = "all-minilm-l6-v2"
QUEUE = names.task_queue(Region.ASIA, Tier.TINY, MODEL)
FAILURE = Failure(reason=Reason.DEVICE, message="out of memory")


class HandDevice:
    """A device that hosts the model, and does what the test says."""

    def __init__(self, broker) -> None:
        self._broker = broker
        self._url = broker.device("device-1", QUEUE)

    def end(self, state: State = State.SUCCEEDED, run: str = "run-1", **more: object) -> pika.BasicProperties:
        """End the next task of the queue, and return what its message had beside its body."""
        with self._broker.channel(self._url) as channel:
            method, properties, body = channel.basic_get(QUEUE)
            if state is State.SUCCEEDED:
                more |= {"output": pack(lengths(json.loads(body)[1]["inputs"]))}
            who = {"task": properties.headers["id"], "at": time.time(), "run": run, "device": "device-1"}
            for report in (Report(state=State.STARTED, **who), Report(state=state, **who | more)):
                message = report_publication(report, properties.reply_to, "device-1")
                channel.basic_publish(message.exchange, message.key, message.body, message.properties)
            channel.basic_ack(method.delivery_tag)
        return properties


def lengths(inputs: str | list[str]) -> np.ndarray:
    """Return the texts' lengths, as vectors of one number."""
    one = isinstance(inputs, str)
    return np.array([len(inputs)] if one else [[len(text)] for text in inputs], np.float32)
