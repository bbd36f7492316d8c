"""The platform's word on tasks that came back: may the device that holds one start it?"""

import logging
import time

from sqlalchemy import Engine

from broker_config import names
from broker_config.link import Link
from registry.clearance import Clearance, Return, Verdict, clear
from registry.columns import now
from registry.database import session
from starai.errors import BrokerError, InvalidName, RegistryError
from starai.wire import Failure, Reason, Report, State
from tasks.clearance_message import ClearanceAnswer, ClearanceRequest
from tasks.envelope import InvalidMessage, read, write
from tasks.inference import ATTEMPTS
from tasks.telling import Telling

log = logging.getLogger(__name__)

# Where the platform cannot tell, a device does as it would without it.
_UNKNOWN = ClearanceAnswer(start=True)
# Seconds to wait until the broker has the report: the device acknowledges the task after the answer.
_CONFIRMED_WITHIN = 1.0


class Clearances:
    """Answers devices that hold a task that came back. Any thread may.

    Args:
        engine: the registry's.
        link: over which submitters are told of tasks that are not started any more.
        user: the platform's broker user.
    """

    def __init__(self, engine: Engine, link: Link, user: str) -> None:
        self._engine = engine
        self._telling = Telling(link, user, _CONFIRMED_WITHIN)

    def answer(self, device: str | None, body: bytes) -> bytes:
        """Return the answer to a device, whose name the broker has validated; what it stands for is written by then."""
        try:
            request = read(ClearanceRequest, body)
            clearance = self._clear(device or "", request)
        except (InvalidMessage, InvalidName, RegistryError) as error:
            log.warning("clearance.unknown", extra={"device": device, "reason": str(error)})
            return write(_UNKNOWN)
        event = {"device": device, "task": request.task, "verdict": clearance.verdict, "attempt": clearance.attempt}
        log.info("clearance.decided", extra=event)
        if clearance.verdict is Verdict.START:
            return write(ClearanceAnswer(start=True, attempt=clearance.attempt))
        if report := _report(request.task, clearance):
            self._tell(report, clearance.reply_to or request.reply_to)
        return write(ClearanceAnswer(start=False, attempt=clearance.attempt, reason=clearance.reason))

    def _clear(self, device: str, request: ClearanceRequest) -> Clearance:
        submitter = names.reply_user(request.reply_to)
        if submitter is None:
            raise InvalidMessage("The reply address is none.")
        began_unasked = request.returns > 0 and not request.republished
        returned = Return(submitter, request.task, request.run, request.model, began_unasked)
        with session(self._engine) as registry:
            return clear(registry, device, returned, now(), ATTEMPTS)

    def _tell(self, report: Report, reply_to: str) -> None:
        try:
            self._telling.tell([(report, reply_to)])
        except BrokerError as error:  # the task is open still, so that the sweep comes upon it
            log.warning("clearance.untold", extra={"task": report.task, "reason": str(error)})


def _report(task: str, clearance: Clearance) -> Report | None:
    match clearance.verdict:
        case Verdict.EXPIRED:
            return Report(task=task, state=State.EXPIRED, at=time.time())
        case Verdict.USED_UP:
            failure = Failure(reason=Reason.DEVICE, message=clearance.reason)
            return Report(task=task, state=State.FAILED, at=time.time(), failure=failure)
        case _:
            return None
