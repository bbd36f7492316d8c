"""What a run came to: for a person, and for a program."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from registry.tables import EventKind
from soak import ledger
from soak.account import Account, account
from soak.blamed import Befallen, Costly, wrongly_blamed
from soak.end import End
from soak.hostile import Behaviour
from soak.run import Run
from tasks.inference import ATTEMPTS

_SHOWN = 20
# Seconds for a device to be asked several times how it is.
_LONG_ENOUGH = 20.0


@dataclass(frozen=True)
class Report:
    """The whole of it.

    Attributes:
        victims: by the poison's tag, how many devices it killed; ``uncleared``: by the same, how many of these began it
            because the platform did not say in time whether they may.
        blamed: failures that counted against devices, by kind; ``wrongly`` those that nothing explains.
        uncaught: devices that lied to probes for several cycles, of which none was found out.
        lives: how often each process was started; ``errors`` which ended by themselves and not by a kill, and how.
    """

    seed: int
    version: str
    database: str
    seconds: float
    account: Account
    figures: ledger.Figures
    victims: dict[str, int]
    uncleared: dict[str, int]
    lives: dict[str, int]
    errors: dict[str, list[int]]
    blamed: dict[str, int]
    wrongly: list[Costly]
    uncaught: list[str]
    settled: bool
    sources: dict[str, int]
    events: list[dict[str, Any]]
    notes: list[str]

    @property
    def checks(self) -> dict[str, bool]:
        """What has to hold."""
        return {
            "nothing is open": self.settled,
            "every task ended the same way in the ledger and for its submitter": self.account.exact,
            f"no poison had more than {ATTEMPTS} victims while the platform answered": all(
                victims <= ATTEMPTS + self.uncleared[tag] for tag, victims in self.victims.items()
            ),
            "nothing counted against a device that nothing had befallen": not self.wrongly,
            "every device that lied about its health was found out": not self.uncaught,
            "usage has exactly the tasks that succeeded, device by device": self.figures.usage_is_exact,
        }

    @property
    def exact(self) -> bool:
        """Whether all of it holds."""
        return all(self.checks.values())

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {**asdict(self), "checks": self.checks, "exact": self.exact}


def report_of(run: Run, version: str, database: str) -> Report:
    """Look at everything once it is quiet."""
    network = run.network
    costly = ledger.costly(network.engine)
    tags = [event.what.split()[1] for event in run.events if event.what.startswith("poison ")]
    return Report(
        seed=run.seed,
        version=version,
        database=database,
        seconds=run.seconds,
        account=account(ledger.ends(network.engine), run.told(), run.killed_when_told()),
        figures=ledger.figures(network.engine),
        victims=_victims(network.poison, tags),
        uncleared=_uncleared(network.logs, run.poisons(tags)),
        lives={name: kept.lives for name, kept in network.kept.items()},
        errors={name: codes for name, kept in network.kept.items() if (codes := [c for c in kept.ends if c > 0])},
        blamed=dict(Counter(event.kind for event in costly)),
        wrongly=wrongly_blamed(costly, _befallen(run)),
        uncaught=_uncaught(run, costly),
        settled=run.settled,
        sources=run.sources(),
        events=[asdict(event) for event in run.events],
        notes=run.notes(),
    )


def show(console: Console, report: Report) -> None:
    """Print it."""
    console.print(_ends(report.account))
    console.print(_figures(report))
    lists: dict[str, Sequence[object]] = {
        "differ": report.account.differences,
        "failed without a reason": report.account.unexplained,
        "wrongly blamed": report.wrongly,
        "lied and was not found out": report.uncaught,
    }
    for name, rows in lists.items():
        for row in rows[:_SHOWN]:
            console.print(f"{name}: {row}", markup=False, highlight=False)
        if len(rows) > _SHOWN:
            console.print(f"... and {len(rows) - _SHOWN} more, which are in the report")
    for check, holds in report.checks.items():
        console.print(f"[green]✓[/green] {check}" if holds else f"[red]✗[/red] {check}", highlight=False)


def _ends(account: Account) -> Table:
    table = Table(title=f"{account.submitted} tasks submitted", title_justify="left")
    table.add_column("ended")
    table.add_column("in the ledger", justify="right")
    table.add_column("by their submitters", justify="right")
    for end in End:
        table.add_row(end, str(account.ledger[end]), str(account.told[end]))
    return table


def _figures(report: Report) -> Table:
    table = Table(show_header=False)
    figures = report.figures
    rows = {
        "RabbitMQ, database, seed": f"{report.version}, {report.database}, {report.seed}",
        "put back by the platform": str(figures.republished),
        "attempts lost or overrun": str(figures.reallocations),
        "attempts": _counts(figures.outcomes),
        "actions": _counts(figures.actions),
        "dead letters": str(figures.dead_letters),
        "ends told by": _counts(report.sources),
        "victims of each poison": ", ".join(map(str, report.victims.values())) or "no poison",
        "of which began it uncleared": ", ".join(map(str, report.uncleared.values())) or "no poison",
        "done though rejected": str(len(report.account.unsaid)),
        "starts": _counts(report.lives),
        "ended by an error": _counts({name: len(codes) for name, codes in report.errors.items()}),
        "failures of devices that counted": _counts(report.blamed),
        "faults": _counts(Counter(event["kind"] for event in report.events if not event["error"])),
        "faults that did not come about": str(sum(bool(event["error"]) for event in report.events)),
    }
    for what, text in rows.items():
        table.add_row(what, text)
    return table


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def _befallen(run: Run) -> list[Befallen]:
    return [
        Befallen(device, run.began_at + event.at, run.began_at + event.until)
        for event in run.events
        for device in event.devices
    ]


def _uncaught(run: Run, costly: list[Costly]) -> list[str]:
    """Return the devices that were asked often enough how they are, always lied, and were never charged for that."""
    found = {event.device for event in costly if event.kind == EventKind.CHECK_FAILED}
    long = [event for event in run.events if event.until - event.at >= _LONG_ENOUGH]
    liars = [event.devices[0] for event in long if Behaviour.LIE in event.what.split(": ")[-1].split(", ")]
    return [device for device in liars if device not in found]


def _victims(folder: Path, tags: list[str]) -> dict[str, int]:
    return {tag: len(list(folder.glob(f"{tag}.*"))) for tag in tags}


def _uncleared(logs: Path, tasks: Mapping[str, str]) -> dict[str, int]:
    said = [line for log in logs.glob("device-*.log") for line in log.read_text("utf-8", "replace").splitlines()]
    warned = [line for line in said if "task.uncleared" in line]
    return {tag: sum(f"task={task}" in line for line in warned) for tag, task in tasks.items()}
