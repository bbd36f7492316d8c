"""A listing of jobs: page after page, until there are as many as were asked for."""

from collections.abc import Iterable
from datetime import datetime

from starai.asking import Asked
from starai.errors import BadInput
from starai.ledger import Ledger
from starai.request import MOST_JOBS, JobList, JobState, JobStatus


class Listing:
    """The newest jobs that were asked for.

    Args:
        ledger: whom to ask.
        state: of which state, or of which states.
        since: submitted then or later.
        limit: at most so many.

    Attributes:
        jobs: those that were listed so far.

    Raises:
        BadInput: there is no such state, the time has no time zone, or the limit is below 1.
    """

    def __init__(self, ledger: Ledger, state: str | Iterable[str] | None, since: datetime | None, limit: int) -> None:
        if limit < 1:
            raise BadInput(f"A list has at least 1 job, not {limit}.")
        if since is not None and since.tzinfo is None:
            raise BadInput(f"{since.isoformat()} has no time zone: use an aware datetime.")
        self.jobs: list[JobStatus] = []
        self._ledger, self._since, self._limit = ledger, since, limit
        self._states = _states(state)
        self._cursor: str | None = None
        self._is_over = False

    def ask(self) -> Asked[JobList] | None:
        """Ask for the next page, unless there is none."""
        left = self._limit - len(self.jobs)
        if self._is_over or left < 1:
            return None
        return self._ledger.jobs(self._states, self._since, min(left, MOST_JOBS), self._cursor)

    def take(self, page: JobList) -> None:
        """Take in a page."""
        self.jobs += page.jobs
        self._cursor = page.cursor
        self._is_over = page.cursor is None


def _states(state: str | Iterable[str] | None) -> list[JobState]:
    wanted = [state] if isinstance(state, str) else list(state or ())
    try:
        return [JobState(one) for one in wanted]
    except ValueError as error:
        raise BadInput(f"A job is {', '.join(JobState)}; not {', '.join(map(str, wanted))[:100]!r}.") from error
