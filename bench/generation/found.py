"""What was found of texts both ways, as a report. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from operator import attrgetter

from bench.figures import median
from bench.generation.compared import Pair, range_of, rate, rate_after_first
from bench.generation.recipe import Recipe
from bench.generation.text import Timed
from bench.report import Report, Table, Target, milliseconds, number

#: Of the processor, for the model, both ways.
THREADS = 1
#: Tokens of a prompt and of its text; and of the prompts by which the first piece is timed.
PROMPT, TEXT, SHORT_PROMPT = 128, 256, 16
# Milliseconds beyond the round trip within which the first piece is to be there.
_WITHIN_MS = 5.0


@dataclass
class Found:
    """Texts, texts of which the beginning alone counts, and the seconds of round trips to the broker."""

    texts: list[Pair] = field(default_factory=list)
    beginnings: list[Pair] = field(default_factory=list)
    trips: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The tokens a second through the network against those in process."""
        return median([pair.ratio for pair in self.texts])

    @property
    def beyond_trip_ms(self) -> float:
        """How many milliseconds later the first piece comes than in process, beyond one round trip."""
        return 1000 * (median([pair.later for pair in self.beginnings]) - median(self.trips))


def report(recipe: Recipe, found: Found) -> Report:
    """Return it all."""
    return Report(
        "generation",
        _notes(recipe, found),
        [_ways_table(found.texts), _difference_table(found), _messages_table(found.texts)],
        [
            Target("tokens/s through the network / in process", found.ratio, 0.95, at_most=False),
            Target("ms that the first piece comes later, less one round trip", found.beyond_trip_ms, _WITHIN_MS),
        ],
    )


def _notes(recipe: Recipe, found: Found) -> list[str]:
    return [
        (
            f"A decoder as Llama's of {recipe.layers} layers and {recipe.parameters / 1e6:.0f} million random weights "
            f"in four bits, on onnxruntime-genai {version('onnxruntime-genai')} with {THREADS} thread. "
            f"{len(found.texts)} texts of {TEXT} tokens to prompts of {PROMPT}, always the likeliest token, so that "
            "both ways make the same text. Each question is asked both ways, one right after the other, and only such "
            "two are compared. Each run has new processes both ways, twice, so that the luck of no single one decides."
        ),
        (
            "Through the network: `Client.stream` as its reader sees it, from the call to the end of the text; one "
            "device of one slot with the model in its child process, and the recorder at work. In process: the engine "
            "that devices use, alone in a plain process of the same low priority as theirs, its pieces going nowhere. "
            "On the way is what the first piece takes besides the time that the model's process takes to its first "
            "token. A round trip is a persistent message of 1,000 bytes, to the broker's confirm from a quorum queue, "
            "while no text is made."
        ),
        (
            f"How much later the first piece comes is measured with {len(found.beginnings)} prompts of {SHORT_PROMPT} "
            f"tokens: to read one of {PROMPT} takes so long that the few milliseconds drown in its own variation."
        ),
    ]


def _ways_table(pairs: Sequence[Pair]) -> Table:
    networked = [pair.network for pair in pairs]
    ways = {
        "in process": [pair.in_process for pair in pairs],
        "through the network": networked,
        "through the network, by the model's process": [
            one._replace(first=one.own_first, seconds=one.own_seconds) for one in networked
        ],
    }
    columns = ("", "first piece ms", "tokens/s", "tokens/s after the first")
    title = f"A text of {TEXT} tokens to a prompt of {PROMPT}"
    return Table(title, columns, [_way_row(way, timed) for way, timed in ways.items()])


def _way_row(way: str, timed: Sequence[Timed]) -> tuple[str, ...]:
    first = milliseconds(median([one.first for one in timed]))
    return (way, first, *(number(median([of(one) for one in timed])) for of in (rate, rate_after_first)))


def _difference_table(found: Found) -> Table:
    measured = {
        "tokens/s through the network / in process": [pair.ratio for pair in found.texts],
        f"ms that the first piece comes later, prompts of {SHORT_PROMPT}": _later_ms(found.beginnings),
        f"ms that the first piece comes later, prompts of {PROMPT}": _later_ms(found.texts),
        "ms that the first piece is on the way": [1000 * pair.network.on_the_way for pair in found.beginnings],
        "ms of a round trip to the broker": [1000 * trip for trip in found.trips],
    }
    rows = [(what, *map(number, range_of(values))) for what, values in measured.items()]
    return Table("The difference", ("", "median", "lowest", "highest"), rows)


def _later_ms(pairs: Sequence[Pair]) -> list[float]:
    return [1000 * pair.later for pair in pairs]


def _messages_table(pairs: Sequence[Pair]) -> Table:
    pieces, reports = (
        median([of(pair.network) for pair in pairs]) for of in (attrgetter("pieces"), attrgetter("reports"))
    )
    columns = ("task", "pieces", "its beginning, its result and signs of life")
    return Table("Messages of a text, as its submitter has them", columns, [("1", number(pieces), number(reports))])
