"""The ledger: tasks, attempts, results, what the platform did, dead letters, usage."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the ledger's tables."""
    _tasks()
    _task_inputs()
    _task_results()
    _attempts()
    _task_actions()
    _dead_letters()
    _usage()
    _ledger_marks()


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("submitter", sa.String(63), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(32), nullable=True),
        sa.Column("target", sa.String(63), nullable=True),
        sa.Column("model", sa.String(63), nullable=True),
        sa.Column("reply_to", sa.String(120), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease", sa.Float(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("device", sa.String(63), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(32), nullable=True),
        sa.Column("message", sa.String(500), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("republished", sa.Integer(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("bytes_in", sa.BigInteger(), nullable=False),
        sa.Column("bytes_out", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("submitter", "id", name="pk_tasks"),
    )
    op.create_index("ix_tasks_ended_at", "tasks", ["ended_at"])
    op.create_index(
        "ix_tasks_open",
        "tasks",
        ["target", "region"],
        sqlite_where=sa.text("state IN ('queued', 'started')"),
        postgresql_where=sa.text("state IN ('queued', 'started')"),
    )
    op.create_index("ix_tasks_submitter_submitted_at", "tasks", ["submitter", "submitted_at"])
    op.create_index(
        "ix_tasks_cancelled",
        "tasks",
        ["cancelled_at"],
        sqlite_where=sa.text("cancelled_at IS NOT NULL"),
        postgresql_where=sa.text("cancelled_at IS NOT NULL"),
    )
    op.create_index(
        "ix_tasks_unknown",
        "tasks",
        ["submitter"],
        sqlite_where=sa.text("bytes_in = 0"),
        postgresql_where=sa.text("bytes_in = 0"),
    )


def _task_inputs() -> None:
    op.create_table(
        "task_inputs",
        sa.Column("submitter", sa.String(63), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("submitter", "task", name="pk_task_inputs"),
    )


def _task_results() -> None:
    op.create_table(
        "task_results",
        sa.Column("submitter", sa.String(63), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("submitter", "task", name="pk_task_results"),
    )
    op.create_index("ix_task_results_at", "task_results", ["at"])


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("submitter", sa.String(63), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("device", sa.String(63), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("cleared", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=True),
        sa.PrimaryKeyConstraint("submitter", "task", "run", name="pk_attempts"),
    )
    op.create_index(
        "ix_attempts_running",
        "attempts",
        ["device"],
        sqlite_where=sa.text("outcome = 'running'"),
        postgresql_where=sa.text("outcome = 'running'"),
    )


def _task_actions() -> None:
    op.create_table(
        "task_actions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submitter", sa.String(63), nullable=False),
        sa.Column("task", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_task_actions"),
    )
    op.create_index("ix_task_actions_submitter_task", "task_actions", ["submitter", "task"])


def _dead_letters() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitter", sa.String(63), nullable=True),
        sa.Column("task", sa.String(64), nullable=True),
        sa.Column("reply_to", sa.String(120), nullable=True),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("queue", sa.String(255), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("deaths", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retried_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_dead_letters"),
        sa.UniqueConstraint("digest", name="uq_dead_letters_digest"),
    )
    op.create_index("ix_dead_letters_at", "dead_letters", ["at"])
    op.create_index("ix_dead_letters_submitter", "dead_letters", ["submitter"])


def _usage() -> None:
    op.create_table(
        "usage",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(63), nullable=False),
        sa.Column("model", sa.String(63), nullable=False),
        sa.Column("tasks", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("tokens_claimed", sa.BigInteger(), nullable=False),
        sa.Column("compute_seconds", sa.Float(), nullable=False),
        sa.Column("bytes_in", sa.BigInteger(), nullable=False),
        sa.Column("bytes_out", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name="fk_usage_owner_id"),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name="fk_usage_device"),
        sa.PrimaryKeyConstraint("day", "owner_id", "device", "model", name="pk_usage"),
    )


def _ledger_marks() -> None:
    op.create_table(
        "ledger_marks",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_marks"),
    )
