"""Join tokens: one word, read strictly, silent about their secrets."""

import hashlib
import json
import secrets
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from broker_config import base64url
from broker_config.address import parameters, safe_address
from broker_config.errors import InvalidToken
from broker_config.join_token import JoinToken, parse
from broker_config.proof import is_proof, proof, proof_key

SECRET = secrets.token_urlsafe(32)
PASSWORD = "hunter2hunter2"
PLAIN = JoinToken(
    host="127.0.0.1",
    port=5672,
    vhost="starai",
    tls=False,
    user="bootstrap",
    password=SecretStr(PASSWORD),
    id="0123456789abcdef",
    secret=SecretStr(SECRET),
)
TLS = PLAIN.model_copy(update={"host": "broker.example", "port": 5671, "tls": True, "ca": "ab" * 32})
WEB = TLS.model_copy(update={"web": 15673})
TOKENS = st.sampled_from([PLAIN, TLS, WEB])


def forged(**changes) -> str:
    """A token with other content and a right checksum."""
    content = json.loads(base64url.decode(PLAIN.encode().removeprefix("starai-"))[:-4]) | changes
    return sealed(json.dumps(content).encode())


def sealed(content: bytes) -> str:
    return "starai-" + base64url.encode(content + hashlib.sha256(content).digest()[:4])


@pytest.mark.parametrize("token", [PLAIN, TLS, WEB])
def test_a_token_is_read_as_it_was_written(token):
    assert parse(token.encode()) == token


def test_a_token_without_web_stomp_says_nothing_of_it():
    assert b"web" not in base64url.decode(PLAIN.encode().removeprefix("starai-"))
    assert parse(PLAIN.encode()).web is None


def test_a_token_is_one_word_that_a_terminal_takes():
    assert set(TLS.encode()) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    assert TLS.encode().startswith("starai-")
    assert len(TLS.encode()) < 600


def test_a_token_that_the_terminal_has_wrapped_is_read():
    word = PLAIN.encode()

    assert parse(f"  {word[:80]}\r\n{word[80:]}\n") == PLAIN


def test_a_token_shows_no_secret():
    shown = f"{PLAIN!r} {PLAIN} {PLAIN.model_dump_json()} {PLAIN.model_dump()}"

    assert SECRET not in shown
    assert PASSWORD not in shown


def test_the_bootstrap_address_is_one_that_the_broker_takes():
    token = PLAIN.model_copy(update={"password": SecretStr("a/b@c:%"), "vhost": "a/b"})

    assert parameters(token.bootstrap_address()).credentials.password == "a/b@c:%"
    assert parameters(token.bootstrap_address()).virtual_host == "a/b"
    assert safe_address(TLS.bootstrap_address()) == "amqps://bootstrap@broker.example:5671/starai"


def test_the_address_of_an_ipv6_host_is_in_brackets():
    assert "@[::1]:5672/" in PLAIN.model_copy(update={"host": "::1"}).bootstrap_address()


@given(TOKENS, st.data())
def test_a_mistyped_token_is_told_to_be_mistyped(token, data):
    word = token.encode()
    place = data.draw(st.integers(len("starai-"), len(word) - 1))
    other = data.draw(st.sampled_from([c for c in "abcXYZ019-_" if c != word[place]]))

    with pytest.raises(InvalidToken, match="mistyped"):
        parse(word[:place] + other + word[place + 1 :])


@given(TOKENS, st.data())
def test_a_token_without_its_end_is_told_to_be_incomplete(token, data):
    end = data.draw(st.integers(len("starai-"), len(token.encode()) - 1))

    with pytest.raises(InvalidToken, match="missing"):
        parse(token.encode()[:end])


@pytest.mark.parametrize("text", ["", "starai", "hello", "starai" + "-" * 5000, "Starai-abc"])
def test_a_text_of_another_form_is_told_to_be_none(text):
    with pytest.raises(InvalidToken, match="no join token"):
        parse(text)


@given(st.text(max_size=40) | st.text(max_size=40).map("starai-{}".format))
def test_any_text_is_a_token_or_invalid(text):
    with pytest.raises(InvalidToken):
        parse(text)


FORGED = {
    "not JSON": sealed(b"{"),
    "not UTF-8": sealed(b"\xff"),
    "a list": sealed(b"[]"),
    "nested too deeply": sealed(b"[" * 3000),
    "an unknown field": forged(colour=SECRET),
    "a port that is none": forged(port=70000),
    "a port of web STOMP that is none": forged(web=0),
    "a host that is none": forged(host="a b"),
    "a secret as a list": forged(secret=[SECRET]),
    "a short secret": forged(secret=SECRET[:20]),
    "an authority without TLS": forged(ca="ab" * 32),
    "TLS without an authority": forged(tls=True),
}


@pytest.mark.parametrize("text", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_is_told_apart_and_nothing_of_it_is_shown(text):
    with pytest.raises(InvalidToken, match="checksum is right") as caught:
        parse(text)

    shown = "".join(traceback.format_exception(caught.value))
    assert SECRET[:20] not in shown
    assert PASSWORD not in shown
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_token_of_another_release_says_to_update():
    with pytest.raises(InvalidToken, match="another release"):
        parse(forged(version=2))


def test_a_token_cannot_name_an_authority_without_tls():
    with pytest.raises(ValidationError, match="authority"):
        JoinToken(**PLAIN.model_dump() | {"ca": "ab" * 32})


def test_a_proof_is_right_for_its_token_secret_purpose_and_content_only():
    key = proof_key("id", SECRET)
    given = proof(key, "join", b"content")

    assert is_proof(given, proof_key("id", SECRET), "join", b"content")
    assert not is_proof(given, proof_key("di", SECRET), "join", b"content")
    assert not is_proof(given, proof_key("id", SECRET[::-1]), "join", b"content")
    assert not is_proof(given, key, "leave", b"content")
    assert not is_proof(given, key, "join", b"contents")
    assert not is_proof(b"", key, "join", b"content")
