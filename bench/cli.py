"""``python -m bench``: measure, show, and write ``RESULTS.md``."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console

from bench.browser.run import measure_browser
from bench.embedding.run import measure_embedding
from bench.generation.run import measure_generation
from bench.ground import Ground, private_node
from bench.growth.run import measure_growth
from bench.health.run import measure_health
from bench.machine import own_command, this_machine
from bench.overhead.run import measure_overhead
from bench.placement.run import SECONDS, measure_placement
from bench.recorder.run import measure_recorder
from bench.recovery.run import measure_recovery
from bench.report import Report
from bench.results import write_results
from bench.show import as_dict, show

RESULTS = Path(__file__).parent / "RESULTS.md"

Benchmark = Callable[[Ground, int, float], Report]

BENCHMARKS: dict[str, Benchmark] = {
    "overhead": lambda ground, runs, _: measure_overhead(ground, runs),
    "recorder": lambda ground, runs, _: measure_recorder(ground, runs),
    "health": lambda ground, runs, _: measure_health(ground, runs),
    "recovery": lambda ground, runs, _: measure_recovery(ground, runs),
    "embedding": lambda ground, runs, _: measure_embedding(ground, runs),
    "browser": lambda _ground, runs, _: measure_browser(runs),
    "generation": lambda ground, runs, _: measure_generation(ground, runs),
    "placement": measure_placement,
    "growth": lambda ground, runs, _: measure_growth(ground, runs),
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)))
@click.option("--runs", type=click.IntRange(min=1), default=5, show_default=True, help="Runs of each measurement.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=1),
    default=SECONDS,
    show_default=True,
    help="For how long tasks arrive in one run of placement.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the reports as JSON.")
@click.option(
    "--results",
    type=click.Path(dir_okay=False, path_type=Path),
    default=RESULTS,
    show_default="bench/RESULTS.md",
    help="The file to write.",
)
def main(names: tuple[str, ...], runs: int, seconds: float, as_json: bool, results: Path) -> None:
    """Run the benchmarks of these NAMES, all of them by default, on a private RabbitMQ node.

    STARAI_RABBITMQ_SERVER selects another RabbitMQ; the results keep a section for each version.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    reports = []
    for name in names or BENCHMARKS:
        # A node each: what one benchmark leaves in the broker's memory is not the next one's.
        with private_node() as ground:
            machine = this_machine(ground.version, own_command())
            report = BENCHMARKS[name](ground, runs, seconds)
        write_results(results, machine, report)
        reports.append(report)
        if not as_json:
            show(Console(), report)
    if as_json:
        click.echo(json.dumps([as_dict(report) for report in reports]))
