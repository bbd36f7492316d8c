"""Fills the ledger's queue with whole lives of tasks: submitted, started, succeeded."""

import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

import numpy as np

from broker_config import names
from broker_config.address import user_of
from broker_config.link import Link
from broker_config.publication import Publication
from broker_config.regions import Region
from starai.report import report_publication
from starai.submission import DEADLINE, publication, submission
from starai.tensor import pack
from starai.wire import Report, State

#: Messages of one task.
MESSAGES = 3
_TEXT = "A sentence of the length that people write when they ask for something, or say something about it."
_VECTOR = pack(np.random.default_rng(1).standard_normal(384, np.float32))
_SECONDS = 60.0


class Lives:
    """Sends what a submitter and a device send of tasks, without anybody doing them.

    Args:
        submitter: the submitter's address at the broker; ``device`` the device's.
        model: what the tasks are for.
    """

    def __init__(self, submitter: str, device: str, model: str) -> None:
        self._submitter, self._device, self._model = user_of(submitter), user_of(device), model
        self._reply_to = names.new_reply_queue(self._submitter)
        self._links = Link(submitter, "submitter"), Link(device, "device")
        for link in self._links:
            link.open(10.0)

    def send(self, count: int, together: int) -> None:
        """Send the lives of so many tasks, and wait until the broker has them all.

        Args:
            count: tasks.
            together: so many tasks are submitted, then started, then succeed.
        """
        for begin in range(0, count, together):
            self._send(min(together, count - begin))

    def close(self) -> None:
        """Disconnect."""
        for link in self._links:
            link.close()

    def _send(self, count: int) -> None:
        tasks = [submission(self._model, _TEXT, Region.ASIA, DEADLINE) for _ in range(count)]
        _confirm(self._links[0], [publication(task, self._submitter, self._reply_to) for task in tasks])
        lives = [tuple(self._reports(task.task)) for task in tasks]
        _confirm(self._links[1], [self._report(started) for started, _ in lives])
        _confirm(self._links[1], [self._report(ended) for _, ended in lives])

    def _reports(self, task: str) -> Iterator[Report]:
        run, now = uuid.uuid4().hex, time.time()
        who = {"device": self._device, "region": "asia", "run": run, "started": now, "task": task, "at": now}
        yield Report.model_validate(who | {"state": State.STARTED})
        yield Report.model_validate(who | {"state": State.SUCCEEDED, "output": _VECTOR})

    def _report(self, report: Report) -> Publication:
        return report_publication(report, self._reply_to, self._device)


def _confirm(link: Link, publications: Sequence[Publication]) -> None:
    link.publish_all(publications)
    confirmed: list[Future[None]] = [one.confirmed for one in publications]
    for future in confirmed:
        future.result(_SECONDS)
