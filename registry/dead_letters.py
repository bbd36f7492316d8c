"""What queues gave up: kept until an operator puts it back."""

from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from registry.task_tables import DeadLetter
from starai.errors import RegistryError


def dead_letters(
    session: Session, *, before: int | None = None, limit: int = 100, retried: bool = False
) -> list[DeadLetter]:
    """Return dead letters without their bodies, the newest first.

    Args:
        session: the transaction.
        before: only those with a lower number: where an earlier list ended.
        limit: so many at most.
        retried: also those that were put back.
    """
    # A body may have megabytes.
    wanted = select(DeadLetter).options(defer(DeadLetter.body)).order_by(col(DeadLetter.id).desc())  # type: ignore[arg-type]
    if before is not None:
        wanted = wanted.where(col(DeadLetter.id) < before)
    if not retried:
        wanted = wanted.where(col(DeadLetter.retried_at).is_(None))
    return list(session.exec(wanted.limit(limit)))


def count_waiting(session: Session) -> int:
    """Return how many dead letters were not put back."""
    return session.exec(select(func.count()).where(col(DeadLetter.retried_at).is_(None))).one()


def find_dead_letter(session: Session, number: int) -> DeadLetter:
    """Return a dead letter, which nobody else changes meanwhile.

    Raises:
        RegistryError: there is none of that number.
    """
    found = session.get(DeadLetter, number, with_for_update=True)
    if found is None:
        raise RegistryError(f"There is no dead letter {number}: `starai jobs failed` lists them.")
    return found


def mark_retried(session: Session, letter: DeadLetter, at: datetime) -> None:
    """Write down that a dead letter was put back: nobody is told any more that it failed."""
    letter.retried_at, letter.ended_at = at, letter.ended_at or at
    session.add(letter)
    session.flush()
