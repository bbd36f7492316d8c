"""Blame: whether it was decided that an attempt's end counts against its device."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_IS_UNDONE = sa.text("outcome IN ('lost', 'returned', 'overran')")


def upgrade() -> None:
    """Widen the table of attempts. Those that ended before count against nobody."""
    op.add_column("attempts", sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE attempts SET judged_at = started_at WHERE outcome IN ('lost', 'overran')")
    op.create_index(
        "ix_attempts_undone",
        "attempts",
        ["judged_at", "ended_at"],
        sqlite_where=_IS_UNDONE,
        postgresql_where=_IS_UNDONE,
    )
