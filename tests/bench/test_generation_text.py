"""What the benchmark's model is asked."""

from bench.generation.text import questions
from bench.generation.tokenizer import tokenizer


def test_questions_are_the_same_each_time_and_differ_among_themselves():
    asked = questions(5, 40, 8)

    assert asked == questions(5, 40, 8)
    assert len({question.prompt for question in asked}) == 5


def test_a_prompt_has_no_more_tokens_than_that_and_hardly_fewer():
    lengths = [len(tokenizer().encode(question.prompt).ids) for question in questions(20, 128, 8)]

    assert max(lengths) <= 128
    assert min(lengths) > 128 - 20


def test_the_likeliest_tokens_are_asked_for():
    (question,) = questions(1, 20, 8)

    assert (question.options.max_tokens, question.options.temperature) == (8, 0)
