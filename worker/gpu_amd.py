"""AMD's GPUs on Linux, by what the kernel tells of them in ``/sys/class/drm``."""

import platform
import re
from collections.abc import Mapping
from pathlib import Path

from models.measurement import Gpu, Maker, plain

DRM = Path("/sys/class/drm")
#: The names by which AMD sells its GPUs; libdrm, which every desktop has, brings the table.
NAMES = Path("/usr/share/libdrm/amdgpu.ids")
#: The version of a kernel module that was installed beside the kernel's own, which has none.
MODULE_VERSION = Path("/sys/module/amdgpu/version")

_VENDOR = "0x1002"
_FILES = ("vendor", "device", "revision", "product_name", "mem_info_vram_total", "uevent")


def amd_gpus(drm: Path = DRM, names: Path = NAMES, module_version: Path = MODULE_VERSION) -> tuple[Gpu, ...]:
    """Return AMD's GPUs, in the order of their cards' numbers; none on a system that has no such folder."""
    driver = _read(module_version) or f"Linux {platform.release()}"
    # A card's connectors lie beside it, as card0-DP-1.
    cards = sorted(path for path in drm.glob("card*") if re.fullmatch(r"card\d+", path.name))
    found = (amd_gpu({file: _read(card / "device" / file) for file in _FILES}, _read(names), driver) for card in cards)
    return tuple(gpu for gpu in found if gpu is not None)


def amd_gpu(files: Mapping[str, str], names: str, driver: str) -> Gpu | None:
    """Return the GPU of which these are the files of its device, by name; ``None`` when it is not AMD's.

    Args:
        files: the text of each file, empty where there is none.
        names: the text of ``amdgpu.ids``.
        driver: the version of the driver.
    """
    if files["vendor"] != _VENDOR:
        return None
    name = files["product_name"] or product_name(names, files["device"], files["revision"])
    memory = files["mem_info_vram_total"]
    if "DRIVER=amdgpu" not in files["uevent"].splitlines() or not memory.isdigit():
        fault = "The kernel's driver amdgpu does not run it"
        return Gpu(maker=Maker.AMD, name=plain(name), memory_bytes=0, fault=fault)
    return Gpu(maker=Maker.AMD, name=plain(name), memory_bytes=int(memory), driver=plain(driver))


def product_name(names: str, device: str, revision: str) -> str:
    """Return the name of a GPU in the text of ``amdgpu.ids``, or one made of its numbers, which are like ``0x744c``."""
    wanted = [device.removeprefix("0x").upper(), revision.removeprefix("0x").upper()]
    rows = ([field.strip() for field in line.split(",", 2)] for line in names.splitlines())
    return next((row[2] for row in rows if row[:2] == wanted and len(row) > 2), f"AMD GPU {device}")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:  # no such file: a card of another maker, or an older kernel
        return ""
