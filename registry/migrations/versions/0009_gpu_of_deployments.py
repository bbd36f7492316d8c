"""Where a device runs a model, and how much memory it may take there."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add ``gpu`` and ``memory_bytes`` to ``deployments``. Until now every model ran on the processor."""
    op.add_column("deployments", sa.Column("gpu", sa.Integer(), nullable=True))
    op.add_column("deployments", sa.Column("memory_bytes", sa.BigInteger(), nullable=True))
