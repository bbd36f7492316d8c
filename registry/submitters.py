"""Submitters: who may submit tasks."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from broker_config import names
from registry.columns import now
from registry.tables import Submitter
from starai.errors import InvalidName, RegistryError


def add_submitter(session: Session, name: str) -> Submitter:
    """Return the submitter of that name, who is added where there is none yet; one that was revoked may submit again.

    Raises:
        InvalidName: the name cannot stand on the wire, or is the platform's.
    """
    if names.wire_name(name) != name:
        raise InvalidName(f"{name!r} cannot be a submitter's name: it has a dot. Use '-' instead.")
    if name == names.PLATFORM:  # whose tasks and reports devices and submitters trust
        raise InvalidName(f"{name!r} is the platform's own broker user: choose another name.")
    try:
        # A savepoint: another process may add the same name between a look and an insert.
        with session.begin_nested():
            submitter = Submitter(name=name)
            session.add(submitter)
    except IntegrityError:
        submitter = find_submitter(session, name)
        submitter.revoked_at = None
        session.add(submitter)
        session.flush()
    return submitter


def find_submitter(session: Session, name: str) -> Submitter:
    """Return the submitter of that name, revoked or not.

    Raises:
        RegistryError: there is none.
    """
    found = session.get(Submitter, name)
    if found is None:
        raise RegistryError(f"The registry has no submitter {name[:63]!r}. Add the submitter first.")
    return found


def revoke_submitter(session: Session, name: str, at: datetime | None = None) -> None:
    """Let a submitter submit no more; revoking twice keeps the first time.

    Raises:
        RegistryError: there is none of that name.
    """
    found = find_submitter(session, name)
    found.revoked_at = found.revoked_at or at or now()
    session.add(found)
    session.flush()


def submitters(session: Session) -> list[Submitter]:
    """Return all submitters, by name, those that were revoked among them."""
    return list(session.exec(select(Submitter).order_by(col(Submitter.name))))
