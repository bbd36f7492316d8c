"""What texts through the network are found to cost, from the times that they took."""

import pytest

from bench.errors import BenchError
from bench.generation.compared import Pair, Range, range_of, rate, rate_after_first
from bench.generation.found import Found, report
from bench.generation.recipe import Recipe
from bench.generation.run import compare
from bench.generation.text import Question, Timed

QUESTION = Question("Why?", 101)


def timed(first=0.5, seconds=2.5, tokens=101, text="Because.", own_first=0.4):
    return Timed(text, 8, tokens, first, seconds, own_first, seconds, pieces=40, reports=2)


def pair(later=0.0, longer=0.0, **network):
    return Pair(QUESTION, timed(), timed(0.5 + later, 2.5 + longer, **network))


def targets(found):
    return {target.what.split()[0]: target for target in report(Recipe(), found).targets}


def test_tokens_a_second_are_those_of_the_whole_text():
    assert rate(timed()) == pytest.approx(101 / 2.5)


def test_after_the_first_token_there_is_one_fewer():
    assert rate_after_first(timed()) == pytest.approx(50.0)


def test_a_pair_says_what_the_network_costs():
    assert pair(longer=0.125).ratio == pytest.approx(2.5 / 2.625)
    assert pair(later=0.004).later == pytest.approx(0.004)


def test_what_the_models_process_did_not_take_is_the_way():
    assert timed(first=0.5, own_first=0.4).on_the_way == pytest.approx(0.1)


@pytest.mark.parametrize("other", [{"text": "No."}, {"tokens": 100}])
def test_other_texts_are_not_compared(other):
    pair().require_comparable()

    with pytest.raises(BenchError):
        pair(**other).require_comparable()


def test_a_range_is_from_the_lowest_to_the_highest():
    assert range_of([3.0, 1.0, 2.0]) == Range(2.0, 1.0, 3.0)


@pytest.mark.parametrize(("longer", "verdict"), [(0.1, "met"), (0.2, "missed")])
def test_a_text_may_take_a_twentieth_longer(longer, verdict):
    found = Found([pair(longer=longer)] * 3, [pair()], [0.001])

    assert targets(found)["tokens/s"].verdict == verdict


@pytest.mark.parametrize(("later", "verdict"), [(0.006, "met"), (0.007, "missed")])
def test_the_first_piece_may_come_five_milliseconds_and_a_round_trip_later(later, verdict):
    found = Found([pair()], [pair(later=later)] * 3, [0.0015])

    assert targets(found)["ms"].verdict == verdict


def test_the_middle_pair_counts_not_the_machines_worst_moment():
    found = Found([pair(), pair(longer=9.0), pair()], [pair(), pair(later=9.0), pair()], [0.001])

    assert found.ratio == 1.0
    assert found.beyond_trip_ms == pytest.approx(-1.0)


def test_a_report_says_how_many_messages_a_text_is():
    *_, messages = report(Recipe(), Found([pair()], [pair()], [0.001])).tables

    assert messages.rows == [("1", "40", "2")]


def test_each_question_is_asked_both_ways_one_right_after_the_other():
    asked, found = [], Found()

    def way(name):
        def ask(question):
            asked.append((name, question))
            return timed(tokens=question.tokens)

        return ask

    compare(way("in process"), way("network"), found)

    assert [name for name, _ in asked] == ["in process", "network"] * (len(asked) // 2)
    assert all(one[1] == other[1] for one, other in zip(asked[::2], asked[1::2], strict=True))
    assert len(found.texts) + len(found.beginnings) == len(asked) // 2 - 1
