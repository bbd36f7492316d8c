"""Bytes as text, each in one spelling only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_config.base64url import decode, encode


@given(st.binary(max_size=100))
def test_bytes_come_back_as_they_were(data):
    assert decode(encode(data)) == data


@given(st.text(alphabet="AQgw_-9z=+/ \né", max_size=12))
def test_a_text_is_either_refused_or_the_one_spelling(text):
    try:
        data = decode(text)
    except ValueError:
        return
    assert encode(data) == text


@pytest.mark.parametrize("text", ["A", "AA==", "AB", "A+/A", "AAA\n"])
def test_another_spelling_is_refused_and_not_repeated(text):
    with pytest.raises(ValueError, match="not base64url") as caught:
        decode(text)

    assert caught.value.__cause__ is None
    assert text not in str(caught.value).split()
