"""A device's health and standing as labels and texts, for commands and pages; every text may be a stranger's."""

from collections.abc import Iterator

from pydantic import ValidationError

from ops.attention import ailment, band, sound_again
from ops.output import moment
from ops.times import ago, clock, span
from registry.health_state import Condition
from registry.health_view import HealthOverview
from registry.standing_rule import StandingSettings
from tasks.probe import GpuReading, Readings

_GIB = 2**30
# Only a page in a browser leaves these out.
_UNKNOWN = "unknown to its browser"


def health_facts(found: HealthOverview) -> list[tuple[str, str]]:
    """Return what the last check of a device found, as labels and texts."""
    return [("Health", _condition(found)), *_answer(found), *_told(found)]


def standing_facts(found: HealthOverview, settings: StandingSettings) -> list[tuple[str, str]]:
    """Return how far a device is trusted and what keeps it out of work, as labels and texts."""
    return [("Trust", _trust(found, settings)), *_kept_out(found)]


def readings_of(found: HealthOverview) -> Readings | None:
    """Return what the device last said of itself; ``None``: nothing, or another version wrote it down."""
    try:
        return Readings.model_validate_json(found.health.figures or "")
    except ValidationError:
        return None


def _condition(found: HealthOverview) -> str:
    health = found.health
    if health.condition is Condition.UNKNOWN or health.checked_at is None:
        return "no check has asked it yet"
    cycle = f", cycle {health.cycle}" if health.cycle else ""
    return f"{ailment(found) or 'well'} (checked {ago(health.checked_at, found.at)}{cycle})"


def _answer(found: HealthOverview) -> Iterator[tuple[str, str]]:
    health = found.health
    if health.answered_at is None:
        return
    told = [ago(health.answered_at, found.at)]
    if health.round_trip is not None:
        told.append(f"round trip {1000 * health.round_trip:.0f} ms")
    told += [f"{_rate(rate)} {way}" for rate, way in ((health.down, "down"), (health.up, "up")) if rate is not None]
    yield "Last answer", ", ".join(told)


def _told(found: HealthOverview) -> Iterator[tuple[str, str]]:
    """Yield what the device said of itself."""
    said = readings_of(found)
    if said is None:
        return
    warm = [f"{said.temperature:.0f} °C"] if said.temperature is not None else []
    load = f"{_percent(said.load)} besides its own tasks"
    yield "Under load", ", ".join([load, f"all processors {_percent(said.processor)}", *warm])
    yield "Left", f"{_left(said.memory_left, 'memory')}, {_left(said.disk_left, 'disk')}"
    for gpu in said.gpus:
        yield "GPU now", _gpu(gpu)
    if said.provider_fault:
        yield "Engine now", f"{said.provider}: {said.provider_fault}"
    work = f"{said.running} running, {said.held} waiting, {said.unsettled} not acknowledged"
    yield "Tasks now", f"{work}, by {said.consumers} subscriptions"
    for model, reason in said.broken.items():
        yield "Cannot run", f"{model}: {reason}"
    if said.paused is not None:
        yield "Paused", f"by its owner's wish: {said.paused}"


def _gpu(gpu: GpuReading) -> str:
    told = [gpu.name, f"driver {gpu.driver}" if gpu.driver else ""]
    told.append(f"{gpu.temperature:.0f} °C" if gpu.temperature is not None else "")
    told.append(f"{gpu.memory_errors} memory errors" if gpu.memory_errors else "")
    told.append(gpu.fault or "")
    return ", ".join(filter(None, told))


def _trust(found: HealthOverview, settings: StandingSettings) -> str:
    sound = found.health.sound
    told = f"{found.trust:.2f}, {band(sound)} band"
    if sound:
        told += f"; below {settings.demoted_below:.2f} it falls into the lower one"
    else:
        wait = span(sound_again(found.trust, settings))
        told += f"; from {settings.sound_from:.2f} it is back in the upper one, in {wait} if nothing fails"
    return (
        f"{told}; a failure puts it into quarantine below {settings.quarantined_below:.2f}, "
        f"and blacklists it below {settings.blacklisted_below:.2f}"
    )


def _kept_out(found: HealthOverview) -> Iterator[tuple[str, str]]:
    health, entry = found.health, found.blacklisted
    if entry is not None:
        until = f"until {clock(entry.until, found.at)}" if entry.until else "until the operator lifts it"
        yield "Blacklisted", f"since {moment(entry.since)}, {until}: {entry.reason}"
    if found.quarantined and health.quarantined_until is not None:
        yield "Quarantined", f"until {clock(health.quarantined_until, found.at)}, {health.quarantines} times so far"
    if health.held:
        yield "Held", "by the operator, until `starai devices activate`"


def _percent(share: float | None) -> str:
    return _UNKNOWN if share is None else f"{100 * share:.0f} %"


def _rate(rate: float) -> str:
    return f"{rate / 1e6:.1f} MB/s"


def _left(size: int | None, what: str) -> str:
    return f"{what} {_UNKNOWN}" if size is None else f"{size / _GIB:.1f} GiB of {what}"
