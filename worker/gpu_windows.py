"""The GPUs of a Windows machine, by what their drivers wrote into the registry."""

import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress

from models.measurement import Gpu, Maker, plain

#: Display adapters have a key each below this one, named 0000, 0001, ...
CLASS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"

# Memory in 64 bits: what WMI tells ends at 4 GiB.
_MEMORY = "HardwareInformation.qwMemorySize"
_VALUES = ("DriverDesc", "DriverVersion", "MatchingDeviceId", _MEMORY)
_MAKERS = {"10DE": Maker.NVIDIA, "1002": Maker.AMD, "8086": Maker.INTEL}

#: What the registry holds: text, a number, or bytes.
Value = str | int | bytes


def windows_gpus() -> tuple[Gpu, ...]:
    """Return the GPUs of this machine; none on another system."""
    return gpus_in(_adapters())


def gpus_in(adapters: Iterable[Mapping[str, Value]]) -> tuple[Gpu, ...]:
    """Return the GPUs among display adapters, each with the values of its key. Those without memory are no GPUs."""
    return tuple(_gpu(values) for values in adapters if _bytes(values.get(_MEMORY)) and values.get("DriverDesc"))


def _gpu(values: Mapping[str, Value]) -> Gpu:
    return Gpu(
        maker=_maker(str(values.get("MatchingDeviceId", ""))),
        name=plain(str(values["DriverDesc"])),
        memory_bytes=_bytes(values.get(_MEMORY)),
        driver=plain(str(values.get("DriverVersion", ""))),
    )


def _maker(device: str) -> Maker:
    """Return the maker in an id like ``PCI\\VEN_1002&DEV_744C``."""
    vendor = re.search(r"VEN_([0-9A-F]{4})", device.upper())
    return _MAKERS.get(vendor.group(1), Maker.OTHER) if vendor else Maker.OTHER


def _bytes(value: Value | None) -> int:
    """Return the size, which some drivers write as a number and some as its little-endian bytes."""
    if isinstance(value, bytes):
        return int.from_bytes(value[:8], "little")
    return value if isinstance(value, int) else 0


def _adapters() -> list[dict[str, Value]]:
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415

        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, CLASS) as key:
            names = [winreg.EnumKey(key, place) for place in range(winreg.QueryInfoKey(key)[0])]
            # Beside the adapters there are keys like "Properties", which only the system may open.
            return [_values(f"{CLASS}\\{name}") for name in names if name.isdigit()]
    return []


def _values(adapter: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415

        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, adapter) as key:
            for value in _VALUES:
                with suppress(FileNotFoundError):
                    found[value] = winreg.QueryValueEx(key, value)[0]
    return found
