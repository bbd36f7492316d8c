"""Answers devices that say that they are here, or that they go. Said twice, either is harmless."""

import logging
from collections.abc import Callable

from sqlalchemy import Engine

from registry.columns import now
from registry.database import session
from registry.device_state import DeviceState
from registry.greetings import come, go
from starai.errors import BrokerError, RegistryError
from tasks.enforcement import Enforcement
from tasks.envelope import InvalidMessage, read, write
from tasks.greeting import UNKNOWN, Goodbye, Greeted, Hello

log = logging.getLogger(__name__)

_LEFT = "its owner ended it"


class Greetings:
    """Answers greetings.

    Args:
        engine: the registry's.
        enforcement: makes at the broker what a goodbye means; ``None``, where there is no management API, leaves that
            to the device.
    """

    def __init__(self, engine: Engine, enforcement: Enforcement | None) -> None:
        self._engine = engine
        self._enforcement = enforcement

    def hello(self, user: str | None, body: bytes) -> bytes:
        """Answer a device that is here; ``user`` is who it is, as the broker validated."""
        return _answer(user, lambda device: (read(Hello, body), self._come(device))[1])

    def goodbye(self, user: str | None, body: bytes) -> bytes:
        """Answer a device whose owner ends it; ``user`` is who it is, as the broker validated."""
        return _answer(user, lambda device: self._go(device, read(Goodbye, body).left))

    def _come(self, device: str) -> tuple[DeviceState, bool]:
        with session(self._engine) as registry:
            found = come(registry, device, now())
        log.info("device.greeted", extra={"device": device, "state": found[0]})
        return found

    def _go(self, device: str, left: int) -> tuple[DeviceState, bool]:
        reason = f"{_LEFT}, and left {left} tasks to others" if left else _LEFT
        if self._enforcement:
            try:
                return self._enforcement.dismiss(device, reason)
            except BrokerError as error:  # the registry knows already, and the device goes by itself
                log.warning("device.not_enforced", extra={"device": device, "reason": str(error)})
        with session(self._engine) as registry:
            return go(registry, device, reason, now())


def _answer(user: str | None, take: Callable[[str], tuple[DeviceState, bool]]) -> bytes:
    try:
        state, sound = take(user or "")
    except (InvalidMessage, RegistryError) as error:
        log.warning("greeting.refused", extra={"device": user, "reason": str(error)})
        return write(Greeted(state=UNKNOWN, sound=False))
    return write(Greeted(state=state, sound=sound))
