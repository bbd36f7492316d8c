"""Join tokens, device keys and states, submitters, and what messages were seen."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make what joining needs. Devices that were enrolled before are inactive until a check finds them healthy."""
    op.add_column("devices", sa.Column("state", sa.String(32), nullable=False, server_default="inactive"))
    op.add_column("devices", sa.Column("name", sa.String(100), nullable=True))
    op.add_column("devices", sa.Column("hardware_id", sa.String(64), nullable=True))
    op.create_index("ix_devices_hardware_id", "devices", ["hardware_id"])
    op.add_column("measurements", sa.Column("details", sa.Text(), nullable=True))
    _device_keys()
    _device_events()
    _tokens()
    op.create_table(
        "submitters",
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_submitters"),
    )
    op.create_table(
        "seen_nonces",
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name="pk_seen_nonces"),
    )
    op.create_index("ix_seen_nonces_seen_at", "seen_nonces", ["seen_at"])


def _device_keys() -> None:
    op.create_table(
        "device_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.String(63), nullable=False),
        sa.Column("signing", sa.LargeBinary(), nullable=False),
        sa.Column("sealing", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="fk_device_keys_device_id"),
        sa.PrimaryKeyConstraint("id", name="pk_device_keys"),
        sa.UniqueConstraint("signing", name="uq_device_keys_signing"),
    )
    op.create_index("ix_device_keys_device_id", "device_keys", ["device_id"])


def _device_events() -> None:
    op.create_table(
        "device_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device_id", sa.String(63), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="fk_device_events_device_id"),
        sa.PrimaryKeyConstraint("id", name="pk_device_events"),
    )
    op.create_index("ix_device_events_device_id_at", "device_events", ["device_id", "at"])


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(63), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("proof_key", sa.LargeBinary(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("uses_left >= 0", name="ck_tokens_uses_left_not_negative"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name="fk_tokens_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
    )
    op.create_index("ix_tokens_owner_id", "tokens", ["owner_id"])
