"""Broker addresses: read strictly, shown without the password."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_config.address import BadAddress, parameters, safe_address, user_of

# Marked, so that no password happens to be a part of the rest of the address.
PASSWORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(lambda text: f"Q{text}Q")


@given(PASSWORDS)
def test_an_address_is_read_with_any_password_and_shown_without_it(password):
    url = f"amqps://ann:{quote(password, safe='')}@broker.example:5673/starai"

    assert parameters(url).credentials.password == password
    assert safe_address(url) == "amqps://ann@broker.example:5673/starai"


@given(PASSWORDS)
def test_a_password_that_was_not_encoded_is_never_shown(password):
    url = f"amqp://ann:{password}@broker.example:5673/starai"

    try:
        shown = safe_address(url)
    except BadAddress as error:
        shown = str(error)
    assert password not in shown


@pytest.mark.parametrize("password", ["12/secret", "12?secret", "12#secret", "a/secret", "[secret", "se@cret"])
def test_no_part_of_a_password_that_cuts_the_address_is_shown(password):
    url = f"amqp://ann:{password}@broker/starai"

    try:
        shown = safe_address(url)
    except BadAddress as error:
        shown = str(error)
    assert "cret" not in shown
    assert "12" not in shown


@pytest.mark.parametrize(
    "url",
    [
        "",
        "broker",
        "http://broker",
        "amqp://",
        "amqp:///starai",
        "amqp://h:port/",
        "amqp://h:99999/",
        "amqp://[::1/",
        "amqp://ann@h/",
        "amqp://h/?heartbeat=soon",
        "amqp://h/?nonsense=1",
        "amqp://h/?ssl_options={",
        "amqps://h/?ssl_options={'ca_certs':'/no/such/file'}",
        "amqp://h/?tcp_options=(",
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(BadAddress):
        parameters(url)


def test_an_ipv6_address_keeps_its_brackets():
    assert safe_address("amqps://ann:secret@[::1]:5671/v") == "amqps://ann@[::1]:5671/v"


def test_options_are_not_shown():
    assert safe_address("amqp://h/v?heartbeat=3") == "amqp://h/v"


def test_the_user_is_read_back_decoded_and_is_guest_where_none_is_named():
    assert user_of("amqp://a%2Db:x@h/") == "a-b"
    assert user_of("amqp://h/") == "guest"
