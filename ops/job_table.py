"""A job as people read it: a row of a list, and all of it as a table."""

from datetime import datetime

from rich.table import Table

from ops.output import moment, printable
from starai.request import JobStatus

COLUMNS = ("job", "state", "model", "region", "submitted", "device", "attempts", "why")


def row(job: JobStatus) -> tuple[str, ...]:
    """Return a job's row under ``COLUMNS``."""
    return (
        job.id,
        job.state,
        job.target or "",
        job.region or "",
        moment(job.submitted_at),
        job.device or "",
        str(job.attempts),
        (job.message or job.reason or "")[:100],
    )


def table(job: JobStatus) -> Table:
    """Return all that is known of a job."""
    shown = Table(title=f"Job {job.id}", show_header=False, title_justify="left")
    shown.add_column(style="bold", no_wrap=True)
    shown.add_column(overflow="fold")
    for what, text in (*_what(job), *_when(job)):
        if text:
            shown.add_row(what, printable(text))
    shown.add_section()
    for action in job.actions:
        shown.add_row(moment(action.at), printable(f"{action.action}: {action.reason}"))
    return shown


def _what(job: JobStatus) -> list[tuple[str, str]]:
    return [
        ("State", job.state),
        ("Why", ": ".join(filter(None, (job.reason, job.message)))),
        ("Model", job.target or ""),
        ("Region", job.region or ""),
        ("Texts", str(job.items or "")),
        ("Device", job.device or ""),
        ("Attempts", str(job.attempts)),
        ("Put back", f"{job.republished} times" if job.republished else ""),
    ]


def _when(job: JobStatus) -> list[tuple[str, str]]:
    return [
        ("Submitted", moment(job.submitted_at)),
        ("Started", _moment(job.started_at)),
        ("Ended", _moment(job.ended_at)),
        ("Cancelled", _moment(job.cancelled_at)),
        ("Deadline", _moment(job.expires_at)),
    ]


def _moment(at: datetime | None) -> str:
    return moment(at) if at else ""
