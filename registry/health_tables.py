"""The registry's tables of health: how each device is and how far it is trusted, the cycles, the blacklist."""

from datetime import datetime

from sqlalchemy import Column, Text
from sqlmodel import Field

from registry.columns import UtcDateTime, now, text_enum
from registry.health_state import Check, Condition
from registry.tables import Table


class DeviceHealth(Table, table=True):
    """How a device is, as the last cycle found it, and how far it is trusted: one row a device.

    Attributes:
        cycle: the last cycle that judged it, and ``checked_at`` when; ``answered_at`` when it last answered in time.
        failed_check: the first check that failed, and ``reason`` why; of a device that was silent only the reason.
        failures, silences: how often in a row it failed, or was silent.
        round_trip: seconds from the probe to the answer; ``down`` and ``up`` bytes a second, as last measured.
        load: what the device says it is under, from 0.0 to 1.0, and ``paused`` why its owner's wishes keep it idle.
        figures: all that it last said of itself, in JSON.
        trust: from 0.0 to 1.0 at the time ``trusted_at``; it grows since (``registry/standing_rule.py``).
        sound: whether it is in the upper band.
        quarantined_until: until then it is not activated; ``quarantines`` how often it was.
        held: the operator took it out of work; only they bring it back.
        greeted_at: when it said that it is here; a check is due that is newer.
    """

    __tablename__ = "device_health"

    device_id: str = Field(max_length=63, foreign_key="devices.id", primary_key=True)
    cycle: int | None = None
    checked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    condition: Condition = Field(default=Condition.UNKNOWN, sa_column=Column(text_enum(Condition), nullable=False))
    failed_check: Check | None = Field(default=None, sa_column=Column(text_enum(Check), nullable=True))
    reason: str | None = Field(default=None, max_length=500)
    failures: int = 0
    silences: int = 0
    round_trip: float | None = None
    down: float | None = None
    up: float | None = None
    load: float | None = None
    paused: str | None = Field(default=None, max_length=200)
    figures: str | None = Field(default=None, sa_type=Text)
    trust: float = 1.0
    trusted_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    sound: bool = True
    quarantined_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    quarantines: int = 0
    held: bool = False
    greeted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class HealthCycle(Table, table=True):
    """One cycle over the whole fleet.

    Attributes:
        probed: devices that were asked; of them ``well``, ``failed`` and ``silent``.
        outage: why this was an outage of the network's own, so that nothing counted; ``None`` when it was none.
    """

    __tablename__ = "health_cycles"

    id: int | None = Field(default=None, primary_key=True)
    began_at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    probed: int = 0
    well: int = 0
    failed: int = 0
    silent: int = 0
    outage: str | None = Field(default=None, max_length=500)


class BlacklistEntry(Table, table=True):
    """A device that was shut out.

    Attributes:
        owner_id, hardware_id: whose it was and on what, at that time: a new key there is no new start.
        evidence: the events that led to it, in JSON.
        until: when it may come back; ``None``: only by the operator.
        lifted_at: when it was let back, and ``lifted`` why.
        password_hash: what its broker user had, with ``hashing``: with it, it can come back by itself.
    """

    __tablename__ = "blacklist"

    id: int | None = Field(default=None, primary_key=True)
    device_id: str = Field(max_length=63, foreign_key="devices.id", index=True)
    owner_id: int = Field(foreign_key="owners.id", index=True)
    hardware_id: str | None = Field(default=None, max_length=64, index=True)
    reason: str = Field(max_length=500)
    evidence: str = Field(default="[]", sa_type=Text)
    since: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lifted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lifted: str | None = Field(default=None, max_length=500)
    password_hash: str | None = Field(default=None, max_length=200, repr=False)
    hashing: str | None = Field(default=None, max_length=100)
