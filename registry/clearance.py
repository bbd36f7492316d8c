"""Clearance: whether a task that came back may be started once more, and the attempt that it then counts for."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, col, func, select

from broker_config import names
from registry.tables import Deployment
from registry.task_state import OPEN, Action, Outcome
from registry.task_tables import Attempt, Task, TaskAction
from starai.errors import RegistryError


@dataclass(frozen=True)
class Return:
    """A task that came back to its queue, and that a device would start.

    Attributes:
        run: the id of the attempt that this would be.
        model: what it would run on, by its name in the catalogue.
        began_unasked: whether some device was given the message before without having to ask, as far as the queue
            tells.
    """

    submitter: str
    task: str
    run: str
    model: str
    began_unasked: bool


class Verdict(StrEnum):
    """What is to become of a task that came back.

    Attributes:
        ENDED: its submitter has been told how, or has cancelled it.
        EXPIRED: its deadline passed, of which its submitter is to be told; so with USED_UP, its attempts.
    """

    START = "start"
    ENDED = "ended"
    EXPIRED = "expired"
    USED_UP = "used up"


#: What is recorded of a task that is ended here.
_ACTIONS = {Verdict.EXPIRED: Action.EXPIRED, Verdict.USED_UP: Action.FAILED}


@dataclass(frozen=True)
class Clearance:
    """What was decided.

    Attributes:
        attempt: the how manyth attempt it is, or would have been, from 1.
        reason: why it is not started, in words for its submitter.
        reply_to: where that submitter is answered, as the ledger knows it.
    """

    verdict: Verdict
    attempt: int
    reason: str = ""
    reply_to: str | None = None


def clear(session: Session, device: str, returned: Return, now: datetime, most: int) -> Clearance:
    """Decide about a task that came back, and write down what follows; asking again for the same run changes nothing.

    A task that the ledger does not know yet is decided about by its attempts alone. Attempts that are said to run
    are lost, because the broker has given the task to another device.

    Args:
        session: the transaction.
        device: who asks.
        returned: what it holds.
        now: the time.
        most: how many attempts a task has.

    Raises:
        RegistryError: that device hosts no such model, so that it cannot have been given the task.
    """
    _check_hosted(session, device, returned.model)
    key = (returned.submitter, returned.task)
    task = session.get(Task, key, with_for_update=True, populate_existing=True)
    others = [found for found in _attempts(session, returned) if found.run != returned.run]
    clearance = decide(task, others, returned, now, most)
    for lost in (found for found in others if found.outcome is Outcome.RUNNING):
        lost.outcome, lost.ended_at, lost.reason = Outcome.LOST, now, "the task came back to its queue"
        session.add(lost)
    if clearance.verdict is Verdict.START:
        _grant(session, device, returned, now, others)
    elif clearance.verdict in _ACTIONS:
        action = _ACTIONS[clearance.verdict]
        session.add(TaskAction(submitter=key[0], task=key[1], at=now, action=action, reason=clearance.reason))
    session.flush()
    return clearance


def decide(task: Task | None, others: Collection[Attempt], returned: Return, now: datetime, most: int) -> Clearance:
    """Return what becomes of a task, given the attempts at it that count."""
    attempt = 1 + attempts_made(others, began_unasked=returned.began_unasked)
    reply_to = task.reply_to if task else None
    if task and task.state not in OPEN:
        return Clearance(Verdict.ENDED, attempt, f"It has {task.state} already.", reply_to)
    if task and task.cancelled_at:
        return Clearance(Verdict.ENDED, attempt, "It was cancelled.", reply_to)
    if task and task.expires_at and task.expires_at < now:
        return Clearance(Verdict.EXPIRED, attempt, "Its deadline passed before it was begun again.", reply_to)
    if attempt > most:
        return Clearance(Verdict.USED_UP, attempt, _used_up(attempt - 1, others), reply_to)
    return Clearance(Verdict.START, attempt, reply_to=reply_to)


def attempts_made(attempts: Iterable[Attempt], *, began_unasked: bool) -> int:
    """Return how often a task was started: what was cleared, and what began without.

    Of the latter there is one, where it came back before any device had told of it; there are more where devices got
    no answer of the platform's.
    """
    known = list(attempts)
    cleared = [found.cleared for found in known]
    return cleared.count(True) + max(cleared.count(False), int(began_unasked or _began_unasked(known)))


def _began_unasked(attempts: Iterable[Attempt]) -> bool:
    """Tell whether some device is known to have begun the task unasked: of a copy that is sent later no queue tells."""
    return any(found.after_unasked for found in attempts)


def _used_up(made: int, attempts: Iterable[Attempt]) -> str:
    devices = dict.fromkeys(found.device for found in sorted(attempts, key=lambda found: found.started_at))
    who = f" ({', '.join(devices)})" if devices else ""
    return f"It was begun {made} times, and each time the device ended or failed{who}."[:500]


def _check_hosted(session: Session, device: str, model: str) -> None:
    wanted = names.wire_name(model)
    hosted = session.exec(select(Deployment.model).where(Deployment.device_id == device))
    if wanted not in map(names.wire_name, hosted):
        raise RegistryError(f"Device {device} hosts no model {model}, so that no task of it can have come back there.")


def _attempts(session: Session, returned: Return) -> list[Attempt]:
    """Return the attempts that count: those since its submitter last asked for the task once more."""
    retried = session.exec(
        select(func.max(TaskAction.at)).where(
            TaskAction.submitter == returned.submitter,
            TaskAction.task == returned.task,
            TaskAction.action == Action.RETRIED,
        )
    ).one()
    mine = (Attempt.submitter == returned.submitter, Attempt.task == returned.task)
    return [
        found
        for found in session.exec(select(Attempt).where(*mine).order_by(col(Attempt.started_at)))
        if retried is None or found.started_at > retried
    ]


def _grant(session: Session, device: str, returned: Return, now: datetime, others: Iterable[Attempt]) -> None:
    key = (returned.submitter, returned.task, returned.run)
    known = session.get(Attempt, key)
    attempt = known or Attempt(
        submitter=returned.submitter, task=returned.task, run=returned.run, device=device, started_at=now
    )
    attempt.cleared = True
    attempt.after_unasked = returned.began_unasked or _began_unasked(others)
    session.add(attempt)
