"""The command `starai-worker evaluate`: shows an owner what their device is and can do."""

import json

import click
from rich.console import Console

from models.catalogue import load_catalogue
from models.measurement import MachineClass
from models.plan import Plan, plan
from models.share import Share
from worker.enrolment import enrolment_file
from worker.evaluation_table import as_table
from worker.lending import class_option, evaluate_with_progress, memory_share_option, share_of
from worker.measure import Evaluation, measurement_of
from worker.preferences import load_preferences, preferences_beside


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output, and nothing else.")
@click.option("--explain", is_flag=True, help="Say of each model why this device would host it, or not.")
@class_option
@memory_share_option
def evaluate(as_json: bool, explain: bool, claimed: str, memory_share: float | None) -> None:
    """Show what this machine is, how fast it runs models, and which ones it would host.

    It measures ONNX Runtime itself on the processor, with one thread and with all physical cores. That takes about
    6 seconds and 300 MB of memory, and keeps the processor busy. Nothing is sent anywhere and nothing is written.

    Exits with 1, and says what to do, when there is no usable ONNX Runtime or too little memory.
    """
    machine_class = MachineClass(claimed)
    evaluation = evaluate_with_progress(Console(stderr=True))
    prefers = load_preferences(preferences_beside(enrolment_file()))
    share = share_of(evaluation, machine_class, memory_share or prefers.memory_share, prefers.threads)
    planned = plan(measurement_of(evaluation, machine_class), share, load_catalogue())
    if as_json:
        click.echo(json.dumps(as_data(evaluation, machine_class, share, planned), indent=2))
    else:
        # What machines call themselves is no markup.
        Console(markup=False, highlight=False).print(as_table(evaluation, share, planned, explain=explain))


def as_data(evaluation: Evaluation, machine_class: MachineClass, share: Share, planned: Plan) -> dict[str, object]:
    """Return what ``--json`` prints: keys that stay, with the unit at their end where they have one."""
    return {
        **evaluation.model_dump(mode="json"),
        "share": share.model_dump(mode="json"),
        "plan": planned.model_dump(mode="json"),
        "measurement": measurement_of(evaluation, machine_class).model_dump(mode="json"),
    }
