"""What an owner prefers: how much of a machine is lent, and when its device pauses by itself."""

import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from broker_config.duration import parse_duration
from broker_config.invalid import first_error
from models.measurement import MachineClass
from starai.errors import SettingError
from worker.hours import Hours, parse_hours


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _hours(value: object) -> object:
    return parse_hours(value) if isinstance(value, str) else value


def _key(name: str) -> str:
    return name.replace("_", "-")


class Preferences(BaseModel):
    """All of them; without a file nothing pauses the device, as on a server. Keys in the file have hyphens.

    Attributes:
        memory_share: the part of the memory, and of GPUs' memory, to lend; used when it joins.
        threads: that all models may use together; used when it joins and when it starts.
        disk: GB (10^9 bytes) that all models may take together; used when one is fetched.
        not_on_battery: pause while the machine runs on its battery.
        only_when_idle_for: pause until nobody has touched keyboard and mouse for so long.
        hours: in which it may serve, by the local clock; without any, always.
        cpu_limit: percent of all processors that other programs may use before it pauses.
        processor_temperature_limit, gpu_temperature_limit: degrees Celsius above which it pauses.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=_key, populate_by_name=True, allow_inf_nan=False
    )

    memory_share: Annotated[float, Field(strict=True, gt=0, le=1)] | None = None
    threads: Annotated[int, Field(strict=True, ge=1, le=8192)] | None = None
    disk: Annotated[float, Field(strict=True, gt=0, le=1e6)] | None = None
    not_on_battery: Annotated[bool, Field(strict=True)] = False
    only_when_idle_for: Annotated[timedelta, BeforeValidator(_duration)] | None = None
    hours: Annotated[tuple[Annotated[Hours, BeforeValidator(_hours)], ...], Field(max_length=48)] = ()
    cpu_limit: Annotated[float, Field(strict=True, gt=0, le=100)] | None = None
    processor_temperature_limit: Annotated[float, Field(strict=True, ge=30, le=120)] | None = None
    gpu_temperature_limit: Annotated[float, Field(strict=True, ge=30, le=120)] | None = None


def preferences_beside(enrolment: Path) -> Path:
    """Return where the owner of the device with that enrolment's file keeps their preferences."""
    return enrolment.with_name("preferences.toml")


def read_preferences(text: str, file: Path) -> Preferences:
    """Return the preferences in a file's text.

    Raises:
        SettingError: they are wrong; the message says in which line, and what may have been meant.
    """
    try:
        return Preferences.model_validate(tomllib.loads(f"{text}\n"))
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{file} is not TOML: {error}.") from error
    except ValidationError as error:
        raise SettingError(_mistake(error, text, file)) from error


def load_preferences(file: Path) -> Preferences:
    """Return the preferences in a file; without one, those of a machine that nothing pauses.

    Raises:
        SettingError: it cannot be read, or is wrong.
    """
    try:
        return read_preferences(file.read_text("utf-8"), file)
    except FileNotFoundError:
        return Preferences()
    except UnicodeDecodeError as error:
        raise SettingError(f"{file} is not UTF-8 text.") from error
    except OSError as error:
        raise SettingError(f"{file} cannot be read: {error.strerror}.") from error


def overridden(preferences: Preferences, flags: Mapping[str, Any]) -> Preferences:
    """Return the preferences with those that were given on the command line, which are not ``None``, in their place."""
    return preferences.model_copy(update={name: value for name, value in flags.items() if value is not None})


def defaults_for(machine_class: MachineClass) -> Preferences:
    """Return what a careful owner of such a machine expects when they have said nothing."""
    if machine_class is MachineClass.SERVER:  # it is there to serve, and nobody sits in front of it
        return Preferences()
    return Preferences(not_on_battery=True, cpu_limit=25.0)


def _mistake(error: ValidationError, text: str, file: Path) -> str:
    key = str(error.errors(include_url=False, include_context=False, include_input=False)[0]["loc"][0])
    if error.errors(include_url=False)[0]["type"] != "extra_forbidden":
        wrong = first_error(error, "the file").replace("Value error, ", "").replace("a valid tuple", "a list")
        return f"{file}, line {_line(text, key)}, {wrong.rstrip('.')}."
    known = [_key(name) for name in Preferences.model_fields]
    near = get_close_matches(_key(key.lower()), known, 1)
    meant = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}."
    return f"{file}, line {_line(text, key)}: there is no preference {key[:80]!r}. {meant}"


def _line(text: str, key: str) -> int:
    """Return the first line that sets a key or opens a table of that name; 1 where none is found."""
    sets = re.compile(rf"""\s*\[*\s*["']?{re.escape(key)}["']?\s*[=.\]]""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if sets.match(line)), 1)
