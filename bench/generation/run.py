"""Measures texts: through the network as its submitter reads them, and of the same model in process."""

from collections.abc import Callable

from bench.generation.compared import Pair
from bench.generation.confirm import round_trips
from bench.generation.found import PROMPT, SHORT_PROMPT, TEXT, THREADS, Found, report
from bench.generation.in_process import engine
from bench.generation.model import cache, model_folder
from bench.generation.network import network
from bench.generation.recipe import Recipe
from bench.generation.text import Question, Timed, questions
from bench.ground import Ground
from bench.peer import Peer
from bench.progress import progress
from bench.report import Report

# Of each run: new processes both ways, and with each of them so much.
_STARTS, _TEXTS, _BEGINNINGS, _TRIPS = 2, 3, 10, 20
# Tokens of a text of which the beginning alone counts.
_SOME = 8

_Way = Callable[[Question], Timed]


def measure_generation(ground: Ground, runs: int) -> Report:
    """Measure both ways on this machine, with a model that is built first if it is not there."""
    recipe, found = Recipe(), Found()
    folder = model_folder(recipe, cache())
    with (
        network(ground, recipe, folder, THREADS) as net,
        round_trips(ground) as trips,
        progress("generation", runs * _STARTS) as begin,
    ):
        for start in range(runs * _STARTS):
            begin(f"run {1 + start // _STARTS}")
            found.trips += trips(_TRIPS)
            with Peer(engine, folder, THREADS) as alone, net.device():
                compare(alone.ask, net.timed, found)
    return report(recipe, found)


def compare(in_process: _Way, networked: _Way, found: Found) -> None:
    """Ask both ways the same, one right after the other, and keep what came.

    Raises:
        BenchError: they make different texts.
    """
    long, short = questions(_TEXTS, PROMPT, TEXT), questions(_BEGINNINGS, SHORT_PROMPT, _SOME)

    def pair(question: Question) -> Pair:
        made = Pair(question, in_process(question), networked(question))
        made.require_comparable()
        return made

    pair(long[0])  # all is loaded, and its memory allocated, from here on
    found.beginnings += map(pair, short)
    found.texts += map(pair, long)
