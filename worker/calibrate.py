"""How many tasks of a model a device should run at once, and how many it then does in a second.

A language model makes its texts in turn, so that more at once do no more in a second: it gets as many slots as still
have enough tokens a second each. For a model of arrays nobody knows what to give it: it is tried, and not measured.

Of a model that embeds, more at once do more in a second: tasks that wait together run as one batch
(models/microbatch.py), and while one slot's answer travels and its next task comes, the others' tasks run. That ends
where the processor is full: a slot more then only makes tasks wait here that another device could begin.
"""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from models.calibration import Calibration
from models.entry import CatalogueEntry, Kind
from models.host import ModelHost
from models.need import ENOUGH_TOKENS_PER_SECOND
from models.on_gpu import OnGpu
from models.plan import MOST_SLOTS
from starai.generation import Generated, Options, Prompt
from tasks.output import Embeds, Generates

#: One task of a model that embeds: four sentences of 16 to 20 tokens each. Small tasks are where batching, and so the
#: number of slots, counts most; at 128 tokens a text it no longer does.
TASK = (
    "The river rose over its banks that night and took the old wooden bridge with it.",
    "Nobody in the small office could say who had ordered four hundred blue umbrellas.",
    "A warm wind from the south had melted most of the snow before the children woke up.",
    "She kept the letters of her grandmother in a tin box under the stairs for many years.",
)
#: One task of a language model: a text of 32 tokens, which with temperature 0 is the same on every device.
PROMPT = Prompt(inputs=TASK[0], options=Options(max_tokens=32))
#: Seconds for which a slot is empty between two tasks: its answer goes to the broker, then the next task comes from
#: it. A round trip within a region of the internet, by assumption; on one machine it is shorter, to elsewhere longer.
TRAVEL = 0.02
#: How many tasks are tried at once.
AT_ONCE = (1, 2, 4, 8)
#: How often each number, or the text, is tried, spread over the whole measurement: something else may be busy for a
#: while.
ROUNDS = 2
#: Seconds that one try takes.
SECONDS = 0.25
#: Seconds after which a model that has not answered hangs.
PATIENCE = 60.0
#: The share of the best throughput that is good enough.
ENOUGH = 0.9


def calibrate_model(entry: CatalogueEntry, folder: Path, threads: int, gpu: OnGpu | None = None) -> Calibration | None:
    """Load a model with so many threads, there, measure it, and end it again.

    Returns:
        What :func:`calibrate` or :func:`calibrate_texts` says; ``None`` for a model of arrays.

    Raises:
        ModelCorrupt, EngineMissing, ModelError: it cannot be loaded, or failed.
    """
    host = ModelHost(entry, folder, threads, gpu)
    try:
        host.start()
        if entry.kind is Kind.GENERATE:
            return calibrate_texts(host)
        return calibrate(host) if entry.kind is Kind.EMBED else None
    finally:
        host.close()


def calibrate_texts(model: Generates) -> Calibration:
    """Measure a language model that is loaded, with a few short texts, one after the other.

    Raises:
        ModelError: it failed, or hangs.
    """
    _text(model)  # the first run prepares much that the others find ready
    texts = [_text(model) for _ in range(ROUNDS)]
    # The better ones: whatever else the machine does can only slow it down.
    rate = max(map(_tokens_per_second, texts))
    slots = min(max(int(rate // ENOUGH_TOKENS_PER_SECOND), 1), MOST_SLOTS)
    return Calibration(slots=slots, tasks_per_second=1 / min(text.seconds for text in texts))


def calibrate(model: Embeds, travel: float = TRAVEL) -> Calibration:
    """Measure a model that embeds and is loaded, for two seconds; longer where a task alone takes as long as a try.

    Args:
        model: the model; nobody else should use it meanwhile.
        travel: seconds for which a slot is empty between two tasks.

    Raises:
        ModelError: it failed, or hangs.
    """
    model.run(list(TASK), PATIENCE)  # the first run prepares much that the others find ready
    rounds = [{at_once: _rate(model, at_once, travel) for at_once in AT_ONCE} for _ in range(ROUNDS)]
    # The better one: whatever else the machine does can only slow it down.
    return choose({at_once: max(rates[at_once] for rates in rounds) for at_once in AT_ONCE})


def choose(rates: Mapping[int, float]) -> Calibration:
    """Choose the fewest slots that are nearly as fast as the best number.

    Args:
        rates: tasks per second by the number of tasks that ran at once.
    """
    best = max(rates.values())
    slots = min(at_once for at_once, rate in rates.items() if rate >= ENOUGH * best)
    return Calibration(slots=slots, tasks_per_second=rates[slots])


def _text(model: Generates) -> Generated:
    return model.generate(PROMPT, PATIENCE, None, lambda _: None)


def _tokens_per_second(text: Generated) -> float:
    """Return how fast a text was made once its prompt was read."""
    made, seconds = text.tokens - 1, text.seconds - text.first_token_seconds
    return made / seconds if made and seconds else text.tokens / text.seconds


def _rate(model: Embeds, at_once: int, travel: float) -> float:
    """Return how many tasks a second end with so many slots."""
    begin = time.perf_counter()
    end = begin + SECONDS

    def work() -> int:
        done = 0
        while not done or time.perf_counter() < end:
            model.run(list(TASK), PATIENCE)
            done += 1
            time.sleep(travel)
        return done

    with ThreadPoolExecutor(at_once) as threads:
        done = sum(threads.map(lambda _: work(), range(at_once)))
    return done / (time.perf_counter() - begin)
