"""Folds what the ledger's messages say into what the registry has. Pure: nothing here talks to a database.

Messages may come twice and out of turn, so each rule holds however often it is applied: the first end of a task
stands, an attempt that has ended does not begin again, and what is added up is added when a task ends, once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from registry.ledger_changes import Changes, Known, Refused
from registry.ledger_entries import BROKEN, DeadLettered, Entry, Marked, Reported, Submitted
from registry.ledger_rows import AttemptRow, InputRow, Key, ResultRow, TaskRow, Used
from registry.task_state import Outcome, TaskState
from starai.wire import FINAL, Reason, State

#: The most attempts that are kept of one task: devices name them, as many as they like.
MOST_ATTEMPTS = 100
#: The most seconds that a device is believed to have computed where it told no start: a device tells the start of
#: every task that goes on for longer (``worker/beginnings.py``).
UNTOLD = 0.02

# What a task that failed or expired needs to be tried again.
_KEEPS_INPUT = frozenset({TaskState.QUEUED, TaskState.STARTED, TaskState.FAILED, TaskState.EXPIRED})
_STATES = {state: TaskState(state.value) for state in FINAL}
_OUTCOMES = {state: Outcome(state.value) for state in FINAL}
_BEGINS = frozenset({State.STARTED, State.PROGRESS})
_NO_KINDS: Mapping[str, str] = MappingProxyType({})
_SAID = frozenset(_OUTCOMES.values())
_GONE = frozenset({Outcome.LOST, Outcome.RETURNED})


def fold(known: Known, entries: Sequence[Entry], lease: float, kinds: Mapping[str, str] = _NO_KINDS) -> Changes:
    """Return what the entries change, in whatever order and however often they come.

    Args:
        known: what the registry has of all tasks and devices that the entries name. Its rows become the changes'.
        entries: one batch, in the order in which it came.
        lease: seconds that a task may run on one device, where its submitter asked for no other time.
        kinds: of models by their wire names, as far as they are known: a result of another kind answers nothing.
    """
    folding = _Folding(known, lease, kinds)
    for entry in entries:  # first, because a task's report may overtake its submission
        if isinstance(entry, Submitted):
            folding.submit(entry)
    for entry in entries:
        if isinstance(entry, Reported):
            folding.report(entry)
        elif isinstance(entry, Marked):
            folding.changes.marks.append(entry)
        elif isinstance(entry, DeadLettered):
            folding.changes.dead_letters.append(entry)
    return folding.finish()


class _Folding:
    """One fold under way."""

    def __init__(self, known: Known, lease: float, kinds: Mapping[str, str]) -> None:
        self.changes = Changes()
        self._lease, self._kinds = lease, kinds
        self._tasks, self._attempts = known.tasks, known.attempts
        self._hosts, self._owners = known.hosts, known.owners
        self._bodies: dict[Key, bytes] = {}
        self._created: set[Key] = set()
        self._changed: dict[Key, TaskRow] = {}
        self._begun: dict[tuple[Key, str], AttemptRow] = {}
        self._touched: dict[tuple[Key, str], AttemptRow] = {}

    def submit(self, entry: Submitted) -> None:
        key = entry.submitter, entry.task
        row = self._tasks.get(key)
        if row is None:
            row = self._tasks[key] = TaskRow(entry.submitter, entry.task, entry.at)
            self._created.add(key)
            self.changes.new_tasks.append(row)
        elif row.is_submitted:
            return
        else:
            self._changed[key] = row
        _fill(row, entry)
        self._bodies[key] = entry.body

    def report(self, entry: Reported) -> None:
        row = self._tasks.get((entry.submitter, entry.task))
        if row is None or not (row.is_submitted or entry.device is None):
            self.changes.orphans.append(entry)
        elif reason := self._disbelief(row, entry):
            self.changes.refused.append(Refused(entry, reason))
        elif entry.state is State.STARTED:
            self._start(row, entry)
        elif entry.state is State.PROGRESS:
            self._progress(row, entry)
        elif entry.state is State.REQUEUED:
            self._requeue(row, entry)
        else:
            self._end(row, entry if self._answers(entry, row) else _failed(entry))

    def finish(self) -> Changes:
        changes = self.changes
        for key, body in self._bodies.items():
            if self._tasks[key].state in _KEEPS_INPUT:
                changes.inputs.append(InputRow(*key, body))
        changes.changed_tasks.extend(self._changed.values())
        changes.new_attempts.extend(self._begun.values())
        changes.changed_attempts.extend(self._touched.values())
        return changes

    def _disbelief(self, row: TaskRow, entry: Reported) -> str | None:
        """Return why a report is not believed, or nothing where it is: the platform always is."""
        if entry.device is None:
            return None
        if entry.run is None:
            return "it names no attempt"
        if entry.reply_to != row.reply_to:
            return "its reply address is not the task's"
        attempts = self._attempts.get(row.key, {})
        attempt = attempts.get(entry.run)
        if attempt is not None:
            return None if attempt.device == entry.device else "the attempt is another device's"
        hosts = (entry.device, row.model) in self._hosts
        if not hosts and all(attempt.device != entry.device for attempt in attempts.values()):
            return "the device was not given the task: it does not host the model"
        if len(attempts) >= MOST_ATTEMPTS:
            return f"the task has {MOST_ATTEMPTS} attempts already"
        if not row.is_open and entry.state not in _BEGINS:
            return "the task has ended"
        return None

    def _start(self, row: TaskRow, entry: Reported) -> None:
        attempt = self._attempt(row, entry)
        is_new = attempt is None
        if attempt is None:
            attempt = self._begin(row, entry, 0.0)
        if attempt.outcome is not Outcome.RUNNING or not row.is_open:
            return
        is_last = row.started_at is None or attempt.started_at > row.started_at
        if is_new or is_last or row.state is TaskState.QUEUED:
            row.state, row.device, row.started_at = TaskState.STARTED, entry.device, attempt.started_at
            self._change(row)

    def _progress(self, row: TaskRow, entry: Reported) -> None:
        self._start(row, entry)
        attempt = self._attempt(row, entry)
        if attempt is not None and attempt.outcome is Outcome.RUNNING:
            attempt.progressed_at = max(attempt.progressed_at or entry.at, entry.at)
            self._touch(row, attempt)

    def _requeue(self, row: TaskRow, entry: Reported) -> None:
        attempt = self._attempt(row, entry)
        if attempt is None and entry.device is not None and entry.claimed is not None:
            attempt = self._begin(row, entry, _untold(entry))
        if attempt is not None:
            self._give_back(row, attempt, entry)
        if row.state is TaskState.STARTED and not self._runs(row):
            row.state = TaskState.QUEUED
            self._change(row)

    def _give_back(self, row: TaskRow, attempt: AttemptRow, entry: Reported) -> None:
        """Let an attempt end that its device gave back. The next one's clearance may have called it lost before."""
        if entry.message and attempt.outcome in (Outcome.RUNNING, Outcome.LOST):
            self._close(row, attempt, entry, Outcome.RETURNED)
        elif attempt.outcome is Outcome.RUNNING:
            self._close(row, attempt, entry, Outcome.LOST)

    def _end(self, row: TaskRow, entry: Reported) -> None:
        attempt = self._attempt(row, entry)
        if attempt is not None and attempt.outcome in _SAID:
            return  # it was heard before: the task may have been put back since, at its submitter's wish
        was_open = row.is_open
        seconds = self._end_attempt(row, entry, was_open)
        if not was_open:
            return
        row.state, row.ended_at = _STATES[entry.state], entry.at
        row.reason, row.message = entry.reason, entry.message
        self._change(row)
        if row.state is TaskState.SUCCEEDED:
            row.bytes_out = entry.size
            self.changes.results.append(ResultRow(row.submitter, row.id, entry.at, entry.body))
        if row.state not in _KEEPS_INPUT and row.key not in self._bodies:
            self.changes.spent_inputs.append(row.key)
        self._use(row, entry, seconds)

    def _end_attempt(self, row: TaskRow, entry: Reported, was_open: bool) -> float:
        """Let a device's attempt end with its report, and return for how many seconds it computed."""
        if entry.device is None:
            return 0.0
        attempt = self._attempt(row, entry)
        is_told = attempt is not None
        if attempt is None:
            attempt = self._begin(row, entry, _untold(entry))
        # The broker took the task from the device, which answers all the same: if that is the first answer, it counts.
        if attempt.outcome is Outcome.RUNNING or (was_open and attempt.outcome in _GONE):
            self._close(row, attempt, entry, _OUTCOMES[entry.state])
        if was_open:
            row.device, row.started_at = entry.device, attempt.started_at
        return self._seconds(row, attempt, entry) if is_told else _untold(entry)

    def _seconds(self, row: TaskRow, attempt: AttemptRow, entry: Reported) -> float:
        """Return for how long an attempt computed: what its device claims, as far as the platform saw that."""
        seen = max((entry.at - attempt.started_at).total_seconds(), 0.0)
        if entry.claimed is None:
            return seen
        if entry.waited:
            got_on = attempt.progressed_at or attempt.started_at
            seen = (got_on - attempt.started_at).total_seconds() + (row.lease or self._lease)
        return min(max(entry.claimed, 0.0), seen)

    def _attempt(self, row: TaskRow, entry: Reported) -> AttemptRow | None:
        return self._attempts.get(row.key, {}).get(entry.run or "")

    def _begin(self, row: TaskRow, entry: Reported, before: float) -> AttemptRow:
        """Add an attempt that began so many seconds before the report came."""
        run, device = entry.run or "", entry.device or ""
        key = row.key
        attempt = AttemptRow(row.submitter, row.id, run, device, entry.at - timedelta(seconds=before))
        attempts = self._attempts.setdefault(key, {})
        attempts[run] = self._begun[key, run] = attempt
        row.attempts = max(row.attempts, len(attempts))
        self._change(row)
        return attempt

    def _close(self, row: TaskRow, attempt: AttemptRow, entry: Reported, outcome: Outcome) -> None:
        attempt.outcome, attempt.ended_at, attempt.reason = outcome, entry.at, entry.message
        self._touch(row, attempt)

    def _touch(self, row: TaskRow, attempt: AttemptRow) -> None:
        key = row.key, attempt.run
        if key not in self._begun:
            self._touched[key] = attempt

    def _answers(self, entry: Reported, row: TaskRow) -> bool:
        """Tell whether a result may answer a task: it is of the model's kind, with a row for each text, or is one."""
        if entry.kind is not None and entry.kind != self._kinds.get(row.model or "", entry.kind):
            return False
        if entry.shape is None or not row.items:
            return True
        rows = entry.shape[:-1]
        return len(entry.shape) > 0 and (rows == (row.items,) or (rows == () and row.items == 1))

    def _runs(self, row: TaskRow) -> bool:
        return any(a.outcome is Outcome.RUNNING for a in self._attempts.get(row.key, {}).values())

    def _change(self, row: TaskRow) -> None:
        key = row.key
        if key not in self._created:
            self._changed[key] = row

    def _use(self, row: TaskRow, entry: Reported, seconds: float) -> None:
        owner = self._owners.get(entry.device or "")
        if owner is None or entry.device is None or row.model is None:
            return
        used = self.changes.usage.setdefault((entry.at.date(), owner, entry.device, row.model), Used())
        used.compute_seconds += seconds
        used.bytes_in += row.bytes_in
        used.bytes_out += row.bytes_out
        if row.state is TaskState.SUCCEEDED:
            used.tasks += 1
            used.items += row.items
            used.tokens_claimed += entry.tokens
        elif row.state is TaskState.FAILED:
            used.failed += 1


def _fill(row: TaskRow, entry: Submitted) -> None:
    """Write a submission down. That the task was cancelled or rejected meanwhile is kept."""
    row.submitted_at = entry.at
    row.region, row.target, row.model, row.reply_to = entry.region, entry.target, entry.model, entry.reply_to
    row.expires_at, row.lease = entry.expires_at, entry.lease
    row.items, row.bytes_in = entry.items, len(entry.body)


def _failed(entry: Reported) -> Reported:
    return replace(entry, state=State.FAILED, reason=Reason.DEVICE, message=BROKEN, body=b"", kind=None, shape=None)


def _untold(entry: Reported) -> float:
    """Return for how many seconds an attempt went on whose start was not told, as its device claims, within bounds."""
    return min(max(entry.claimed or 0.0, 0.0), UNTOLD)
