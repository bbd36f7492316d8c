"""Tasks that are under way before their answers are asked for."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from starai.job import Job
from starai.parts import Part
from starai.submission import Submission


def ahead(
    left: Iterator[Part],
    make: Callable[[list[str]], Submission],
    send: Callable[[Sequence[Submission]], list[Job]],
    in_flight: int,
) -> Iterator[tuple[list[int], Job]]:
    """Yield the jobs in their order, with their texts' places; when one is asked for, the next are under way."""
    under_way: deque[tuple[list[int], Job]] = deque()
    while True:
        some = list(islice(left, in_flight - len(under_way)))
        jobs = send([make(texts) for _, texts in some])
        under_way.extend((places, job) for (places, _), job in zip(some, jobs, strict=True))
        if not under_way:
            return
        yield under_way.popleft()
