"""The sentences that are embedded."""

from bench.embedding.sentences import sentences


def test_sentences_are_the_same_each_time():
    assert sentences(20) == sentences(20)


def test_sentences_are_of_mixed_length():
    lengths = [len(text.split()) for text in sentences(500)]

    assert min(lengths) < 8
    assert max(lengths) > 60
