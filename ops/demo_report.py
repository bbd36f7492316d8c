"""What the demo shows of a run: who answered what, how fast, and whether it is all there and right."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from broker_config.regions import Region
from starai.job import Job
from starai.wire import Report, State

_BEST = 3
#: The least cosine at which two vectors count as the same answer: float32 sums differ in their last bits.
_SAME = 0.9999


@dataclass(frozen=True)
class Run:
    """What was sent through the network: the texts, their tasks in order, from where, and who was killed."""

    texts: Sequence[str]
    jobs: Sequence[Job]
    region: Region
    killed: str


@dataclass(frozen=True)
class Answered:
    """How many tasks one device answered."""

    device: str
    region: str
    tasks: int


@dataclass(frozen=True)
class DemoReport:
    """The figures of a run.

    Attributes:
        sent, answered: tasks sent, and tasks with exactly one result.
        by_device: who answered how many.
        taken_over: tasks that a device had begun and another one answered.
        local_share: the part answered in the submitter's own region, 0 to 1.
        p50_ms, p95_ms: from submission to answer.
        least_cosine: the worst agreement of an answer with a run without network.
        best: the sentences nearest to the question, with their cosine.
    """

    sentences: int
    sent: int
    answered: int
    by_device: list[Answered]
    killed: str
    taken_over: int
    region: str
    local_share: float
    p50_ms: float
    p95_ms: float
    least_cosine: float
    best: list[tuple[float, str]]

    @property
    def passed(self) -> bool:
        """Whether every task was answered exactly once, and rightly."""
        return self.sent == self.answered and self.least_cosine >= _SAME

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for JSON."""
        return asdict(self) | {"passed": self.passed}


def report_of(run: Run, reference: NDArray[np.float32], question: NDArray[np.float32]) -> DemoReport:
    """Return the figures of a run.

    Args:
        run: the run; all its jobs have ended well.
        reference: what the model says of the texts without any network, ``(texts, width)``.
        question: the question's vector, ``(width,)``.
    """
    answers = [answer for job in run.jobs if (answer := _answer(job))]
    vectors = np.concatenate([job.result() for job in run.jobs])
    p50, p95 = np.percentile([1000 * ((job.answered or np.inf) - job.submitted) for job in run.jobs], [50, 95])
    return DemoReport(
        sentences=len(run.texts),
        sent=len(run.jobs),
        answered=len({answer.task for answer in answers}),
        by_device=_by_device(answers),
        killed=run.killed,
        taken_over=sum(1 for job in run.jobs if len({report.device for report in job.reports}) > 1),
        region=run.region,
        local_share=sum(1 for answer in answers if answer.region == run.region) / len(answers),
        p50_ms=round(float(p50), 1),
        p95_ms=round(float(p95), 1),
        least_cosine=round(float(np.min(np.sum(vectors * reference, axis=1))), 6),
        best=_best(run.texts, vectors @ question),
    )


def show(console: Console, report: DemoReport, question: str) -> None:
    """Print the report."""
    table = Table("device", "region", "tasks answered")
    for row in report.by_device:
        table.add_row(row.device, row.region, str(row.tasks))
    console.print(table)
    for line in _lines(report):
        console.print(line, highlight=False)
    console.print(f"\n[bold]{question}[/bold]")
    for cosine, sentence in report.best:
        console.print(f"  {cosine:.2f}  {sentence}", highlight=False, markup=False)
    verdict = "[green]passed[/green]" if report.passed else "[red]FAILED[/red]"
    console.print(f"\nEvery task answered exactly once, and rightly: {verdict}")


def _lines(report: DemoReport) -> list[str]:
    return [
        f"{report.sentences} sentences in {report.sent} tasks, {report.answered} answered exactly once",
        f"{report.killed} was killed half way; tasks that it had begun and others took over: {report.taken_over}",
        f"{report.local_share:.0%} served in the submitter's region ({report.region})",
        f"latency p50 {report.p50_ms:g} ms, p95 {report.p95_ms:g} ms",
        f"least cosine to a run without network {report.least_cosine:.6f}",
    ]


def _answer(job: Job) -> Report | None:
    """Return the one success of a job, or nothing when there is not exactly one."""
    found = [report for report in job.reports if report.state is State.SUCCEEDED]
    return found[0] if len(found) == 1 else None


def _by_device(answers: Sequence[Report]) -> list[Answered]:
    counts = Counter((answer.device or "?", answer.region or "?") for answer in answers)
    return [Answered(device, region, tasks) for (device, region), tasks in sorted(counts.items())]


def _best(texts: Sequence[str], cosines: NDArray[np.float32]) -> list[tuple[float, str]]:
    order = np.argsort(cosines)[::-1][:_BEST]
    return [(round(float(cosines[position]), 3), texts[position]) for position in order]
