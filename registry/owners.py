"""Owners: who lends devices."""

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from registry.tables import Owner
from starai.errors import RegistryError


def add_owner(session: Session, name: str) -> Owner:
    """Return the owner of that name, who is added where there is none yet."""
    try:
        # A savepoint: another process may add the same name between a look and an insert.
        with session.begin_nested():
            owner = Owner(name=name)
            session.add(owner)
    except IntegrityError:
        return find_owner(session, name)
    return owner


def find_owner(session: Session, name: str) -> Owner:
    """Return the owner of that name.

    Raises:
        RegistryError: there is none.
    """
    owner = session.exec(select(Owner).where(Owner.name == name)).one_or_none()
    if owner is None:
        raise RegistryError(f"The registry has no owner {name[:100]!r}. Add the owner first.")
    return owner
