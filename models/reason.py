"""Why a model is hosted or not, in sentences with figures. GB are 10^9 bytes."""

from models.entry import CatalogueEntry, Kind
from models.need import EFFICIENCY, ENOUGH_TOKENS_PER_SECOND, context_bytes, fast_slots, needed_bytes, tokens_per_second
from models.pool import Pool

#: Each model has a thread of its own.
NO_THREAD = "No thread is left: the larger models take all that the owner lends."
#: Nothing here runs language models.
NO_ENGINE = (
    "No engine for language models is installed: pip install 'starai[llm]', or 'starai[llm-cuda]' beside starai[gpu]."
)


def fits(entry: CatalogueEntry, pool: Pool, slots: int) -> str:
    """Say that a model fits there, with so many slots."""
    needed, speed = _gb(needed_bytes(entry, pool, slots)), tokens_per_second(entry, pool)
    unit = "slot" if slots == 1 else "slots"
    each = f", {speed / slots:.1f} in each while all run" if entry.kind is Kind.GENERATE and slots > 1 else ""
    return f"Fits on {pool.name}: needs {needed} of {_gb(pool.lent_bytes)} for {slots} {unit}, {_speed(speed)}{each}."


def no_engine(pool: Pool) -> str:
    """Say that language models do not run there."""
    return f"Language models do not run on {pool.name} by {pool.provider}."


def not_in_browser(entry: CatalogueEntry) -> str:
    """Say that a page in a browser does not run such a model."""
    return f"A browser runs tiny models that embed, and this one is {entry.tier}, of the kind {entry.kind}."


def no_slot(pool: Pool) -> str:
    """Say that other models have all slots there."""
    return f"No slot is left on {pool.name}: a larger model has it, and no other runs beside that."


def misfit(entry: CatalogueEntry, pool: Pool, left_bytes: int) -> str:
    """Say why a model does not fit there, where larger ones left so many bytes."""
    needed = needed_bytes(entry, pool)
    if needed > pool.lent_bytes:
        context, overhead = _gb(context_bytes(entry)), _gb(pool.overhead_bytes)
        parts = f"weights {_gb(entry.weight_bytes)}, context {context}, overhead {overhead}"
        return f"Does not fit on {pool.name}: needs {_gb(needed)} ({parts}) of {_gb(pool.lent_bytes)}."
    if not fast_slots(entry, pool, 1):
        how = f"{pool.gb_per_s:.1f} GB/s x {EFFICIENCY} / {_gb(entry.weight_bytes)}"
        speed = _speed(tokens_per_second(entry, pool))
        return f"Too slow on {pool.name}: {speed} ({how}), and {ENOUGH_TOKENS_PER_SECOND:g} are needed."
    return (
        f"No room is left on {pool.name}: needs {_gb(needed)}, and larger models leave {_gb(left_bytes)} "
        f"of {_gb(pool.lent_bytes)}."
    )


def _gb(size: int) -> str:
    return f"{size / 1e9:.2f} GB"


def _speed(tokens: float) -> str:
    return f"{tokens:.1f} tokens/s predicted"
