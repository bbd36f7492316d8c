"""The order of texts: those of like length go into one task, because a batch costs what its longest text costs."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from starai.answer import Vector

#: How many tasks' texts are sorted together: the more, the less is padding, and the later the first answers come.
TASKS = 16

#: Some texts, and where each stands among all.
Part = tuple[list[int], list[str]]


def parts(inputs: Iterable[str], batch: int) -> Iterator[Part]:
    """Split texts into tasks of ``batch`` of them, those of like length together.

    A list is sorted by ``TASKS`` tasks at a time. Of anything else no more is read than the next task needs.
    """
    together = batch * TASKS if isinstance(inputs, Sequence) else batch
    left, start = iter(inputs), 0
    while texts := list(islice(left, together)):
        # What is no text is refused later, with its kind.
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]) if isinstance(texts[place], str) else 0)
        for begin in range(0, len(order), batch):
            some = order[begin : begin + batch]
            yield [start + place for place in some], [texts[place] for place in some]
        start += len(texts)


class Answers:
    """Puts answers back into the order of their texts."""

    def __init__(self) -> None:
        self._waiting: dict[int, Vector] = {}
        self._next = 0

    def add(self, places: Iterable[int], vectors: Iterable[Vector]) -> Iterator[Vector]:
        """Take in some answers, and give those whose turn it is."""
        self._waiting.update(zip(places, vectors, strict=True))
        while self._next in self._waiting:
            yield self._waiting.pop(self._next)
            self._next += 1
