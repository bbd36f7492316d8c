"""A text as it comes in, piece by piece, whoever makes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starai.errors import Restarted
from starai.reading import Reading


def test_pieces_are_given_as_they_come():
    reading = Reading()

    for offset, text in [(0, "Once "), (5, "upon"), (9, " a time")]:
        reading.hear("first", offset, text)
        assert reading.take() == text
    assert reading.take() == ""
    assert reading.run == "first"


def test_another_attempt_at_the_same_text_goes_on_where_the_first_one_was():
    reading = Reading()
    reading.hear("first", 0, "Once upon")
    reading.take()

    reading.hear("second", 0, "Once")
    assert reading.take() == ""
    reading.hear("second", 4, " upon a time")
    assert reading.take() == " a time"
    assert reading.run == "second"


def test_another_text_is_told_and_then_given_from_its_beginning():
    reading = Reading()
    reading.hear("first", 0, "Once upon")
    reading.take()
    reading.hear("second", 0, "On a day")

    with pytest.raises(Restarted, match="anew"):
        reading.take()
    assert reading.take() == "On a day"


def test_a_piece_after_one_that_was_lost_waits_for_the_end():
    reading = Reading()
    reading.hear("first", 0, "Once ")
    reading.hear("first", 9, " a time")
    assert reading.take() == "Once "

    reading.end("first", "Once upon a time")
    assert reading.take() == "upon a time"


def test_a_device_that_was_given_up_and_goes_on_is_not_heard():
    reading = Reading()
    reading.hear("first", 0, "Once ")
    reading.hear("second", 0, "Once ")
    reading.take()

    reading.hear("first", 5, "in a blue moon")

    assert reading.take() == ""


def test_the_end_counts_whoever_made_it():
    reading = Reading()
    reading.hear("first", 0, "Once ")
    reading.hear("second", 0, "On a")
    assert reading.take() == "On a"

    reading.end("first", "Once upon a time")

    with pytest.raises(Restarted):
        reading.take()
    assert reading.take() == "Once upon a time"


TEXTS = st.sampled_from(["", "a", "ab", "abc", "ax", "axyz", "b"])
HEARD = st.tuples(st.sampled_from("123"), st.integers(0, 4), TEXTS)


@given(st.lists(HEARD), st.sampled_from("123"), TEXTS)
def test_what_was_given_since_the_last_restart_is_always_the_beginning_of_one_text(heard, run, whole):
    reading, given_ = Reading(), ""
    for piece in heard:
        reading.hear(*piece)
        given_ = _taken(reading, given_)
        assert reading._made.startswith(given_) or given_.startswith(reading._made)

    reading.end(run, whole)

    for _ in range(2):  # to be told, and to be given
        given_ = _taken(reading, given_)
    assert given_ == whole


def _taken(reading, given_):
    try:
        return given_ + reading.take()
    except Restarted:
        return ""
