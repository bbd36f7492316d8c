"""A phone that a test moves by hand: a page in a browser, which speaks STOMP to a real broker."""

import time
from contextlib import ExitStack, suppress
from typing import Any

import numpy as np

from broker_config import names
from models.browser import BROWSER
from registry.columns import now
from registry.database import session
from registry.measurements import record_measurement
from registry.tables import Measurement
from starai.report import report_publication
from starai.tensor import pack
from starai.wire import Report, State
from tests.conftest import Broker
from tests.stomp import Frame, Refused, Stomp
from tests.tasks.swept_network import QUEUE, SweptNetwork


class HandPhone:
    """One connection for what it says and hears, another for tasks. Neither has a name of its choice."""

    def __init__(self, broker: Broker, name: str, stack: ExitStack) -> None:
        self.id = name
        self._broker, self._stack = broker, stack
        self.control, self.tasks = self.connect(), self.connect()
        self.control.subscribe(names.device_queue(name))

    def connect(self) -> Stomp:
        """Open one more connection."""
        connection = Stomp(f"ws://127.0.0.1:{self._broker.node.file.web}/ws")
        self._stack.callback(connection.close)
        connection.login(self._broker.vhost, login=self.id, passcode=f"secret-of-{self.id}")
        return connection

    def beat(self) -> None:
        """Send what keeps its connections alive, those that are."""
        for connection in (self.control, self.tasks):
            with suppress(Refused):
                connection.write(b"\n")

    def take(self, connection: Stomp | None = None) -> Frame:
        """Take a task: a subscription goes on, so that it has to be the only one of its connection."""
        taking = connection or self.tasks
        taking.subscribe(QUEUE)
        return taking.message()

    def say(self, task: Frame, state: State, **more: Any) -> None:
        """Report on a task, as a phone does: over STOMP, in the form of every device."""
        run = f"{self.id}.{task.headers['id']}"[:64]
        output = pack(np.zeros(2, np.float32)) if state is State.SUCCEEDED else None
        report = Report(
            task=task.headers["id"], state=state, at=time.time(), run=run, device=self.id, output=output, **more
        )
        sent = report_publication(report, task.headers["reply-to"].removeprefix("/reply-queue/"), self.id)
        properties = {"content-type": "application/json", "correlation-id": report.task, "user-id": self.id}
        self.control.publish(sent.exchange, sent.key, sent.body, **properties)


def phone(network: SweptNetwork, name: str, stack: ExitStack) -> HandPhone:
    """Enrol a phone and connect it."""
    network.enrolled(name)
    figures = {"physical_cores": 6, "threads": 6, "memory_bytes": 2**31, "gflops_one_thread": 5.0}
    with session(network.engine) as registry:
        measured = Measurement(cpu_model="a phone", provider=BROWSER, gb_per_s_one_thread=8.0, at=now(), **figures)
        measured.device_id = name
        record_measurement(registry, measured)
    return HandPhone(network.broker, name, stack)


def is_cut(connection: Stomp) -> bool:
    """Tell whether the broker has ended a connection."""
    try:
        connection.is_silent(0.05)
    except Refused:
        return True
    return False
