"""Health: how devices are and how far they are trusted, cycles, the blacklist; more of what happened to devices."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables of health, and widen that of events."""
    _device_health()
    _health_cycles()
    _blacklist()
    _events()


def _device_health() -> None:
    op.create_table(
        "device_health",
        sa.Column("device_id", sa.String(63), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=True),
        sa.Column("checked_at", _TIME, nullable=True),
        sa.Column("answered_at", _TIME, nullable=True),
        sa.Column("condition", sa.String(32), nullable=False),
        sa.Column("failed_check", sa.String(32), nullable=True),
        sa.Column("reason", sa.String(500), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("silences", sa.Integer(), nullable=False),
        sa.Column("round_trip", sa.Float(), nullable=True),
        sa.Column("down", sa.Float(), nullable=True),
        sa.Column("up", sa.Float(), nullable=True),
        sa.Column("load", sa.Float(), nullable=True),
        sa.Column("paused", sa.String(200), nullable=True),
        sa.Column("figures", sa.Text(), nullable=True),
        sa.Column("trust", sa.Float(), nullable=False),
        sa.Column("trusted_at", _TIME, nullable=False),
        sa.Column("sound", sa.Boolean(), nullable=False),
        sa.Column("quarantined_until", _TIME, nullable=True),
        sa.Column("quarantines", sa.Integer(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("greeted_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("device_id", name="pk_device_health"),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="fk_device_health_device_id_devices"),
    )


def _health_cycles() -> None:
    op.create_table(
        "health_cycles",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("probed", sa.Integer(), nullable=False),
        sa.Column("well", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("silent", sa.Integer(), nullable=False),
        sa.Column("outage", sa.String(500), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_health_cycles"),
    )
    op.create_index("ix_health_cycles_began_at", "health_cycles", ["began_at"])


def _blacklist() -> None:
    op.create_table(
        "blacklist",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.String(63), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("hardware_id", sa.String(64), nullable=True),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("until", _TIME, nullable=True),
        sa.Column("lifted_at", _TIME, nullable=True),
        sa.Column("lifted", sa.String(500), nullable=True),
        sa.Column("password_hash", sa.String(200), nullable=True),
        sa.Column("hashing", sa.String(100), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_blacklist"),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="fk_blacklist_device_id_devices"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name="fk_blacklist_owner_id_owners"),
    )
    for column in ("device_id", "owner_id", "hardware_id"):
        op.create_index(f"ix_blacklist_{column}", "blacklist", [column])


def _events() -> None:
    op.add_column("device_events", sa.Column("owner_id", sa.Integer(), nullable=True))
    op.add_column("device_events", sa.Column("cycle", sa.Integer(), nullable=True))
    op.add_column("device_events", sa.Column("failed_check", sa.String(32), nullable=True))
    op.add_column("device_events", sa.Column("figures", sa.Text(), nullable=True))
    op.add_column("device_events", sa.Column("cost", sa.Float(), nullable=True))
    op.add_column("device_events", sa.Column("trust", sa.Float(), nullable=True))
