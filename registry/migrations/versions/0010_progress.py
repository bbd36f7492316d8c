"""Progress: when an attempt at a text was last said to have got on."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Widen the table of attempts. Of those until now it is not known."""
    op.add_column("attempts", sa.Column("progressed_at", sa.DateTime(timezone=True), nullable=True))
