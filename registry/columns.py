"""Column types that behave alike in SQLite and PostgreSQL."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, Dialect, Enum
from sqlalchemy.types import TypeDecorator


def now() -> datetime:
    """Return the present time, in UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time, kept and given back in UTC; SQLite on its own forgets the time zone.

    Refuses a time without a time zone: nobody could say when that was.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the time in UTC, on its way into the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone: use an aware datetime.")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the time in UTC, on its way out of the database."""
        found: datetime | None = value
        if found is None:
            return None
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def text_enum(kind: type[StrEnum]) -> Enum:
    """Return a type that keeps the enumeration's values as plain text, so that a new value needs no migration."""
    return Enum(kind, values_callable=list, native_enum=False, validate_strings=True, length=32)
