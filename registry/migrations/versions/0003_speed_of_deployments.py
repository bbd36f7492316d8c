"""How fast a device runs a model, and with how many threads."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add ``threads`` and ``tasks_per_second`` to ``deployments``."""
    op.add_column("deployments", sa.Column("threads", sa.Integer(), nullable=True))
    op.add_column("deployments", sa.Column("tasks_per_second", sa.Float(), nullable=True))
