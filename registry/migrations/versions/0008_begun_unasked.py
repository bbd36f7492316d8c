"""Clearance: whether a task that came back had been begun by a device that did not have to ask."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_AFTER_UNASKED = sa.text("after_unasked")


def upgrade() -> None:
    """Widen the table of attempts. Of those until now it is not known."""
    op.add_column("attempts", sa.Column("after_unasked", sa.Boolean(), nullable=True))
    op.create_index(
        "ix_attempts_after_unasked",
        "attempts",
        ["started_at"],
        sqlite_where=_AFTER_UNASKED,
        postgresql_where=_AFTER_UNASKED,
    )
