"""Tasks that are under way before their answers are asked for."""

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from itertools import islice

from starai.answer import Vector
from starai.errors import BadInput
from starai.job import Job
from starai.parts import Answers, parts
from starai.sending import Sent
from starai.submission import Submission
from starai.wire import MAX_TEXTS


class Ahead:
    """Many texts as tasks: when the answer of one is asked for, the next are under way.

    Args:
        inputs: the texts.
        make: makes a task of some of them.
        send: hands tasks to the broker.
        batch: texts in a task.
        in_flight: tasks that are under way, at most.

    Raises:
        BadInput: the inputs are one text, or a number is out of its range.
    """

    def __init__(
        self,
        inputs: Iterable[str],
        make: Callable[[list[str]], Submission],
        send: Callable[[Sequence[Submission]], list[Sent]],
        batch: int,
        in_flight: int,
    ) -> None:
        if isinstance(inputs, str):
            raise BadInput("map() takes many texts, not one text: use submit().")
        if not 1 <= batch <= MAX_TEXTS or in_flight < 1:
            raise BadInput(f"map() needs a batch of 1 to {MAX_TEXTS} and at least 1 task in flight.")
        self._left = parts(inputs, batch)
        self._make, self._send = make, send
        self._in_flight = in_flight

    def vectors(self) -> Iterator[Vector]:
        """Yield the answers in the order of their texts."""
        answers = Answers()
        for places, job in self._jobs():
            yield from answers.add(places, job.result())

    async def avectors(self) -> AsyncIterator[Vector]:
        """Do as :meth:`vectors` does, in asyncio."""
        answers = Answers()
        for places, job in self._jobs():
            for vector in answers.add(places, await job):
                yield vector

    def _jobs(self) -> Iterator[tuple[list[int], Job]]:
        under_way: deque[tuple[list[int], Job]] = deque()
        while True:
            some = list(islice(self._left, self._in_flight - len(under_way)))
            sent = self._send([self._make(texts) for _, texts in some])
            under_way.extend((places, job) for (places, _), (job, _) in zip(some, sent, strict=True))
            if not under_way:
                return
            yield under_way.popleft()
