"""Nonces of messages that were taken, so that none is taken twice."""

from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select

from registry.tables import SeenNonce


def is_new(session: Session, nonce: str, at: datetime, kept: timedelta) -> bool:
    """Tell whether the nonce was never seen before, and remember it; forget those seen longer ago than ``kept``."""
    # Another transaction that forgets the same ones need not be waited for.
    old = select(SeenNonce.nonce).where(SeenNonce.seen_at < at - kept).with_for_update(skip_locked=True)
    session.exec(delete(SeenNonce).where(col(SeenNonce.nonce).in_(old)))
    try:
        # A savepoint: another process may take the same message at this moment.
        with session.begin_nested():
            session.add(SeenNonce(nonce=nonce, seen_at=at))
    except IntegrityError:
        return False
    return True
