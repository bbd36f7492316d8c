"""``python -m soak``: a network under random load and faults; exits with 0 only if the account is exact."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from broker_config.errors import StarAIError
from broker_config.home import private_folder
from ops.interrupt import stop_on_signals
from soak.hostile import USUAL, Behaviour
from soak.network import Network
from soak.postgres import Postgres
from soak.report import Report, report_of, show
from soak.run import Event, Run
from soak.schedule import Kind, schedule

_OTHERS = ("BROKER_URL", "MANAGEMENT_URL", "BROKER_CA", "BROKER_TLS", "BROKER_HOST", "DATABASE_URL", "REGION")
_NONE = "none"


@click.command()
@click.option("--minutes", type=click.FloatRange(0.1), default=15.0, envvar="SOAK_MINUTES", show_default=True)
@click.option("--seed", type=int, default=1, envvar="SOAK_SEED", show_default=True, help="Draws load and faults.")
@click.option("--rate", type=click.FloatRange(0.1), default=30.0, show_default=True, help="Tasks a second.")
@click.option("--database", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option(
    "--fault",
    "kinds",
    multiple=True,
    type=click.Choice([*map(str, Kind), _NONE]),
    help="Only of this kind; may be given several times.  [default: all]",
)
@click.option(
    "--behaviour",
    "behaviours",
    multiple=True,
    type=click.Choice(list(map(str, Behaviour))),
    help="What hostile devices do; may be given several times.  [default: all but stranger]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--report",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("soak-report.json"),
    show_default=True,
    help="The file for the whole report.",
)
def main(
    minutes: float,
    seed: int,
    rate: float,
    database: str,
    kinds: tuple[str, ...],
    behaviours: tuple[str, ...],
    as_json: bool,
    file: Path,
) -> None:
    """Run a whole network of its own under load and faults, and account for every task.

    STARAI_RABBITMQ_SERVER selects another RabbitMQ, STARAI_QUEUE_TYPE=classic classic task queues. The folder with
    all logs stays where the account is not exact.
    """
    stop_on_signals()
    console = Console(stderr=True)
    folder = Path(tempfile.mkdtemp(prefix="starai-soak-"))
    console.print(f"Everything of this run is in {folder}, seed {seed}.", highlight=False)
    network = _network(folder, database)
    faults = schedule(seed, 60 * minutes, [Kind(kind) for kind in kinds or Kind if kind != _NONE])
    meant = tuple(Behaviour(behaviour) for behaviour in behaviours or USUAL)
    try:
        with console.status("a network starts"):
            network.start()
        run = Run(network, 60 * minutes, seed, rate, faults, meant)
        _carry_out(console, run)
        report = report_of(run, network.node.api.version(), database)
    except StarAIError as error:
        raise click.ClickException(f"{error}\nThe logs are in {network.logs}.") from error
    finally:
        network.stop()
    _tell(report, as_json, file)
    if report.exact:
        shutil.rmtree(folder)
    raise SystemExit(0 if report.exact else 1)


def _network(folder: Path, database: str) -> Network:
    for name in _OTHERS:
        os.environ.pop(f"STARAI_{name}", None)
    os.environ["STARAI_HOME"] = str(private_folder(folder / "home"))
    postgres = Postgres(private_folder(folder / "log")) if database == "postgresql" else None
    if postgres:
        os.environ["STARAI_DATABASE_URL"] = postgres.url
    return Network(folder, postgres)


def _carry_out(console: Console, run: Run) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[tasks]}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("load and faults", total=run.seconds, tasks="")

        def on_event(event: Event) -> None:
            said = event.what if event.error is None else f"{event.what}: {event.error}"
            progress.console.print(f"{event.at:6.1f} s  {event.kind}: {said}", markup=False, highlight=False)

        def on_moment(at: float, submitted: int, ended: int) -> None:
            phase = "load and faults" if at < run.seconds else "waiting for the ends"
            tasks = f"{submitted} submitted, {submitted - ended} open"
            progress.update(bar, completed=min(at, run.seconds), description=phase, tasks=tasks)

        run.carry_out(on_event, on_moment)


def _tell(report: Report, as_json: bool, file: Path) -> None:
    text = json.dumps(report.as_dict(), indent=2, default=str)
    file.write_text(text, "utf-8")
    if as_json:
        click.echo(text)
    else:
        show(Console(), report)
        click.echo(f"The whole report is in {file}.")
