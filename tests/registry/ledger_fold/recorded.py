"""What is told of a task, and the ledger that records it."""

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from registry.ledger_changes import Changes, Known
from registry.ledger_entries import Entry, Reported, Submitted
from registry.ledger_fold import fold
from registry.ledger_rows import AttemptRow, TaskRow, Used
from starai.wire import State

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
REPLY = "reply.ada-1"
HOSTS = frozenset({("device-1", "minilm"), ("device-2", "minilm")})
OWNERS = {"device-1": 1, "device-2": 2, "device-9": 9}
KEY = ("ada", "t")


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def submitted(second: float = 0, task: str = "t", **more: object) -> Submitted:
    entry = Submitted("ada", task, at(second), "asia", "minilm", "minilm", REPLY, at(600), None, 2, b"text")
    return replace(entry, **more)


def reported(state: State, second: float, device: str | None = "device-1", **more: object) -> Reported:
    run = device.replace("device", "run") if device else None
    entry = Reported("ada", "t", at(second), REPLY, state, device, run, None, None, None, 100, b"")
    return replace(entry, **({"body": b"result"} if state is State.SUCCEEDED else {}) | more)


def started(second: float, device: str = "device-1", **more: object) -> Reported:
    return reported(State.STARTED, second, device, **more)


def progressed(second: float, device: str = "device-1", **more: object) -> Reported:
    return reported(State.PROGRESS, second, device, **more)


def succeeded(second: float, device: str = "device-1", **more: object) -> Reported:
    return reported(State.SUCCEEDED, second, device, **more)


class Ledger:
    """The ledger's tables in memory: refuses what the database would."""

    def __init__(self, **kinds: str) -> None:
        self.kinds = kinds
        self.tasks: dict = {}
        self.attempts: dict = {}
        self.inputs: dict = {}
        self.results: dict = {}
        self.usage: dict = {}

    def record(self, *entries: Entry) -> Changes:
        known = Known(copy.deepcopy(self.tasks), copy.deepcopy(self.attempts), HOSTS, OWNERS)
        changes = fold(known, entries, 60.0, self.kinds)
        for task in changes.new_tasks:
            assert task.key not in self.tasks
        for task in changes.changed_tasks:
            assert task.key in self.tasks
        self.tasks |= {task.key: task for task in changes.tasks}
        for attempt in changes.new_attempts:
            assert attempt.run not in self.attempts.get((attempt.submitter, attempt.task), {})
        for attempt in changes.attempts:
            self.attempts.setdefault((attempt.submitter, attempt.task), {})[attempt.run] = attempt
        for row in changes.inputs:
            assert (row.submitter, row.task) not in self.inputs
            self.inputs[row.submitter, row.task] = row.body
        for key in changes.spent_inputs:
            self.inputs.pop(key, None)
        for row in changes.results:
            assert (row.submitter, row.task) not in self.results
            self.results[row.submitter, row.task] = row.body
        for key, used in changes.usage.items():
            sums = self.usage.setdefault(key, Used())
            for name in Used.__slots__:
                setattr(sums, name, getattr(sums, name) + getattr(used, name))
        return changes

    @property
    def task(self) -> TaskRow:
        return self.tasks[KEY]

    def attempt(self, run: str = "run-1") -> AttemptRow:
        return self.attempts[KEY][run]
