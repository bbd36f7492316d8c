"""Answers submitters about their own jobs: what became of them, and what they want done with them."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import Engine

from broker_config import names
from broker_config.invalid import first_error
from broker_config.link import Link
from registry import jobs
from registry.columns import now
from registry.database import reading, session
from registry.task_state import TaskState
from starai.errors import ResultGone, StarAIError
from starai.refusal import refused
from starai.request import (
    MAX_REQUEST,
    CancelRequest,
    JobList,
    JobRequest,
    JobStatus,
    ListRequest,
    Refusal,
    Refused,
    RetryRequest,
    Verb,
    Withdrawn,
    WithdrawRequest,
)
from tasks.answering import Answer
from tasks.job_view import end_of, read_cursor, status_of, write_cursor
from tasks.retry import put_back
from tasks.targets import Targets
from tasks.told_cancelled import tell_cancelled

log = logging.getLogger(__name__)

_Request = TypeVar("_Request", bound=BaseModel)


class Requests:
    """Answers one request at a time in each thread; a submitter is told of its own tasks alone.

    Args:
        engine: the registry's.
        link: over which the platform tells submitters and devices.
        user: the platform's broker user.
    """

    def __init__(self, engine: Engine, link: Link, user: str) -> None:
        self._engine = engine
        self._link = link
        self._user = user
        self._targets = Targets()

    @property
    def answers(self) -> dict[str, Answer]:
        """What answers requests, by their routing keys."""
        return {
            Verb.STATUS.key: partial(_answer, JobRequest, self._status),
            Verb.RESULT.key: partial(_answer, JobRequest, self._result),
            Verb.LIST.key: partial(_answer, ListRequest, self._list),
            Verb.CANCEL.key: partial(_answer, CancelRequest, self._cancel),
            Verb.RETRY.key: partial(_answer, RetryRequest, self._retry),
            Verb.WITHDRAW.key: partial(_answer, WithdrawRequest, self._withdraw),
        }

    def _status(self, submitter: str, request: JobRequest) -> JobStatus:
        with reading(self._engine) as registry:
            task = jobs.find_job(registry, submitter, request.task)
            return status_of(task, jobs.actions_of(registry, task))

    def _result(self, submitter: str, request: JobRequest) -> BaseModel | bytes:
        with reading(self._engine) as registry:
            task = jobs.find_job(registry, submitter, request.task)
            if task.state is not TaskState.SUCCEEDED:
                return end_of(task) or status_of(task)
            body = jobs.result_of(registry, task)
        if body is None:
            raise ResultGone(f"Task {task.id} succeeded, but its result is not kept any more: submit it anew.", task.id)
        return body

    def _list(self, submitter: str, request: ListRequest) -> JobList:
        with reading(self._engine) as registry:
            found = jobs.list_jobs(
                registry,
                submitter,
                states=[TaskState(state.value) for state in request.states],
                since=request.since,
                tasks=request.tasks,
                after=read_cursor(request.cursor) if request.cursor else None,
                limit=request.limit,
            )
        cursor = write_cursor(found[-1]) if len(found) == request.limit else None
        return JobList(jobs=[status_of(task) for task in found], cursor=cursor)

    def _cancel(self, submitter: str, request: CancelRequest) -> JobStatus:
        with session(self._engine) as registry:
            reported = names.is_reply_queue(request.reply_to or "", submitter)
            task = jobs.cancel_job(registry, submitter, request.task, now(), reported=reported)
        log.info("job.cancelled", extra={"submitter": submitter, "task": task.id})
        model = task.model or (self._targets.model_of(request.target) if request.target else None)
        tell_cancelled(self._engine, self._link, self._user, task, model, request.reply_to)
        return status_of(task)

    def _retry(self, submitter: str, request: RetryRequest) -> JobStatus:
        at = now()
        expires = at + timedelta(seconds=request.deadline)
        with session(self._engine) as registry:
            reason = "its submitter asked for it"
            task, body = jobs.reopen_job(registry, submitter, request.task, expires=expires, reason=reason, at=at)
        log.info("job.retried", extra={"submitter": submitter, "task": task.id})
        put_back(self._link, self._user, task, body)
        return status_of(task)

    def _withdraw(self, submitter: str, request: WithdrawRequest) -> Withdrawn:
        with session(self._engine) as registry:
            count = jobs.withdraw_jobs(registry, submitter, request.tasks, now())
        log.info("jobs.withdrawn", extra={"submitter": submitter, "tasks": count})
        return Withdrawn(tasks=count)


def _answer(
    kind: type[_Request], handle: Callable[[str, _Request], BaseModel | bytes], user: str | None, body: bytes
) -> bytes:
    """Return the answer to a stranger's request, or the refusal that tells why there is none."""
    try:
        answer = handle(user or "", _read(kind, user, body))
    except _MalformedError as error:
        log.warning("request.refused", extra={"user": user, "reason": str(error)})
        answer = Refused(refusal=Refusal.MALFORMED, message=str(error)[:500])
    except StarAIError as error:
        log.info("request.refused", extra={"user": user, "reason": str(error)})
        answer = refused(error)
    return answer if isinstance(answer, bytes) else answer.model_dump_json(exclude_none=True).encode()


class _MalformedError(Exception):
    """What was sent is no request."""


def _read(kind: type[_Request], user: str | None, body: bytes) -> _Request:
    if user is None:
        raise _MalformedError("A request needs a user_id, which the broker validates.")
    if len(body) > MAX_REQUEST:
        raise _MalformedError(f"The request has {len(body):,} bytes; the most is {MAX_REQUEST:,}.")
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise _MalformedError(f"The request is no {kind.__name__}: {first_error(error, 'it')}.") from error
