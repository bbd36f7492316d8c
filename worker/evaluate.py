"""The command `starai-worker evaluate`: shows an owner what their device is and can do."""

import json

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from broker_config.errors import StarAIError
from models.catalogue import load_catalogue
from worker.fit import CONTEXT_TOKENS, Fit, fits
from worker.hardware import Hardware
from worker.measure import Evaluation, evaluate_device, measurement_of

_GIB = 2**30


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output, and nothing else.")
def evaluate(as_json: bool) -> None:
    """Show what this machine is, how fast it runs models, and which ones its memory can hold.

    It measures ONNX Runtime itself on the processor, with one thread and with all physical cores. That takes about
    6 seconds and 300 MB of memory, and keeps the processor busy. Nothing is sent anywhere and nothing is written.

    Exits with 1, and says what to do, when there is no usable ONNX Runtime or too little memory.
    """
    try:
        evaluation = _evaluate_with_progress()
        models = fits(load_catalogue(), evaluation.hardware.memory_available_bytes)
    except StarAIError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(as_data(evaluation, models), indent=2))
    else:
        # What machines call themselves is no markup.
        Console(markup=False).print(as_table(evaluation, models))


def as_data(evaluation: Evaluation, models: list[Fit]) -> dict[str, object]:
    """Return what ``--json`` prints: keys that stay, with the unit at their end where they have one."""
    return {
        **evaluation.model_dump(mode="json"),
        "models": [model.model_dump(mode="json") for model in models],
        "measurement": measurement_of(evaluation).model_dump(mode="json"),
    }


def as_table(evaluation: Evaluation, models: list[Fit]) -> Table:
    """Return the same for a person."""
    hardware, engine = evaluation.hardware, evaluation.engine
    table = Table(title="This device", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column()
    table.add_row("System", hardware.operating_system)
    table.add_row("Processor", f"{hardware.cpu_model}: {hardware.physical_cores} cores, {hardware.threads} threads")
    table.add_row("Memory", f"{_gib(hardware.memory_bytes)}, {_gib(hardware.memory_available_bytes)} available")
    table.add_row("GPU", _gpus(hardware))
    table.add_row("Engine", f"{engine.flavour} {engine.version} on {engine.provider}")
    if engine.not_loaded:
        table.add_row("", engine.not_loaded)
    for speed in evaluation.speeds:
        threads = "1 thread" if speed.threads == 1 else f"{speed.threads} threads"
        table.add_row(f"Processor, {threads}", f"{speed.gflops:.0f} GFLOP/s, {speed.gb_per_s:.1f} GB/s of memory")
    table.add_section()
    for model in models:
        verdict = "fits" if model.fits_memory else "does not fit"
        table.add_row(model.model, f"{verdict} into the available memory: needs {_gib(model.needed_bytes)}")
    table.caption = f"A model's need is its weights and {CONTEXT_TOKENS} tokens of context, on the processor."
    return table


def _evaluate_with_progress() -> Evaluation:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Measuring", total=1.0)
        return evaluate_device(lambda done: bar.update(task, completed=done))


def _gib(size: int) -> str:
    return f"{size / _GIB:.1f} GiB"


def _gpus(hardware: Hardware) -> str:
    found = [f"{gpu.name}, {_gib(gpu.memory_bytes)}, driver {gpu.driver}" for gpu in hardware.gpus]
    return "\n".join([*(found or ["none of NVIDIA's found"]), "others are not looked for on this system yet"])
