"""The command `starai-worker evaluate`: shows an owner what their device is and can do."""

import json

import click
from rich.console import Console
from rich.progress import Progress

from broker_config.errors import StarAIError
from models.catalogue import load_catalogue
from models.measurement import MachineClass
from models.plan import Plan, plan
from models.share import Share, default_share
from worker.evaluation_table import as_table
from worker.measure import Evaluation, evaluate_device, measurement_of


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output, and nothing else.")
@click.option("--explain", is_flag=True, help="Say of each model why this device would host it, or not.")
@click.option(
    "--class",
    "claimed",
    type=click.Choice([machine_class.value for machine_class in MachineClass]),
    default=MachineClass.PERSONAL.value,
    show_default=True,
    help="What this machine is for; how much of it is lent follows from that.",
)
@click.option(
    "--memory-share",
    type=click.FloatRange(0, 1, min_open=True),
    help="The part of its memory, and of its GPUs', to lend.  [default: 0.8 of a server, 0.5 of a personal machine, "
    "0.15 of a phone]",
)
def evaluate(as_json: bool, explain: bool, claimed: str, memory_share: float | None) -> None:
    """Show what this machine is, how fast it runs models, and which ones it would host.

    It measures ONNX Runtime itself on the processor, with one thread and with all physical cores. That takes about
    6 seconds and 300 MB of memory, and keeps the processor busy. Nothing is sent anywhere and nothing is written.

    Exits with 1, and says what to do, when there is no usable ONNX Runtime or too little memory.
    """
    machine_class = MachineClass(claimed)
    try:
        evaluation = _evaluate_with_progress()
        share = share_of(evaluation, machine_class, memory_share)
        planned = plan(measurement_of(evaluation, machine_class), share, load_catalogue())
    except StarAIError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(as_data(evaluation, machine_class, share, planned), indent=2))
    else:
        # What machines call themselves is no markup.
        Console(markup=False, highlight=False).print(as_table(evaluation, share, planned, explain=explain))


def share_of(evaluation: Evaluation, machine_class: MachineClass, memory: float | None) -> Share:
    """Return what the owner lends: that part of the memory, or what is usual for such a machine."""
    usual = default_share(machine_class, evaluation.hardware.physical_cores)
    return usual if memory is None else Share(memory=memory, threads=usual.threads)


def as_data(evaluation: Evaluation, machine_class: MachineClass, share: Share, planned: Plan) -> dict[str, object]:
    """Return what ``--json`` prints: keys that stay, with the unit at their end where they have one."""
    return {
        **evaluation.model_dump(mode="json"),
        "share": share.model_dump(mode="json"),
        "plan": planned.model_dump(mode="json"),
        "measurement": measurement_of(evaluation, machine_class).model_dump(mode="json"),
    }


def _evaluate_with_progress() -> Evaluation:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Measuring", total=1.0)
        return evaluate_device(lambda done: bar.update(task, completed=done))
