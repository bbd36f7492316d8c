"""The first check: it is this device that answers, and it answers this probe. Pure."""

from collections.abc import Mapping
from contextlib import suppress

from registry.health_state import Check
from tasks.envelope import InvalidMessage
from tasks.health.evidence import Asked, Heard
from tasks.health.finding import Finding, Verdict
from tasks.health.settings import CheckSettings
from tasks.probe import HealthReport, Unsigned, read_report

_NO_KEY = "It has no key in the registry to sign with: `starai up` enrolled it. The broker vouches for its login alone."
_UNREADABLE = "Its answer cannot be read. {} Update StarAI on it."
_UNSIGNED = "Its answer is not signed. Its own log says why it cannot read its key; put the file back."
_FORGED = "Its answer is not signed with the key that it has. {} If its key was replaced, join with it again."
_CHANGING = "Its keys have just been changed, and it signed with the other one of its own."
_GIVEN_UP = "It signs with a key that it gave up. `starai-worker rotate-keys` on it ends the change that was begun."
_FOREIGN = "It answered for another device: a copied enrolment, or a forged answer. Let each machine join by itself."
_STALE = "It answered another probe than the one that it was sent: an old answer, or a forged one. Start it again."


def check_identity(asked: Asked, heard: Heard, settings: CheckSettings) -> tuple[Finding, HealthReport | None]:
    """Return what is found, and the report where it can be believed to be this device's.

    The figure ``lie`` is 1 where it was told that it is another, or in another's name; 0 where a sound program may have
    come to it.
    """
    try:
        report = read_report(heard.body, None)
    except InvalidMessage as error:
        return _failed(_UNREADABLE.format(error), lie=0), None
    if heard.user != asked.device or report.device != asked.device:
        return _failed(_FOREIGN, lie=1), None
    if (report.cycle, report.nonce) != (asked.cycle, asked.nonce):
        return _failed(_STALE, lie=1), None
    found = _signature(asked, heard.body, settings)
    return found, None if found.verdict is Verdict.FAILED else report


def _signature(asked: Asked, body: bytes, settings: CheckSettings) -> Finding:
    if asked.signing is None:
        return Finding(Check.IDENTITY, Verdict.UNCHECKED, _NO_KEY)
    try:
        read_report(body, asked.signing)
    except Unsigned:
        return _failed(_UNSIGNED, lie=0)
    except InvalidMessage as error:
        return _by_another(asked.changed, body, settings) or _failed(_FORGED.format(error), lie=1)
    return Finding(Check.IDENTITY, Verdict.PASSED)


def _by_another(changed: Mapping[bytes, float], body: bytes, settings: CheckSettings) -> Finding | None:
    """Return what is found where another key of the device's own signed; ``None``: none did."""
    for key, seconds in changed.items():
        with suppress(InvalidMessage):
            read_report(body, key)
            if seconds <= settings.key_change:
                return Finding(Check.IDENTITY, Verdict.UNCHECKED, _CHANGING)
            return _failed(_GIVEN_UP, lie=0)
    return None


def _failed(reason: str, lie: int) -> Finding:
    return Finding(Check.IDENTITY, Verdict.FAILED, reason, {"lie": lie})
