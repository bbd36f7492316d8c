"""The registry's tables. What changes here needs a migration in ``registry/migrations/versions``."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, MetaData, Text
from sqlmodel import Field, SQLModel

from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.columns import UtcDateTime, now, text_enum
from registry.device_state import DeviceState
from registry.health_state import Check


class Table(SQLModel):
    """What all tables share: constraints with fixed names, so that a migration can change them on any database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Owner(Table, table=True):
    """Somebody who lends devices to the network."""

    __tablename__ = "owners"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=100, unique=True)


class Device(Table, table=True):
    """A machine of an owner that was enrolled. Its id is also the name of its broker user.

    Attributes:
        name: what its owner calls it.
        hardware_id: a SHA-256 over facts of its hardware, in hexadecimal: a claim.
    """

    __tablename__ = "devices"

    id: str = Field(max_length=63, primary_key=True)
    owner_id: int = Field(foreign_key="owners.id", index=True)
    region: Region = Field(sa_column=Column(text_enum(Region), nullable=False))
    enrolled_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    state: DeviceState = Field(
        default=DeviceState.INACTIVE,
        sa_column=Column(text_enum(DeviceState), nullable=False, server_default=DeviceState.INACTIVE),
    )
    name: str | None = Field(default=None, max_length=100)
    hardware_id: str | None = Field(default=None, max_length=64, index=True)


class DeviceKey(Table, table=True):
    """Public keys of a device, Ed25519 and X25519. Those in use have no ``until``; no signing key is used twice."""

    __tablename__ = "device_keys"

    id: int | None = Field(default=None, primary_key=True)
    device_id: str = Field(max_length=63, foreign_key="devices.id", index=True)
    signing: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    sealing: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    since: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class EventKind(StrEnum):
    """What may happen to a device; the first four are the states that it came into.

    Attributes:
        VANISHED: its connection ended while it ran a task that another device did afterwards.
        TASK_FAILED: it could not do a task that another device did afterwards.
        DEMOTED: it fell into the lower band of priority; ``PROMOTED``: it came back into the upper one.
        QUARANTINED: it is kept out of work for a time.
        LIFTED: it was taken off the blacklist.
    """

    ACTIVE = "active"
    INACTIVE = "inactive"
    OFFLINE = "offline"
    BLACKLISTED = "blacklisted"
    JOINED = "joined"
    REJOINED = "rejoined"
    KEY_ROTATED = "key-rotated"
    TRANSFERRED = "transferred"
    FAILED_AUDIT = "failed-audit"
    OVERRAN = "overran"
    HOARDED = "hoarded"
    CHECK_FAILED = "check-failed"
    SILENT = "silent"
    TASK_FAILED = "task-failed"
    VANISHED = "vanished"
    DEMOTED = "demoted"
    PROMOTED = "promoted"
    QUARANTINED = "quarantined"
    LIFTED = "lifted"


class DeviceEvent(Table, table=True):
    """Something that happened to a device, and why: its history.

    Attributes:
        owner_id: whose it was then.
        cycle: the health cycle that found it; ``failed_check`` by which check, ``figures`` with which, in JSON.
        cost: how much of its trust that took, where it counts against it; ``trust`` is what was left.
    """

    __tablename__ = "device_events"
    __table_args__ = (Index(None, "device_id", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    device_id: str = Field(max_length=63, foreign_key="devices.id")
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    kind: EventKind = Field(sa_column=Column(text_enum(EventKind), nullable=False))
    reason: str = Field(max_length=500)
    owner_id: int | None = None
    cycle: int | None = None
    failed_check: Check | None = Field(default=None, sa_column=Column(text_enum(Check), nullable=True))
    figures: str | None = Field(default=None, sa_type=Text)
    cost: float | None = None
    trust: float | None = None


class Token(Table, table=True):
    """An owner's join token, without its secret.

    Attributes:
        region: where devices that join by it stand.
        proof_key: what proofs by the token are checked with, derived from its secret (``broker_config/proof.py``).
        uses: how many devices may join by it; ``uses_left`` more.
    """

    __tablename__ = "tokens"
    __table_args__ = (CheckConstraint("uses_left >= 0", name="uses_left_not_negative"),)

    id: str = Field(max_length=63, primary_key=True)
    owner_id: int = Field(foreign_key="owners.id", index=True)
    region: Region = Field(sa_column=Column(text_enum(Region), nullable=False))
    proof_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False), repr=False)
    uses: int
    uses_left: int
    issued_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Submitter(Table, table=True):
    """Somebody who may submit tasks. The name is also that of the broker user."""

    __tablename__ = "submitters"

    name: str = Field(max_length=63, primary_key=True)
    added_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SeenNonce(Table, table=True):
    """A nonce of a message that was taken, kept while its time alone would let the message pass again."""

    __tablename__ = "seen_nonces"

    nonce: str = Field(max_length=64, primary_key=True)
    seen_at: datetime = Field(sa_type=UtcDateTime, index=True)


class Measurement(Table, table=True):
    """What a device once said of its hardware and speed: a claim, kept as it came.

    Attributes:
        memory_bytes: main memory of the machine.
        gpu_name: the first GPU found, or ``None``; ``gpu_memory_bytes`` and ``gpu_driver`` are its own.
        provider: the ONNX Runtime execution provider that really loaded.
        gflops_one_thread: float32 matrix product, 10^9 operations a second.
        gb_per_s_one_thread: reading float32 weights, 10^9 bytes a second.
        details: the whole measurement as it came, in JSON: all GPUs, all speeds.
    """

    __tablename__ = "measurements"
    __table_args__ = (Index(None, "device_id", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    device_id: str = Field(max_length=63, foreign_key="devices.id")
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    cpu_model: str
    physical_cores: int
    threads: int
    memory_bytes: int = Field(sa_type=BigInteger)
    gpu_name: str | None = None
    gpu_memory_bytes: int | None = Field(default=None, sa_type=BigInteger)
    gpu_driver: str | None = None
    provider: str
    gflops_one_thread: float
    gb_per_s_one_thread: float
    details: str | None = Field(default=None, sa_type=Text)


class Deployment(Table, table=True):
    """A model that a device hosts, and how many of its tasks the device runs at once.

    Attributes:
        threads: how many threads the model has.
        tasks_per_second: how many tasks of a fixed small size the device said that it does; ``None`` while it did
            not measure that with so many threads.
        gpu: the place of its GPU among those that the device measured; ``None`` for the processor.
        memory_bytes: what the model may take there, with all its slots; ``None`` where nobody reckoned it.
    """

    __tablename__ = "deployments"
    __table_args__ = (CheckConstraint("slots >= 1", name="slots_positive"),)

    device_id: str = Field(max_length=63, foreign_key="devices.id", primary_key=True)
    model: str = Field(max_length=63, primary_key=True, index=True)
    tier: Tier = Field(sa_column=Column(text_enum(Tier), nullable=False))
    slots: int
    threads: int | None = None
    tasks_per_second: float | None = None
    gpu: int | None = None
    memory_bytes: int | None = Field(default=None, sa_type=BigInteger)
