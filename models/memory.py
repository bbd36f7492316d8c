"""How much memory a model's process may take, so that one that leaks does not take its owner's machine down."""

import sys

import psutil

from models.entry import CatalogueEntry
from models.need import context_bytes
from models.plan import MOST_SLOTS
from models.pool import CPU_OVERHEAD

#: Seconds between two looks.
LOOK_EVERY = 1.0
# Of what the plan reckons with. all-MiniLM takes half of that at its usual tasks; eight tasks at once, each with a text
# of megabytes, came to twice as much, and are no leak.
_TIMES = 2


# What a GPU's driver and its libraries take of main memory besides. Not measured: some GB are usual with CUDA.
_DRIVER = 4 * 10**9


def most_bytes(entry: CatalogueEntry, *, on_gpu: bool = False) -> int:
    """Return how much main memory a model's process may take: no less than the plan reckons, with all slots.

    On a GPU it takes some as well: weights pass through it.
    """
    planned = entry.weight_bytes + context_bytes(entry, MOST_SLOTS) + CPU_OVERHEAD
    return _TIMES * planned + (_DRIVER if on_gpu else 0)


def taken_bytes(pid: int) -> int:
    """Return how much main memory a process of ours takes; none where it is gone."""
    try:
        process = psutil.Process(pid)
        # There the interpreter of a virtual environment has another below, which is the one that works.
        below = process.children(recursive=True) if sys.platform == "win32" else []
        return sum(one.memory_info().rss for one in (process, *below))
    except psutil.Error:
        return 0
