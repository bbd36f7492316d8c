"""Stop strings, whatever pieces a text comes in."""

from hypothesis import given
from hypothesis import strategies as st

from models.stop_strings import StopStrings

TEXTS = st.text("ab", max_size=30)
STOPS = st.lists(st.text("ab", min_size=1, max_size=4), max_size=3)


@st.composite
def pieces(draw):
    text = draw(TEXTS)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    return [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def ended(text, stops):
    """Return the text before the first stop string that is complete first."""
    for end in range(len(text) + 1):
        places = [text[:end].find(stop) for stop in stops if text[:end].find(stop) >= 0]
        if places:
            return text[: min(places)]
    return text


@given(pieces(), STOPS)
def test_what_is_shown_is_the_text_before_the_first_stop_string(pieces, stops):
    known = StopStrings(stops)

    shown = "".join(known.feed(piece) for piece in pieces) + known.flush()

    assert not any(stop in shown for stop in stops)
    assert "".join(pieces).startswith(shown)
    assert known.met == any(stop in "".join(pieces) for stop in stops)


@given(TEXTS, STOPS)
def test_one_character_at_a_time_it_ends_where_a_stop_string_is_first_complete(text, stops):
    known = StopStrings(stops)

    shown = "".join(map(known.feed, text)) + known.flush()

    assert shown == ended(text, stops)


def test_what_cannot_begin_a_stop_string_is_shown_at_once():
    known = StopStrings(["\nUser:"])

    assert known.feed("Hello") == "Hello"
    assert known.feed(" there\nUs") == " there"
    assert known.feed("e this") == "\nUse this"
