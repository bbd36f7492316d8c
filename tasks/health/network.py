"""The second check: the device is near enough to be of use, and its line wide enough. Pure."""

from dataclasses import dataclass

from registry.health_state import Check
from tasks.health.evidence import Asked, Heard
from tasks.health.finding import Finding, Verdict
from tasks.health.settings import CheckSettings
from tasks.probe import HealthReport, digest

#: Seconds below which a transfer is not timed: threads and clocks are no finer. The figure is then a lower bound.
FINEST = 0.001

_SLOW = "Its answer took {:.1f} s; {:g} s is the most. Look at its line, or at what else uses it."
_NARROW = "Its line {} carries {:,.0f} KiB a second; tasks need {:,.0f}. Use a faster line, or let it rest while busy."
_CHANGED = "What was sent to it to time its line did not {} as it was sent. Update StarAI on it, or look at its line."
_UNECHOED = "What was sent to it to time its line did not come back: its line up is too slow. Use a faster one."


@dataclass(frozen=True)
class Transfer:
    """How many bytes a second a line carries to a device and from it; ``None`` where that was not timed."""

    down: float | None = None
    up: float | None = None


def check_network(
    asked: Asked, heard: Heard, report: HealthReport, small_round_trip: float | None, settings: CheckSettings
) -> tuple[Finding, Transfer]:
    """Return what is found, and how fast the line is where that was timed."""
    transfer = _timed(asked, heard, small_round_trip)
    reason = (
        _slow(asked, heard, settings)
        or _changed(asked, heard, report)
        or _unechoed(asked, heard, settings)
        or _narrow(transfer, settings)
    )
    verdict = Verdict.FAILED if reason else Verdict.PASSED
    figures = {"round_trip": heard.after, "down": transfer.down, "up": transfer.up, "padding": len(asked.padding)}
    return Finding(Check.NETWORK, verdict, reason or "", figures), transfer


def carried(padding: int) -> int:
    """Return how many bytes a probe's padding is on its way down: four letters for every three of its bytes."""
    return -(-padding * 4 // 3)


def _timed(asked: Asked, heard: Heard, small_round_trip: float | None) -> Transfer:
    if not asked.padding:
        return Transfer()
    down = up = None
    if small_round_trip is not None:
        down = carried(len(asked.padding)) / max(heard.after - small_round_trip, FINEST)
    if heard.echo is not None and heard.echo_after is not None:
        up = len(heard.echo) / max(heard.echo_after, FINEST)
    return Transfer(down, up)


def _slow(asked: Asked, heard: Heard, settings: CheckSettings) -> str | None:
    """A probe with padding may take longer, by what the slowest line needs that is still good enough."""
    most = settings.round_trip + carried(len(asked.padding)) / settings.bandwidth
    return _SLOW.format(heard.after, most) if heard.after > most else None


def _changed(asked: Asked, heard: Heard, report: HealthReport) -> str | None:
    if report.digest != digest(asked.padding):
        return _CHANGED.format("arrive")
    return _CHANGED.format("come back") if heard.echo is not None and heard.echo != asked.padding else None


def _unechoed(asked: Asked, heard: Heard, settings: CheckSettings) -> str | None:
    """Only if it was waited for long enough: a cycle ends at its deadline, whenever the report came."""
    enough = len(asked.padding) / settings.bandwidth
    is_late = heard.echo is None and heard.echo_after is not None and heard.echo_after > enough
    return _UNECHOED if asked.padding and is_late else None


def _narrow(transfer: Transfer, settings: CheckSettings) -> str | None:
    for rate, way in ((transfer.down, "down"), (transfer.up, "up")):
        if rate is not None and rate < settings.bandwidth:
            return _NARROW.format(way, rate / 1024, settings.bandwidth / 1024)
    return None
