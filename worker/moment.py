"""Times as an owner reads them: by the clock of this machine."""

from datetime import UTC, datetime


def local_moment(at: datetime) -> str:
    """Return a time as the clock on this machine's wall shows it, with the date where it is not today's."""
    there, now = at.astimezone(), datetime.now(UTC).astimezone()
    return f"{there:%H:%M}" if there.date() == now.date() else f"{there:%Y-%m-%d %H:%M}"
