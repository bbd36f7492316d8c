"""The submitters: every task is sent when it is due, and every answer is timed."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pika
from pika.channel import Channel

from bench.errors import BenchError
from bench.placement.fleet import Arrival
from bench.placement.hands import body_of
from bench.raw.messages import persistent
from broker_config import names
from broker_config.address import parameters

# Seconds after the last arrival within which everything must be answered.
_PATIENCE = 60.0


@dataclass
class Outcome:
    """Each answered task's seconds from submission to answer, and how many were served in their own region."""

    taken: list[float] = field(default_factory=list)
    at_home: int = 0

    @property
    def home_share(self) -> float:
        """The share served in their own region."""
        return self.at_home / len(self.taken)


@dataclass(frozen=True)
class _Due:
    at: float
    model: str
    task: Arrival


def send(url: str, models: Sequence[str], tasks: Sequence[Arrival], check: Callable[[], None]) -> dict[str, Outcome]:
    """Send the same tasks to each of the models, at the same moments, and return what became of them.

    ``check`` is called while answers are awaited, and may raise.

    Raises:
        BenchError: not every task was answered.
    """
    due = [_Due(task.at, model, task) for task in tasks for model in models]
    outcomes = {model: Outcome() for model in models}
    with pika.BlockingConnection(parameters(url)) as connection:
        channel: Any = connection.channel()
        reply_to = channel.queue_declare("", exclusive=True).method.queue
        sent: list[float] = []

        def on_answer(_: Channel, __: Any, properties: pika.BasicProperties, body: bytes) -> None:
            _note(outcomes, due, sent, int(properties.correlation_id or 0), body)

        channel.basic_consume(reply_to, on_answer, auto_ack=True)
        begun = time.monotonic()
        for number, one in enumerate(due):
            _wait(connection, begun + one.at)
            sent.append(time.monotonic())
            key = names.submission_key(one.task.region, one.model)
            channel.basic_publish(names.SUBMISSIONS, key, body_of(one.task.work), persistent(reply_to, str(number)))
        _wait_for_all(connection, outcomes, len(due), check)
    return outcomes


def _note(
    outcomes: Mapping[str, Outcome], due: Sequence[_Due], sent: Sequence[float], number: int, body: bytes
) -> None:
    outcome = outcomes[due[number].model]
    outcome.taken.append(time.monotonic() - sent[number])
    outcome.at_home += body.decode() == due[number].task.region


def _wait(connection: pika.BlockingConnection, until: float) -> None:
    while (left := until - time.monotonic()) > 0:
        connection.process_data_events(time_limit=left)


def _wait_for_all(
    connection: pika.BlockingConnection, outcomes: Mapping[str, Outcome], count: int, check: Callable[[], None]
) -> None:
    deadline = time.monotonic() + _PATIENCE
    while (answered := sum(len(outcome.taken) for outcome in outcomes.values())) < count:
        if time.monotonic() > deadline:
            raise BenchError(f"Of {count} tasks only {answered} were answered within {_PATIENCE:g} s of the last.")
        check()
        connection.process_data_events(time_limit=0.1)
