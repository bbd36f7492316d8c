"""What a task's result may be, and what it is to its submitter."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starai.errors import BadInput
from starai.generation import Generated
from starai.tensor import unpack
from starai.wire import Output, Tensor

Vector = NDArray[np.float32]
#: What a submitter gets: vectors, a text with what is known of it, or arrays by their names.
Answer = Vector | Generated | dict[str, NDArray[Any]]

_WORDS = {Tensor: "an array", Generated: "a text", dict: "named arrays"}


@dataclass(frozen=True)
class Expected:
    """What may answer a task.

    Attributes:
        kinds: some of ``Tensor``, ``Generated`` and ``dict``.
        rows: the leading shape of an array: ``()`` for one text, ``(n,)`` for a list of n; ``None``: not known.
    """

    kinds: tuple[type, ...] = (Tensor, Generated, dict)
    rows: tuple[int, ...] | None = None

    def answer(self, output: Output) -> Answer:
        """Return a result as its submitter gets it.

        Raises:
            BadInput: it is broken, or no answer to what was asked.
        """
        if not isinstance(output, self.kinds):
            raise BadInput(f"{_WORDS[type(output)]} is no answer to what was asked.")
        if isinstance(output, Tensor):
            return self._vectors(output)
        return output if isinstance(output, Generated) else {name: unpack(array) for name, array in output.items()}

    def _vectors(self, output: Tensor) -> Vector:
        vectors = unpack(output)
        rows = vectors.shape[:-1] if self.rows is None else self.rows
        if vectors.dtype != np.float32 or vectors.ndim != len(rows) + 1 or vectors.shape[:-1] != rows:
            raise BadInput(f"{vectors.dtype} of shape {vectors.shape} is no answer to inputs of shape {rows}.")
        return vectors
