"""An evaluation and its deployment plan as a table for a person."""

from rich.table import Table

from models.measurement import Gpu, Speed
from models.need import CONTEXT_TOKENS
from models.plan import Placement, Plan
from models.share import Share
from worker.engine import LanguageEngine
from worker.hardware import Hardware
from worker.measure import Evaluation

_GIB = 2**30


def as_table(evaluation: Evaluation, share: Share, planned: Plan, *, explain: bool) -> Table:
    """Return the table; with ``explain``, every model has a sentence that says why."""
    table = Table(title="This device", show_header=False, title_justify="left", caption_justify="left")
    table.add_column(style="bold")
    table.add_column()
    _add_hardware(table, evaluation.hardware)
    engine = evaluation.engine
    table.add_row("Engine", f"{engine.flavour} {engine.version} on {engine.provider}")
    if engine.not_loaded:
        table.add_row("", engine.not_loaded)
    table.add_row("Language models", _language(evaluation.language))
    for speed in evaluation.speeds:
        table.add_row(f"Processor, {_threads(speed.threads)}", _speed(speed))
    table.add_section()
    table.add_row("Lent", f"{share.memory:.0%} of the memory, {_threads(share.threads)}")
    for why in planned.unused_gpus:
        table.add_row("", why)
    table.add_section()
    _add_models(table, planned, evaluation.hardware.gpus, explain=explain)
    table.caption = f"A model needs its weights, {CONTEXT_TOKENS} tokens of context in each slot, and its process."
    return table


def _language(engine: LanguageEngine) -> str:
    if engine.missing:
        return engine.missing
    return f"{engine.flavour} {engine.version} on {', '.join(engine.providers)}"


def _add_hardware(table: Table, hardware: Hardware) -> None:
    table.add_row("System", hardware.operating_system)
    table.add_row("Processor", f"{hardware.cpu_model}: {hardware.physical_cores} cores, {hardware.threads} threads")
    table.add_row("Memory", f"{_gib(hardware.memory_bytes)}, {_gib(hardware.memory_available_bytes)} available")
    table.add_row("GPU", "\n".join(map(_gpu, hardware.gpus)) or "none found")


def _add_models(table: Table, planned: Plan, gpus: tuple[Gpu, ...], *, explain: bool) -> None:
    placements = {placement.model: placement for placement in planned.placements}
    for verdict in planned.verdicts:
        placement = placements.get(verdict.model)
        short = _placement(placement, gpus) if placement else "not here"
        table.add_row(verdict.model, verdict.reason if explain else short)


def _placement(placement: Placement, gpus: tuple[Gpu, ...]) -> str:
    where = "the processor" if placement.gpu is None else gpus[placement.gpu].name
    slots = "1 slot" if placement.slots == 1 else f"{placement.slots} slots"
    return f"{slots} on {where}, {placement.memory_bytes / 1e9:.2f} GB"


def _gpu(gpu: Gpu) -> str:
    told = [gpu.name, _gib(gpu.memory_bytes) if gpu.memory_bytes else "", f"driver {gpu.driver}" if gpu.driver else ""]
    return ", ".join(filter(None, [*told, gpu.fault]))


def _speed(speed: Speed) -> str:
    return f"{speed.gflops:.0f} GFLOP/s, {speed.gb_per_s:.1f} GB/s of memory"


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def _gib(size: int) -> str:
    return f"{size / _GIB:.1f} GiB"
