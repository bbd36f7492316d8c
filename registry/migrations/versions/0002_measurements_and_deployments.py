"""What devices measured, and what they host."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables ``measurements`` and ``deployments``."""
    op.create_table(
        "measurements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.String(63), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cpu_model", sa.String(), nullable=False),
        sa.Column("physical_cores", sa.Integer(), nullable=False),
        sa.Column("threads", sa.Integer(), nullable=False),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=False),
        sa.Column("gpu_name", sa.String(), nullable=True),
        sa.Column("gpu_memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column("gpu_driver", sa.String(), nullable=True),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("gflops_one_thread", sa.Float(), nullable=False),
        sa.Column("gb_per_s_one_thread", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="fk_measurements_device_id"),
        sa.PrimaryKeyConstraint("id", name="pk_measurements"),
    )
    op.create_index("ix_measurements_device_id_at", "measurements", ["device_id", "at"])
    op.create_table(
        "deployments",
        sa.Column("device_id", sa.String(63), nullable=False),
        sa.Column("model", sa.String(63), nullable=False),
        sa.Column("tier", sa.String(32), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.CheckConstraint("slots >= 1", name="ck_deployments_slots_positive"),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="fk_deployments_device_id"),
        sa.PrimaryKeyConstraint("device_id", "model", name="pk_deployments"),
    )
    op.create_index("ix_deployments_model", "deployments", ["model"])
