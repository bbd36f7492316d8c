"""The five checks of a device's answer, in their order; the first that fails decides. Pure."""

from dataclasses import dataclass

from tasks.health.cpu import check_cpu
from tasks.health.evidence import Asked, Heard
from tasks.health.finding import Finding, Verdict
from tasks.health.gpu import check_gpu
from tasks.health.identity import check_identity
from tasks.health.network import check_network
from tasks.health.settings import CheckSettings
from tasks.health.workload import Seen, check_workload
from tasks.probe import HealthReport

__all__ = ["Asked", "Heard", "Judgement", "judge"]


@dataclass(frozen=True)
class Judgement:
    """What the checks found of one answer.

    Attributes:
        findings: one a check, in their order; after an identity that failed there are no others.
        report: what the device says; ``None`` where it could not be read, or is not the device's.
        down, up: bytes a second from and to the platform; ``None`` where that was not timed.
    """

    findings: tuple[Finding, ...]
    report: HealthReport | None
    down: float | None = None
    up: float | None = None

    @property
    def failed(self) -> Finding | None:
        """The first check that failed, or nothing."""
        return next((finding for finding in self.findings if finding.verdict is Verdict.FAILED), None)


def judge(
    asked: Asked, heard: Heard, seen: Seen | None, small_round_trip: float | None, settings: CheckSettings
) -> Judgement:
    """Return what five checks find of a device's answer. It never raises, whatever a stranger wrote.

    Args:
        asked: the probe, and what is known of the device.
        heard: its answer.
        seen: what the broker shows of it; ``None`` where it was not looked at.
        small_round_trip: seconds that an earlier probe without padding took there and back, if one is known.
        settings: the bounds.
    """
    identity, report = check_identity(asked, heard, settings)
    if report is None:
        return Judgement((identity,), None)
    readings = report.readings
    network, transfer = check_network(asked, heard, report, small_round_trip, settings)
    findings = (
        identity,
        network,
        check_cpu(readings, settings),
        check_gpu(asked, readings, settings),
        check_workload(asked, readings, seen),
    )
    return Judgement(findings, report, transfer.down, transfer.up)
