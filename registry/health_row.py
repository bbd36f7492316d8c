"""A device's row of health as a value, which a cycle reads and writes by the thousand."""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Table

from registry.health_state import Check, Condition
from registry.health_tables import DeviceHealth
from registry.standing_rule import may_serve


@dataclass(frozen=True, slots=True)
class Health:
    """A row of ``device_health``; :class:`registry.health_tables.DeviceHealth` says what its columns are."""

    device_id: str
    cycle: int | None
    checked_at: datetime | None
    answered_at: datetime | None
    condition: Condition
    failed_check: Check | None
    reason: str | None
    failures: int
    silences: int
    round_trip: float | None
    down: float | None
    up: float | None
    load: float | None
    paused: str | None
    figures: str | None
    trust: float
    trusted_at: datetime
    sound: bool
    quarantined_until: datetime | None
    quarantines: int
    held: bool
    greeted_at: datetime | None

    def may_serve(self, at: datetime) -> bool:
        """Tell whether nothing but its health keeps the device out of work then."""
        return may_serve(self.held, self.quarantined_until, at)


TABLE: Table = DeviceHealth.__table__  # type: ignore[attr-defined]
COLUMNS = tuple(field.name for field in fields(Health))
#: What to select for ``Health(*row)``.
ROW = tuple(TABLE.c[name] for name in COLUMNS)
