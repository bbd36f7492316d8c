from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.batching import batches

LENGTHS = st.lists(st.integers(1, 300), max_size=200)
BUDGETS = st.integers(1, 1000)


@given(LENGTHS, BUDGETS)
def test_every_text_is_in_exactly_one_batch(lengths: list[int], budget: int):
    assert sorted(position for group in batches(lengths, budget) for position in group) == list(range(len(lengths)))


@given(LENGTHS, BUDGETS)
def test_no_batch_is_above_the_budget_unless_it_is_a_single_text(lengths: list[int], budget: int):
    for group in batches(lengths, budget):
        assert len(group) == 1 or max(lengths[position] for position in group) * len(group) <= budget


@given(LENGTHS, BUDGETS)
def test_answers_written_to_their_positions_are_in_the_order_of_the_texts(lengths: list[int], budget: int):
    answers = [0] * len(lengths)
    for group in batches(lengths, budget):
        for position in group:
            answers[position] = lengths[position]
    assert answers == lengths


@given(LENGTHS, BUDGETS)
def test_no_batch_could_have_taken_the_next_text_too(lengths: list[int], budget: int):
    groups = batches(lengths, budget)
    for group, following in pairwise(groups):
        assert lengths[following[0]] * (len(group) + 1) > budget


def test_texts_of_one_length_fill_the_budget():
    assert [len(group) for group in batches([128] * 10, 512)] == [4, 4, 2]


def test_nothing_makes_no_batch():
    assert batches([], 512) == []
