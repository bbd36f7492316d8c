"""A hostile device: it has a device's login, speaks AMQP by itself, and does what no device of ours would.

Usage: python -m soak.hostile ENROLMENT OTHER SEED BEHAVIOUR...; it ends with its standard input. OTHER is the enrolment
of an accomplice, a device of another model, who answers for tasks that it was never given.
"""

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError

from broker_config import names
from broker_config.address import parameters, user_of
from broker_config.lifeline import watch_lifeline
from soak.device import WIDTH
from soak.lies import Answers
from starai.report import report_publication
from starai.tensor import pack
from starai.wire import Failure, Reason, Report, State, Tensor
from tasks.message import JunkError, Task, read_task
from worker.enrolment import Enrolment, load_enrolment
from worker.keys import keys_beside, load_keys

_MIB = 2**20
_BEFORE_ALL = {"x-priority": 127}
_HOARDED = 50
_AT_ONCE = 2
_MOMENT = 0.3
_LATE = 5
_REMEMBERED = 200


class Behaviour(StrEnum):
    """What it does."""

    PURGE = "purge"
    HOARD = "hoard"
    SWALLOW = "swallow"
    TWICE = "twice"
    LATE = "late"
    STRANGER = "stranger"
    UNASKED = "unasked"
    WRONG = "wrong"
    HUGE = "huge"
    LIE = "lie"


#: All that the network holds against. A device that was given a task can always let another one answer in its place:
#: the ledger refuses that, and its submitter cannot know.
USUAL = tuple(behaviour for behaviour in Behaviour if behaviour is not Behaviour.STRANGER)


class Hostile:
    """One hostile device at work, over one channel for what it does, and one connection of its accomplice's."""

    def __init__(self, enrolment: Enrolment, channel: BlockingChannel, other: "Say", chosen: random.Random) -> None:
        self._queues = [queue for d in enrolment.deployments for queue in names.task_queues(d.tier, d.model)]
        self._channel = channel
        self._say = Say(channel, enrolment)
        self._other = other
        self._chosen = chosen
        #: Tasks that it saw once and that are another's by now.
        self._seen: list[Task] = []

    def do(self, behaviour: Behaviour) -> None:
        """Do it once."""
        getattr(self, f"_{behaviour}")()

    def _purge(self) -> None:
        for queue in self._queues:
            self._channel.queue_purge(queue)

    def _hoard(self) -> None:
        """Take what there is before anybody else, and keep it."""
        self._channel.basic_qos(prefetch_count=_HOARDED)
        self._channel.basic_consume(self._chosen.choice(self._queues), _ignore, arguments=_BEFORE_ALL)

    def _swallow(self) -> None:
        """Say that tasks are done, and say nothing else."""
        for tag, _ in self._take():
            self._channel.basic_ack(tag)

    def _twice(self) -> None:
        """Answer twice, differently, and the second time after the end."""
        for tag, task in self._take():
            self._say(task, State.STARTED)
            self._say(task, State.SUCCEEDED, output=_answer(task))
            self._channel.basic_ack(tag)
            self._say(task, State.FAILED, failure=Failure(reason=Reason.DEVICE, message="and yet it failed"))
            self._say(task, State.SUCCEEDED, output=_answer(task))

    def _late(self) -> None:
        """Give tasks back, and answer them when they are another's, or over."""
        for tag, task in self._take():
            self._channel.basic_nack(tag, requeue=True)
            self._seen = [*self._seen, task][-_REMEMBERED:]
        for task in self._seen[: self._chosen.randrange(_LATE)]:
            self._say(task, State.SUCCEEDED, output=_answer(task))

    def _stranger(self) -> None:
        """Let the accomplice, who was never given them, answer and start tasks."""
        for tag, task in self._take():
            self._other(task, State.STARTED)
            self._other(task, State.SUCCEEDED, output=_answer(task))
            self._channel.basic_nack(tag, requeue=True)

    def _unasked(self) -> None:
        """Answer for tasks that nobody submitted."""
        for tag, task in self._take():
            self._channel.basic_nack(tag, requeue=True)
            for unknown in (f"never-{self._chosen.getrandbits(64):x}", "", "x" * 64):
                self._say(task, State.SUCCEEDED, as_task=unknown, output=_answer(task))

    def _wrong(self) -> None:
        """Answer with what is no answer."""
        for tag, task in self._take():
            wrong = Tensor(dtype="<i8", shape=[1], data="AAAAAAAAAAA=")
            bodies = (
                b"",
                b"\x80\x81",
                b"[]",
                b'{"task": 7}',
                b'{"task":"' + task.id.encode() + b'","state":"succeeded"}',
            )
            for body in bodies:
                self._say.raw(task, State.SUCCEEDED, body)
            self._say(task, State.SUCCEEDED, output=self._chosen.choice((wrong, None)))
            self._say(task, State.SUCCEEDED, by="somebody-else", output=_answer(task))
            self._channel.basic_ack(tag)

    def _lie(self) -> None:
        """Lie when it is asked how it is: that is done where probes are answered."""

    def _huge(self) -> None:
        """Answer with more than anybody may send."""
        for tag, task in self._take(1)[:1]:
            for size in (9 * _MIB, 100 * _MIB):
                self._say.raw(task, State.SUCCEEDED, b'{"task":"' + task.id.encode() + b'","x":"' + b"x" * size + b'"}')
            self._channel.basic_ack(tag)

    def _take(self, queues: int | None = None) -> list[tuple[int, Task]]:
        """Take what comes to these many queues in a moment, before any honest device gets it."""
        held: list[tuple[Any, Any, bytes]] = []
        self._channel.basic_qos(prefetch_count=_AT_ONCE)
        tags = [
            self._channel.basic_consume(queue, lambda *delivery: held.append(delivery[1:]), arguments=_BEFORE_ALL)
            for queue in self._chosen.sample(self._queues, queues or len(self._queues))
        ]
        self._channel.connection.sleep(_MOMENT)
        for tag in tags:
            self._channel.basic_cancel(tag)
        tasks = []
        for method, properties, body in held:
            try:
                task = read_task(properties.headers or {}, vars(properties), body, redelivered=method.redelivered)
            except JunkError:
                self._channel.basic_nack(method.delivery_tag)
            else:
                tasks.append((method.delivery_tag, task))
        return tasks


class Say:
    """Says as a device what it was told to say."""

    def __init__(self, channel: BlockingChannel, enrolment: Enrolment) -> None:
        self._channel = channel
        self._device = enrolment.device
        self._region = enrolment.region
        self._user = user_of(enrolment.url.get_secret_value())

    def __call__(
        self, task: Task, state: State, *, as_task: str | None = None, by: str | None = None, **more: Any
    ) -> None:
        """Publish a report."""
        report = Report(
            task=task.id if as_task is None else as_task,
            state=state,
            at=time.time(),
            run=f"{random.getrandbits(64):x}",
            device=by or self._device,
            region=self._region,
            **more,
        )
        message = report_publication(report, task.reply_to, self._user)
        self._channel.basic_publish(message.exchange, message.key, message.body, message.properties)

    def raw(self, task: Task, state: State, body: bytes) -> None:
        """Publish something else in a report's place."""
        properties = pika.BasicProperties(correlation_id=task.id, user_id=self._user)
        self._channel.basic_publish(names.RESULTS, names.result_key(task.reply_to, state), body, properties)


def _answer(task: Task) -> Tensor:
    """Return an answer of the right form, and wrong."""
    rows = () if isinstance(task.inputs, str) else (len(task.inputs),)
    return pack(np.full((*rows, WIDTH), -1, np.float32))


def _ignore(*_: object) -> None:
    """Keep a task, and say nothing of it."""


@contextmanager
def _channel(enrolment: Enrolment) -> Iterator[BlockingChannel]:
    with pika.BlockingConnection(parameters(enrolment.url.get_secret_value())) as connection:
        yield connection.channel()


def _again(do: Callable[[], None]) -> None:
    while True:
        try:
            do()
        except (AMQPError, OSError) as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        time.sleep(1.0)


def main(enrolment_file: str, other_file: str, seed: str, *behaviours: str) -> None:
    """Be hostile until standard input ends."""
    watch_lifeline(lambda: os._exit(0))
    enrolment, other = load_enrolment(Path(enrolment_file)), load_enrolment(Path(other_file))
    chosen = random.Random(int(seed))
    meant = [Behaviour(behaviour) for behaviour in behaviours]
    key = load_keys(keys_beside(Path(enrolment_file))).signing
    answers = Answers(enrolment.device, other.device, key, chosen, lies=Behaviour.LIE in meant)

    def work() -> None:
        with _channel(enrolment) as channel, _channel(other) as accomplice:
            hostile = Hostile(enrolment, channel, Say(accomplice, other), chosen)
            while True:
                # First: one that is inactive may read nothing else, and comes no further.
                answers.answer(channel)
                hostile.do(chosen.choice(meant))
                channel.connection.sleep(chosen.uniform(0.2, 1.5))
                accomplice.connection.process_data_events(0)

    _again(work)


if __name__ == "__main__":
    main(*sys.argv[1:])
