"""Versions of GPU drivers, compared as numbers. Pure."""

import re

# NVIDIA's, as NVML tells it on every system: 580.65.06, 581.15. What Windows' registry has, 32.0.15.8115, and what
# kernels have, are counted otherwise.
_NVIDIA = re.compile(r"\d{3,4}(?:\.\d{1,5}){1,2}")


def is_older(version: str, oldest: str) -> bool | None:
    """Tell whether a version of NVIDIA's driver is older than another; ``None`` where it is none that can be read."""
    if not _NVIDIA.fullmatch(version):
        return None
    return _numbers(version) < _numbers(oldest)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
