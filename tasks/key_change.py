"""The platform's handling of a device's new keys."""

import logging
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from registry.database import session
from registry.device_keys import KeyTaken, KeyUnknown, rotate
from registry.nonces import is_new
from starai.errors import RegistryError, StarAIError
from tasks.envelope import InvalidMessage, write
from tasks.joining import LIFETIME
from tasks.rotation import RotationAnswer, RotationRefusal, read_rotation

log = logging.getLogger(__name__)

_NO_KEY = bytes(32)


class KeyChanges:
    """Answers devices that change their keys.

    Args:
        engine: the registry's.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def answer(self, user: str | None, body: bytes) -> bytes:
        """Return the answer to a stranger's message; the change counts once this has returned.

        Args:
            user: who sent it, as the broker validated.
            body: the message.
        """
        try:
            with session(self._engine) as registry:
                signing = _change(registry, user, body, datetime.now(UTC))
        except StarAIError as error:
            log.warning("keys.refused", extra={"device": user, "reason": str(error)})
            return write(RotationAnswer(signing=_NO_KEY, refusal=_refusal(error), message=_message(error)))
        log.info("keys.changed", extra={"device": user})
        return write(RotationAnswer(signing=signing))


def _change(registry: Session, user: str | None, body: bytes, now: datetime) -> bytes:
    rotation = read_rotation(body, now.timestamp())
    if rotation.device != user:
        raise InvalidMessage("A device changes its own keys only.")
    if not is_new(registry, rotation.nonce, now, kept=timedelta(seconds=2 * LIFETIME)):
        raise InvalidMessage("This message was sent before: make a new one.")
    return rotate(registry, rotation.device, rotation.old, rotation.signing, rotation.sealing, now).signing


def _refusal(error: StarAIError) -> RotationRefusal:
    match error:
        case InvalidMessage():
            return RotationRefusal.MALFORMED
        case KeyUnknown():
            return RotationRefusal.UNKNOWN_KEY
        case KeyTaken():
            return RotationRefusal.KEY_TAKEN
        case _:
            return RotationRefusal.UNAVAILABLE


def _message(error: StarAIError) -> str:
    known = isinstance(error, (InvalidMessage, KeyUnknown, KeyTaken)) or not isinstance(error, RegistryError)
    return str(error)[:500] if known else "The platform cannot change keys just now: try again later."
