"""Tells submitters whose tasks a queue gave up."""

import logging

from sqlalchemy import Engine

from broker_config import names
from registry.columns import now
from registry.database import reading, session
from registry.sweeping import end_dead_letters, record_action, states_of, untold_dead_letters
from registry.task_state import OPEN, Action
from registry.task_tables import DeadLetter
from starai.wire import Failure, Reason, Report, State
from tasks.telling import Telling

log = logging.getLogger(__name__)

#: What RabbitMQ's reasons mean.
_WHY = {
    "rejected": "a device refused it for good",
    "delivery_limit": "it came back more often than the queue allows",
    "expired": "it waited for too long",
    "maxlen": "the queue was full",
}


class DeadLetters:
    """Looks for dead letters of which nobody was told.

    Args:
        engine: the registry's.
        telling: publishes for the platform.
        portion: dead letters that are looked at in one sweep, at most.
    """

    def __init__(self, engine: Engine, telling: Telling, portion: int = 1000) -> None:
        self._engine = engine
        self._telling = telling
        self._portion = portion

    def tell(self) -> None:
        """Tell submitters that their tasks failed, and why, how often and where; what is no open task is left at that.

        Raises:
            RegistryError: the database could not be reached.
            BrokerError: the broker could not be reached, or refused.
        """
        with reading(self._engine) as registry:
            letters = untold_dead_letters(registry, self._portion)
            states = states_of(registry, {key for letter in letters if (key := task_of(letter))})
        failed = [letter for letter in letters if (key := task_of(letter)) and states.get(key) in OPEN]
        said = self._telling.tell((failure_of(letter), letter.reply_to or "") for letter in failed)
        told = [letter for letter, done in zip(failed, said, strict=True) if done]
        dropped = [letter for letter in letters if letter not in failed]
        if told or dropped:
            self._write(told, dropped)

    def _write(self, told: list[DeadLetter], dropped: list[DeadLetter]) -> None:
        at = now()
        with session(self._engine) as registry:
            for letter in told:
                submitter, task = task_of(letter) or ("", "")
                record_action(registry, submitter, task, Action.DEAD_LETTERED, reason_of(letter), at)
            end_dead_letters(registry, [letter.id for letter in (*told, *dropped) if letter.id], at)
        log.warning("dead_letters.told", extra={"told": len(told), "no_open_task": len(dropped)})


def task_of(letter: DeadLetter) -> tuple[str, str] | None:
    """Return the submitter and id of the task in a dead letter, or nothing where it is none that can be answered."""
    submitter = names.reply_user(letter.reply_to or "")
    # What the platform put back is its own message, for somebody else's task.
    if letter.task is None or submitter is None or letter.submitter not in (submitter, names.PLATFORM):
        return None
    return submitter, letter.task


def reason_of(letter: DeadLetter) -> str:
    """Return in words why, how often and where the broker gave a message up."""
    times = "once" if letter.deaths == 1 else f"{letter.deaths} times"
    return f"{_WHY.get(letter.reason, letter.reason)} ({times}, last by the queue {letter.queue})"[:500]


def failure_of(letter: DeadLetter) -> Report:
    """Return the report that ends the task in a dead letter."""
    message = f"The network gave the task up: {reason_of(letter)}."
    failure = Failure(reason=Reason.DEVICE, message=message)
    return Report(task=letter.task or "", state=State.FAILED, at=now().timestamp(), failure=failure)
