"""The file of an owner's preferences: written once, with its reasons; read again when it changes."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from broker_config.home import write_private
from models.measurement import MachineClass
from starai.errors import SettingError
from worker.preferences import Preferences, defaults_for, load_preferences, overridden, read_preferences
from worker.watched import Watched

log = logging.getLogger(__name__)


class PreferencesFile:
    """The preferences in force: the file's, and over them those given on the command line.

    Args:
        path: the file, which need not stand.
        flags: what was given on the command line, by the preference's name; ``None`` where it was not.

    Attributes:
        current: the preferences in force.
        mistake: what is wrong in the file since it was changed; what was in force before it still is.

    Raises:
        SettingError: the file is wrong at the beginning.
    """

    def __init__(self, path: Path, flags: Mapping[str, Any] | None = None) -> None:
        self.path = path
        self.mistake: str | None = None
        self._flags = dict(flags or {})
        self._watched = Watched(path)
        self.current = overridden(load_preferences(path), self._flags)

    def look(self) -> None:
        """Read the file again if it has changed since the last look, and stands still since then."""
        if not self._watched.has_settled():
            return
        try:
            self.current = overridden(read_preferences(self._text(), self.path), self._flags)
        except SettingError as error:
            self.mistake = f"{error} What was in force before still is."
            log.warning("preferences.refused", extra={"reason": str(error)})
        else:
            self.mistake = None
            log.info("preferences.read", extra={"file": str(self.path)})

    def _text(self) -> str:
        try:
            return self.path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingError(f"{self.path} cannot be read: {error}.") from error


def write_preferences_once(
    path: Path,
    machine_class: MachineClass,
    memory_share: float | None,
    threads: int | None,
    disk: float | None = None,
) -> bool:
    """Write the file with what is usual for such a machine, and what its owner lends; never over another one.

    Returns:
        Whether it was written.
    """
    if path.exists():
        return False
    given = {"memory_share": memory_share, "threads": threads, "disk": disk}
    write_private(path, as_text(overridden(defaults_for(machine_class), given), machine_class))
    return True


def as_text(preferences: Preferences, machine_class: MachineClass) -> str:
    """Return the preferences as the file has them; those that are not set are there as comments."""
    return _TEXT.format(
        machine_class=machine_class.value,
        memory_share=_line("memory-share", preferences.memory_share, "0.5"),
        threads=_line("threads", preferences.threads, "4"),
        disk=_line("disk", preferences.disk and f"{preferences.disk:g}", "50"),
        not_on_battery=_line("not-on-battery", "true" if preferences.not_on_battery else None, "true"),
        cpu_limit=_line("cpu-limit", preferences.cpu_limit and f"{preferences.cpu_limit:g}", "25"),
        idle=_line("only-when-idle-for", None, '"10m"'),
        hours=_line("hours", None, '["22:00-07:00", "12:00-13:30"]'),
        processor=_line("processor-temperature-limit", None, "85"),
        gpu=_line("gpu-temperature-limit", None, "80"),
    )


def _line(key: str, value: object, example: str) -> str:
    return f"# {key} = {example}" if value is None else f"{key} = {value}"


_TEXT = """\
# What you prefer of the StarAI device on this machine (class: {machine_class}). A line that begins with # is off.
# A device that runs reads this file again when you save it; `starai-worker status` says why it pauses.
# Flags of `starai-worker start` go before what is here. This file is written once and never overwritten.

# --- How much is lent. Used by `starai-worker join`; threads and disk also by `starai-worker start`.

# The part of the memory, and of each GPU's own memory. Usual: 0.8 of a server, 0.5 of a personal machine, 0.15 of a
# phone, because what is not lent is what your own programs have.
{memory_share}

# Processor threads that all models may use together. Usual: the cores, less one.
{threads}

# GB of disk that all models may take together. Usual: half of what would be free without any, because the disk is
# yours. Where one more has no room, the one that was not used for longest goes; never one that this device hosts.
{disk}

# --- When it pauses by itself. What runs then is finished, which takes a minute at most as a rule; nothing new is
# --- taken until things have been well again for five minutes, so that it does not go on and off all the time.

# On for personal machines: a model empties a battery in an hour or two, and you want that hour.
{not_on_battery}

# Percent of all processors that your other programs may use. On for personal machines: beyond a quarter they are doing
# something for you, and should have all of it. Off for servers, which are there to serve: a busy one only gets less.
{cpu_limit}

# Only when nobody has touched keyboard and mouse for so long (m, h, d). Off: with the limit above a device is
# rarely noticed. Where the system does not tell, the device counts the machine as used, and stays paused.
{idle}

# Only in these hours, by this machine's clock; they may go over midnight. Off: the limits above follow what you do.
{hours}

# Degrees Celsius. Off: processors and GPUs slow down by themselves before heat harms them; set these for the noise.
# Where a temperature is not known, its limit does nothing; `starai-worker status` says so.
{processor}
{gpu}
"""
