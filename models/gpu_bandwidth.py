"""How fast GPUs read their own memory: published figures by name, since this version measures no GPU."""

import re
import tomllib
from functools import cache
from importlib import resources

#: GB/s of a GPU that the table does not know: that of the slowest cards with 4 GB of their own, on a 64-bit bus.
UNKNOWN = 80.0


def gpu_bandwidth(name: str) -> float:
    """Return the memory bandwidth of the GPU of that name in GB/s; :data:`UNKNOWN` where the table has none."""
    found = (speed for pattern, speed in _table() if pattern.search(name))
    return next(found, UNKNOWN)


@cache
def _table() -> tuple[tuple[re.Pattern[str], float], ...]:
    text = (resources.files("models") / "gpu_bandwidth.toml").read_text("utf-8")
    rows = [row for group in tomllib.loads(text)["gpu"] for row in group["bandwidths"]]
    return tuple((re.compile(rf"\b(?:{pattern})", re.IGNORECASE), float(speed)) for pattern, speed in rows)
