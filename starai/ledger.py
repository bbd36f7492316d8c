"""What the network's ledger says of a submitter's own jobs, and what the platform does with them when asked."""

from collections.abc import Collection, Sequence
from datetime import datetime

from starai.asking import Asked, Asking
from starai.request import (
    ENDED,
    LIST_ANSWER,
    MOST_JOBS,
    RESULT_ANSWER,
    STATUS_ANSWER,
    WITHDRAW_ANSWER,
    CancelRequest,
    JobList,
    JobRequest,
    JobState,
    JobStatus,
    ListRequest,
    RetryRequest,
    Verb,
    Withdrawn,
    WithdrawRequest,
)
from starai.wire import Report


class Ledger:
    """The ledger, as one client asks it. What each question raises, :class:`starai.asking.Asked` says.

    Args:
        asking: how it asks.
        reply_to: where this client reads its reports.
    """

    def __init__(self, asking: Asking, reply_to: str) -> None:
        self._asking = asking
        self._reply_to = reply_to

    def status(self, task: str) -> Asked[JobStatus]:
        """Ask what has become of a job so far."""
        return self._asking.ask(Verb.STATUS, JobRequest(task=task), STATUS_ANSWER)

    def end(self, task: str) -> Asked[Report | JobStatus]:
        """Ask for the report that ended a job: a status while there is none."""
        return self._asking.ask(Verb.RESULT, JobRequest(task=task), RESULT_ANSWER)

    def jobs(
        self, states: Collection[JobState], since: datetime | None, limit: int, cursor: str | None = None
    ) -> Asked[JobList]:
        """Ask for the newest jobs; ``cursor`` for those after what an earlier answer listed."""
        request = ListRequest(states=list(states), since=since, limit=limit, cursor=cursor)
        return self._asking.ask(Verb.LIST, request, LIST_ANSWER)

    def ended(self, tasks: Sequence[str]) -> Asked[JobList]:
        """Ask which of these jobs have ended; at most ``MOST_JOBS`` of them."""
        request = ListRequest(tasks=list(tasks), states=sorted(ENDED), limit=MOST_JOBS)
        return self._asking.ask(Verb.LIST, request, LIST_ANSWER)

    def cancel(self, task: str, target: str | None = None) -> Asked[JobStatus]:
        """Ask that a job does not start any more, or stops; ``target`` where this client submitted it."""
        return self._asking.ask(Verb.CANCEL, self._cancellation(task, target), STATUS_ANSWER)

    def give_up(self, task: str, target: str | None = None) -> Asked[JobStatus]:
        """Do as :meth:`cancel` does; the platform hears it, even if it is not there now."""
        return self._asking.insist(Verb.CANCEL, self._cancellation(task, target), STATUS_ANSWER)

    def _cancellation(self, task: str, target: str | None) -> CancelRequest:
        return CancelRequest(task=task, reply_to=self._reply_to if target else None, target=target)

    def retry(self, task: str, deadline: float) -> Asked[JobStatus]:
        """Ask that a job that failed or expired is tried again."""
        return self._asking.ask(Verb.RETRY, RetryRequest(task=task, deadline=deadline), STATUS_ANSWER)

    def withdraw(self, tasks: Sequence[str]) -> Asked[Withdrawn]:
        """Say that a full queue refused these tasks, at most ``MOST_JOBS``, so that the ledger does not count on them.

        The platform hears it, even if it is not there now.
        """
        return self._asking.insist(Verb.WITHDRAW, WithdrawRequest(tasks=list(tasks)), WITHDRAW_ANSWER)
