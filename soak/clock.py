"""A process's clock that a file sets ahead or back, as an owner or a wrong time server does it to a machine's."""

import datetime
import sys
import time
from pathlib import Path

_TRUE = time.time


def obey(sign: Path) -> None:
    """From now on tell the time with the seconds added that the file has, whenever it stands.

    Whatever was imported before tells it as well, be it by ``time.time``, or in the device's own code by ``datetime``.
    """

    def shifted() -> float:
        return _TRUE() + _seconds(sign)

    class Shifted(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
            return datetime.datetime.fromtimestamp(shifted(), tz)

    time.time = shifted
    for module in list(sys.modules.values()):
        names = vars(module)
        for name in [name for name, value in names.items() if value is _TRUE and module is not sys.modules[__name__]]:
            names[name] = shifted
        if module.__name__.startswith("worker.") and names.get("datetime") is datetime.datetime:
            names["datetime"] = Shifted


def _seconds(sign: Path) -> float:
    try:
        return float(sign.read_text("ascii"))
    except (OSError, ValueError):  # it is not there, or is being written
        return 0.0
