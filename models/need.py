"""What a model needs of the memory where it runs, and how fast it is there."""

from models.entry import CatalogueEntry, Kind
from models.pool import Pool

#: Tokens of one conversation that must fit beside a model's weights, in each slot.
CONTEXT_TOKENS = 4096
#: Tokens a second below which nobody would wait for an answer.
ENOUGH_TOKENS_PER_SECOND = 10.0
#: What decoding reaches of the bandwidth that was measured. Measured as well: a 4-bit model of 197 million parameters,
#: 125 MB read for each token, made 173 tokens a second on one thread that reads 32 GB/s, and 190 on two: 0.67 to 0.74.
#: A little less is assumed, since the context's keys and values are read as well.
EFFICIENCY = 0.6


def context_bytes(entry: CatalogueEntry, slots: int = 1) -> int:
    """Return what the keys and values of a whole context in each of so many slots take."""
    return slots * CONTEXT_TOKENS * entry.kv_bytes_per_token


def needed_bytes(entry: CatalogueEntry, pool: Pool, slots: int = 1) -> int:
    """Return what a model takes there, with a context in each of so many slots."""
    return entry.weight_bytes + context_bytes(entry, slots) + pool.overhead_bytes


def tokens_per_second(entry: CatalogueEntry, pool: Pool) -> float:
    """Predict how many tokens a second one task alone gets there: each token reads all weights once.

    A model that embeds reads them once for a whole text, so that for it this is a lower bound.
    """
    return pool.gb_per_s * 1e9 / entry.weight_bytes * EFFICIENCY


def fast_slots(entry: CatalogueEntry, pool: Pool, most: int) -> int:
    """Return with how many slots, ``most`` at most, a model is fast enough there; 0 where it is too slow with one.

    A language model makes its texts in turn, a token of each, so that all of them together get its tokens a second. Any
    other model of named arrays makes no tokens, and runs one task after the other.
    """
    if entry.kind is Kind.TENSORS:
        return min(most, 1)
    alone = tokens_per_second(entry, pool)
    if entry.kind is Kind.GENERATE:
        return min(most, int(alone // ENOUGH_TOKENS_PER_SECOND))
    return most if alone >= ENOUGH_TOKENS_PER_SECOND else 0
