"""The registry's tables. What changes here needs a migration in ``registry/migrations/versions``."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, MetaData
from sqlmodel import Field, SQLModel

from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.columns import UtcDateTime, now, text_enum


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
    """A machine of an owner that was enrolled. Its id is also the name of its broker user."""

    __tablename__ = "devices"

    id: str = Field(max_length=63, primary_key=True)
    owner_id: int = Field(foreign_key="owners.id", index=True)
    region: Region = Field(sa_column=Column(text_enum(Region), nullable=False))
    enrolled_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Measurement(Table, table=True):
    """What a device once said of its hardware and speed: a claim, kept as it came.

    Attributes:
        memory_bytes: main memory of the machine.
        gpu_name: the first GPU found, or ``None``; ``gpu_memory_bytes`` and ``gpu_driver`` are its own.
        provider: the ONNX Runtime execution provider that really loaded.
        gflops_one_thread: float32 matrix product, 10^9 operations a second.
        gb_per_s_one_thread: reading float32 weights, 10^9 bytes a second.
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


class Deployment(Table, table=True):
    """A model that a device hosts, and how many of its tasks the device runs at once.

    Attributes:
        threads: how many threads the model has.
        tasks_per_second: how many tasks of a fixed small size the device said that it does; ``None`` while it did
            not measure that with so many threads.
    """

    __tablename__ = "deployments"
    __table_args__ = (CheckConstraint("slots >= 1", name="slots_positive"),)

    device_id: str = Field(max_length=63, foreign_key="devices.id", primary_key=True)
    model: str = Field(max_length=63, primary_key=True, index=True)
    tier: Tier = Field(sa_column=Column(text_enum(Tier), nullable=False))
    slots: int
    threads: int | None = None
    tasks_per_second: float | None = None
