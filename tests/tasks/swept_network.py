"""A network whose parts a test moves by hand: a submitter, devices, the recorder and the sweep, on a real broker."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import numpy as np
import pika
from pika.exceptions import AMQPError
from sqlalchemy import Engine
from sqlmodel import select

from broker_config import names
from broker_config.address import user_of
from broker_config.link import Link
from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.database import session
from registry.deployments import Planned, deploy
from registry.device_state import DeviceState
from registry.devices import enrol_device
from registry.events import events_of
from registry.owners import add_owner
from registry.states import set_state
from registry.tables import EventKind
from registry.task_state import Action
from registry.task_tables import Attempt, Task, TaskAction
from starai.report import REPLY_ARGUMENTS, read_report, report_publication
from starai.submission import publication, submission
from starai.tensor import pack
from starai.wire import Report, State
from tasks.dead_letters import DeadLetters
from tasks.deadlines import Deadlines
from tasks.enforcement import Enforcement
from tasks.hoarders import Hoarders
from tasks.leases import Leases
from tasks.lost import Lost
from tasks.mark import Marks
from tasks.recorder import Recorder
from tasks.sweep import Sweep
from tasks.targets import Targets
from tasks.telling import Telling
from tests.conftest import idle

MODEL = "all-minilm-l6-v2"
QUEUE = names.task_queue(Region.ASIA, Tier.TINY, MODEL)
#: Seconds by which the broker's figures may be old: it collects every five what queues say every five.
SETTLED = 12.0


class Submitter:
    """Submits and hears what becomes of it."""

    def __init__(self, broker: Any, stack: ExitStack) -> None:
        url = broker.submitter("ann")
        self._channel = stack.enter_context(broker.channel(url))
        self._reply_to = names.new_reply_queue("ann")
        self._channel.queue_declare(self._reply_to, durable=True, arguments=REPLY_ARGUMENTS)
        self._channel.queue_bind(self._reply_to, names.RESULTS, f"{self._reply_to}.*")
        self.heard: list[Report] = []

    def submit(self, count: int = 1, deadline: float = 600.0, lease: float | None = None) -> list[str]:
        made = [submission(MODEL, f"text {number}", Region.ASIA, deadline, lease) for number in range(count)]
        for one in made:
            message = publication(one, "ann", self._reply_to)
            self._channel.basic_publish(message.exchange, message.key, message.body, message.properties)
        return [one.task for one in made]

    def hears(self, task: str, state: State) -> Report | None:
        while (got := self._channel.basic_get(self._reply_to, auto_ack=True))[0]:
            report = read_report(got[1].user_id, got[0].routing_key, got[2])
            assert report
            self.heard.append(report)
        return next((report for report in self.heard if report.task == task and report.state is state), None)


class Device:
    """A device that does what the test says, by one connection for tasks and another for results, as devices do."""

    def __init__(self, url: str, stack: ExitStack) -> None:
        self.id = user_of(url)
        self._runs: dict[str, str] = {}
        self.tasks, self.results = (self._connect(url, f"{self.id} {what}", stack) for what in ("tasks", "results"))
        self._tasks, self._results = self.tasks.channel(), self.results.channel()
        self._results.confirm_delivery()

    @staticmethod
    def _connect(url: str, name: str, stack: ExitStack) -> pika.BlockingConnection:
        wanted = idle(url)
        wanted.client_properties = {"connection_name": name}
        connection = pika.BlockingConnection(wanted)
        stack.callback(_close, connection)
        return connection

    def take(self) -> tuple[int, str, str]:
        """Take a task and return its delivery tag, its id and where its submitter is answered."""
        method, properties, _ = self._tasks.basic_get(QUEUE)
        assert method, "there is no task"
        return method.delivery_tag, properties.headers["id"], properties.reply_to

    def say(self, taken: tuple[int, str, str], state: State, **more: Any) -> None:
        _, task, reply_to = taken
        run = self._runs.setdefault(task, f"{self.id}.{task}"[:64])
        output = pack(np.zeros(2, np.float32)) if state is State.SUCCEEDED else None
        report = Report(task=task, state=state, at=time.time(), run=run, device=self.id, output=output, **more)
        message = report_publication(report, reply_to, self.id)
        self._results.basic_publish(message.exchange, message.key, message.body, message.properties)

    def acknowledge(self, taken: tuple[int, str, str]) -> None:
        self._tasks.basic_ack(taken[0])

    def refuse(self, taken: tuple[int, str, str]) -> None:
        self._tasks.basic_reject(taken[0], requeue=False)

    def answer(self, taken: tuple[int, str, str]) -> None:
        self.say(taken, State.SUCCEEDED)
        self.acknowledge(taken)

    def purge(self) -> None:
        self._tasks.queue_purge(QUEUE)

    def is_cut(self, connection: pika.BlockingConnection) -> bool:
        try:
            connection.process_data_events(0.05)
        except AMQPError:
            return True
        return bool(connection.is_closed)


def _close(connection: pika.BlockingConnection) -> None:
    with suppress(AMQPError):  # the platform may have been first
        connection.close()


class SweptNetwork:
    """All of it."""

    def __init__(self, broker: Any, engine: Engine, stack: ExitStack) -> None:
        self.broker = broker
        self.engine = engine
        self._stack = stack
        self._link = Link(broker.url(), "platform upkeep")
        self._link.open(10)
        stack.callback(self._link.close)
        self.telling = Telling(self._link, names.PLATFORM)
        self.recorder: Recorder | None = None
        self.record()
        self.submitter = Submitter(broker, stack)
        with session(engine) as registry:
            add_owner(registry, "owner")

    def record(self) -> None:
        self.recorder = Recorder(self.broker.url(), self.engine)
        self.recorder.open()
        self._stack.callback(self.stop_recording)

    def stop_recording(self) -> None:
        if self.recorder:
            self.recorder.close()
            self.recorder = None

    def device(self, name: str) -> Device:
        return Device(self.enrolled(name), self._stack)

    def enrolled(self, name: str) -> str:
        """Enrol a device that hosts the model, and return its broker user's address."""
        with session(self.engine) as registry:
            enrol_device(registry, name, "owner", Region.ASIA)
            deploy(registry, name, [Planned(MODEL, Tier.TINY, slots=2)])
            set_state(registry, name, DeviceState.ACTIVE, "it joined")
        return str(self.broker.device(name, QUEUE))

    def sweep(self, *names_of_parts: str, patience: float = 10.0, **limits: float) -> Sweep:
        """Return a sweep of these parts."""
        marks = Marks(self.engine, self.telling, patience)
        parts = dict(self._parts(**limits))
        before = {name: part for name, part in parts.items() if name in ("dead letters", "queues")}
        return Sweep(
            self.engine,
            marks,
            {name: part for name, part in before.items() if name in names_of_parts},
            {name: part for name, part in parts.items() if name in names_of_parts and name not in before},
        )

    def _parts(
        self, *, lease: float = 60.0, settled: float = SETTLED, hoard: float = 65.0
    ) -> Iterator[tuple[str, Any]]:
        engine, api, vhost = self.engine, self.broker.node.api, self.broker.vhost
        lost = Lost(engine, api, vhost, Targets(), self.telling, settled=settled, warm=0)
        enforcement = Enforcement(engine, api, self.broker.url())
        yield "dead letters", DeadLetters(engine, self.telling).tell
        yield "queues", lost.look
        yield "leases", Leases(engine, api, self.telling, lease=lease, margin=0.5, vhost=vhost).end
        yield "deadlines", Deadlines(engine, self.telling, margin=0.5).end
        yield "lost", lost.put_back
        yield "hoarders", Hoarders(engine, api, vhost, enforcement, patience=hoard).end

    def known(self) -> dict[str, Task]:
        with session(self.engine) as registry:
            return {task.id: task for task in registry.exec(select(Task))}

    def attempts(self) -> dict[str, Attempt]:
        with session(self.engine) as registry:
            return {attempt.task: attempt for attempt in registry.exec(select(Attempt))}

    def acted(self, action: Action) -> list[str]:
        with session(self.engine) as registry:
            return sorted(a.task for a in registry.exec(select(TaskAction).where(TaskAction.action == action)))

    def events(self, device: str, kind: EventKind) -> list[str]:
        with session(self.engine) as registry:
            return [event.reason for event in events_of(registry, device) if event.kind is kind]

    def held(self) -> int:
        """Return how many messages the broker says the queue has."""
        return self.broker.node.api.queue_lengths(self.broker.vhost, [QUEUE]).get(QUEUE, -1)
