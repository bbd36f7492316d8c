"""The first check: it is this device that answers, and it answers this probe. Pure."""

from registry.health_state import Check
from tasks.envelope import InvalidMessage
from tasks.health.evidence import Asked, Heard
from tasks.health.finding import Finding, Verdict
from tasks.probe import HealthReport, read_report

_NO_KEY = "It has no key in the registry to sign with: `starai up` enrolled it. The broker vouches for its login alone."
_UNREADABLE = "Its answer cannot be read. {} Update StarAI on it."
_UNSIGNED = "Its answer is not signed with the key that it has. {} If its key was replaced, join with it again."
_FOREIGN = "It answered for another device: a copied enrolment, or a forged answer. Let each machine join by itself."
_STALE = "It answered another probe than the one that it was sent: an old answer, or a forged one. Start it again."


def check_identity(asked: Asked, heard: Heard) -> tuple[Finding, HealthReport | None]:
    """Return what is found, and the report where it can be believed to be this device's.

    The figure ``lie`` is 1 where it was told that it is another, or in another's name; 0 where it cannot be read.
    """
    try:
        report = read_report(heard.body, None)
    except InvalidMessage as error:
        return _failed(_UNREADABLE.format(error), lie=0), None
    if reason := _lie(asked, heard, report):
        return _failed(reason, lie=1), None
    if asked.signing is None:
        return Finding(Check.IDENTITY, Verdict.UNCHECKED, _NO_KEY), report
    return Finding(Check.IDENTITY, Verdict.PASSED), report


def _lie(asked: Asked, heard: Heard, report: HealthReport) -> str | None:
    if heard.user != asked.device or report.device != asked.device:
        return _FOREIGN
    if (report.cycle, report.nonce) != (asked.cycle, asked.nonce):
        return _STALE
    try:
        read_report(heard.body, asked.signing)
    except InvalidMessage as error:
        return _UNSIGNED.format(error)
    return None


def _failed(reason: str, lie: int) -> Finding:
    return Finding(Check.IDENTITY, Verdict.FAILED, reason, {"lie": lie})
