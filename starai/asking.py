"""Asks the platform over a client's own link, and pairs each answer with its question (direct reply-to)."""

import asyncio
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import pika
from pika.channel import Channel
from pydantic import BaseModel, TypeAdapter, ValidationError

from broker_config import names
from broker_config.link import Link
from broker_config.publication import Publication
from starai.errors import BrokerUnreachable, PublishRejected, RegistryError
from starai.refusal import error_of_refusal
from starai.request import MAX_ANSWER, Refused, Verb

Answer = TypeVar("Answer")

# The broker's own name for "on this very channel"; it needs no queue and no permission.
_REPLIES = "amq.rabbitmq.reply-to"


async def ended(future: "Future[Any]", timeout: float) -> None:
    """Wait in asyncio until another thread has ended the future, at most so many seconds; never cancel it."""
    here = asyncio.wrap_future(future)
    here.add_done_callback(lambda done: done.cancelled() or done.exception())  # or asyncio misses who asks for it
    await asyncio.wait([here], timeout=timeout)


@dataclass(frozen=True)
class Asked(Generic[Answer]):
    """A question on its way: ``get()`` waits for its answer, and so does ``await``.

    Both raise ``BrokerUnreachable`` where nobody answered in time, ``RegistryError`` where the platform cannot say
    just now, and what the platform refused as the ``TaskError`` that it is.
    """

    verb: Verb
    request: BaseModel
    kind: "TypeAdapter[Answer | Refused]"
    timeout: float
    body: "Future[bytes]" = field(default_factory=Future)

    def get(self) -> Answer:
        """Wait for the answer."""
        return self._read(self.timeout)

    def __await__(self) -> Generator[Any, None, Answer]:
        yield from ended(self.body, self.timeout).__await__()
        return self._read(0)

    def then(self, function: "Callable[[Asked[Answer]], object]") -> None:
        """Call a function with this once ``get()`` need not wait, on the client's own thread."""
        self.body.add_done_callback(lambda _: function(self))

    def _read(self, wait: float) -> Answer:
        try:
            body = self.body.result(wait)
        except TimeoutError as error:
            raise BrokerUnreachable(
                f"The platform did not answer `{self.verb}` within {self.timeout:g} s. Does it run (`starai up`, or "
                "its worker), and is the broker there?"
            ) from error
        try:
            answer = self.kind.validate_json(body if len(body) <= MAX_ANSWER else b"")
        except ValidationError as error:
            raise RegistryError(f"The platform's answer to `{self.verb}` cannot be read: is it a newer one?") from error
        if isinstance(answer, Refused):
            raise error_of_refusal(answer, getattr(self.request, "task", None))
        return answer


class Asking:
    """The questions of one client that wait for their answers. Safe to share between threads.

    Args:
        user: the client's broker user.
        timeout: seconds to wait for an answer.
    """

    def __init__(self, user: str, timeout: float) -> None:
        self._user = user
        self._timeout = timeout
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, tuple[float, Asked[Any]]] = OrderedDict()
        self._patient: dict[str, Asked[Any]] = {}
        self._link: Link | None = None

    def listen(self, channel: Channel, link: Link) -> None:
        """Hear answers on a new channel, and ask again what the one before it was not told."""
        self._link = link
        channel.basic_consume(_REPLIES, self._on_answer, auto_ack=True)
        self._forget_overdue()
        with self._lock:
            waiting = [*self._waiting, *self._patient]
        for number in waiting:
            self._publish(number)

    def ask(self, verb: Verb, request: BaseModel, kind: "TypeAdapter[Answer | Refused]") -> Asked[Answer]:
        """Ask, and return what will be answered.

        Raises:
            BrokerUnreachable, BrokerRefused: the client is closed, or was cut off.
        """
        self._forget_overdue()
        number, asked = uuid.uuid4().hex, Asked(verb, request, kind, self._timeout)
        with self._lock:
            self._waiting[number] = time.monotonic() + self._timeout, asked
        self._publish(number)
        return asked

    def insist(self, verb: Verb, request: BaseModel, kind: "TypeAdapter[Answer | Refused]") -> Asked[Answer]:
        """Ask for what has to be done some time: the question waits at the broker until the platform is there.

        It is at the broker before the client has closed, whether the answer comes or not.

        Raises:
            BrokerUnreachable, BrokerRefused: the client is closed, or was cut off.
        """
        number, asked = uuid.uuid4().hex, Asked(verb, request, kind, self._timeout)
        with self._lock:
            self._patient[number] = asked
        self._publish(number)
        return asked

    def _publish(self, number: str) -> None:
        with self._lock:
            due, asked = self._waiting.get(number, (None, self._patient.get(number)))
        if asked:
            sent = self._send(asked.verb, asked.request, number, due)
            sent.add_done_callback(lambda done: self._on_confirmation(number, done))

    def _send(self, verb: Verb, request: BaseModel, number: str, due: float | None) -> "Future[None]":
        if self._link is None:
            raise BrokerUnreachable("The client is not connected yet.")
        properties = pika.BasicProperties(
            content_type="application/json",
            reply_to=_REPLIES,
            correlation_id=number,
            user_id=self._user,
            delivery_mode=pika.DeliveryMode.Persistent.value,
            # The platform need not answer what nobody waits for any more.
            expiration=None if due is None else str(max(int(1000 * (due - time.monotonic())), 1)),
        )
        body = request.model_dump_json(exclude_defaults=True).encode()
        return self._link.publish(Publication(names.REQUESTS, verb.key, body, properties))

    def _on_confirmation(self, number: str, sent: "Future[None]") -> None:
        error = sent.exception()
        if error and (asked := self._take(number)):
            if isinstance(error, PublishRejected):
                error = RegistryError("The platform has too many requests waiting: try again later.")
            asked.body.set_exception(error)

    def _on_answer(
        self,
        channel: Channel,  # noqa: ARG002 - pika's
        method: pika.spec.Basic.Deliver,  # noqa: ARG002
        properties: pika.BasicProperties,
        body: bytes,
    ) -> None:
        if properties.user_id == names.PLATFORM and (asked := self._take(properties.correlation_id or "")):
            asked.body.set_result(body)

    def _take(self, number: str) -> Asked[Any] | None:
        """Return a question for whoever ends it: that is one alone."""
        with self._lock:
            return self._waiting.pop(number, (0.0, None))[1] or self._patient.pop(number, None)

    def _forget_overdue(self) -> None:
        """End what was not answered in time. All wait equally long, so the oldest come first."""
        overdue = []
        with self._lock:
            while self._waiting and next(iter(self._waiting.values()))[0] < time.monotonic():
                overdue.append(self._waiting.popitem(last=False)[1][1])
        for asked in overdue:
            asked.body.set_exception(TimeoutError())
