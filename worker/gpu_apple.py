"""A Mac's GPUs, by macOS's own report of them."""

import json
import platform
import subprocess
from collections.abc import Mapping
from typing import Any

from models.measurement import Gpu, Maker, plain

_COMMAND = ("/usr/sbin/system_profiler", "SPDisplaysDataType", "-json")
_SECONDS = 30.0
_UNITS = {"MB": 2**20, "GB": 2**30}


def mac_gpus(memory_bytes: int) -> tuple[Gpu, ...]:
    """Return the GPUs of this Mac, which has so much memory. What cannot be told is a GPU with a fault."""
    try:
        done = subprocess.run(_COMMAND, capture_output=True, timeout=_SECONDS, check=True)
        return gpus_in(done.stdout.decode("utf-8", "replace"), memory_bytes, platform.mac_ver()[0])
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        fault = plain(f"macOS does not tell what it is: {error}")
        return (Gpu(maker=Maker.APPLE, name="GPU of this Mac", memory_bytes=0, fault=fault),)


def gpus_in(report: str, memory_bytes: int, macos: str) -> tuple[Gpu, ...]:
    """Return the GPUs in the report ``system_profiler SPDisplaysDataType -json``.

    Args:
        report: its text.
        memory_bytes: the machine's memory, which Apple's GPUs share.
        macos: the system's version; the drivers are a part of it.

    Raises:
        ValueError: the text is no such report.
    """
    found = json.loads(report)
    if not isinstance(found, dict) or not isinstance(found.get("SPDisplaysDataType"), list):
        raise ValueError("the report has no displays")  # noqa: TRY004 - the text is wrong, not the argument
    return tuple(_gpu(entry, memory_bytes, macos) for entry in found["SPDisplaysDataType"])


def _gpu(entry: Mapping[str, Any], memory_bytes: int, macos: str) -> Gpu:
    name = plain(str(entry.get("sppci_model") or entry.get("_name") or "")) or "GPU of this Mac"
    maker = _maker(f"{entry.get('spdisplays_vendor', '')} {name}")
    own = _bytes(str(entry.get("spdisplays_vram") or entry.get("_spdisplays_vram") or ""))
    return Gpu(
        maker=maker,
        name=name,
        memory_bytes=memory_bytes if maker is Maker.APPLE else own,
        driver=plain(f"macOS {macos}"),
    )


def _maker(text: str) -> Maker:
    """Return the maker that a text names, like ``sppci_vendor_Apple`` or ``AMD Radeon Pro 5500M``."""
    known = {"apple": Maker.APPLE, "amd": Maker.AMD, "intel": Maker.INTEL, "nvidia": Maker.NVIDIA}
    return next((maker for word, maker in known.items() if word in text.lower()), Maker.OTHER)


def _bytes(text: str) -> int:
    """Return the size in a text like ``8 GB``; 0 where there is none."""
    number, _, unit = text.partition(" ")
    return int(number) * _UNITS.get(unit, 0) if number.isdigit() else 0
