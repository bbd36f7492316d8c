"""Requests to join and their answers, read as a stranger's."""

import json
import math
import traceback

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from broker_config import base64url
from broker_config.proof import is_proof, proof_key
from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.tokens import TokenReason
from tasks.envelope import MAX_MESSAGE, InvalidMessage, sign
from tasks.joining import (
    LIFETIME,
    REQUEST,
    Accepted,
    Credentials,
    Deployment,
    JoinRefused,
    JoinRequest,
    Refusal,
    read_join_answer,
    read_join_request,
    write_acceptance,
    write_join_request,
    write_refusal,
)

NOW = 1_800_000_000.0
SIGNING = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
SEALING = X25519PrivateKey.from_private_bytes(b"x" * 32)
PUBLIC_SEALING = SEALING.public_key().public_bytes_raw()
KEY = proof_key("token", "secret")
PASSWORD = "hunter2hunter2"


def request(**changes) -> JoinRequest:
    plain = {
        "token": "token",
        "signing": SIGNING.public_key().public_bytes_raw(),
        "sealing": PUBLIC_SEALING,
        "name": "Adas 电脑",
        "measurement": {"cpu_model": "AMD EPYC", "gpus": [], "speeds": [{"threads": 1, "gflops": 228.5}]},
        "at": NOW,
    }
    return JoinRequest(**plain | changes)


BODY = write_join_request(request(), SIGNING, KEY)
ACCEPTED = Accepted(
    device="device-1",
    region=Region.ASIA,
    credentials=Credentials(user="device-1", password=SecretStr(PASSWORD)),
    deployments=(Deployment(model="phi3-3.8b", tier=Tier.MEDIUM, slots=2, speed=0.5),),
)
ANSWER = write_acceptance(ACCEPTED, PUBLIC_SEALING, BODY, KEY)


def signed(**changes) -> bytes:
    """A request whose content no honest device writes, with a right signature."""
    content = json.dumps(json.loads(request().model_dump_json()) | changes).encode()
    signature, proof = sign(SIGNING, REQUEST, content), bytes(32)
    plain = {"content": content, "signature": signature, "proof": proof}
    return json.dumps({name: base64url.encode(part) for name, part in plain.items()}).encode()


def flipped(body: bytes, bit: int) -> bytes:
    changed = bytearray(body)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_a_request_is_read_as_it_was_written():
    received = read_join_request(BODY, NOW)

    assert received.request.measurement == request().measurement
    assert received.request.name == "Adas 电脑"
    assert is_proof(received.proof, KEY, REQUEST, received.content)


def test_the_secret_and_its_key_are_not_in_the_request():
    assert KEY not in base64url.decode(json.loads(BODY)["content"])
    assert base64url.encode(KEY).encode() not in BODY


@given(st.integers(0, len(BODY) * 8 - 1))
def test_a_request_with_a_flipped_bit_is_invalid_or_not_proven(bit):
    try:
        received = read_join_request(flipped(BODY, bit), NOW)
    except InvalidMessage:
        return
    assert not is_proof(received.proof, KEY, REQUEST, received.content)


@given(st.integers(0, len(BODY) - 1))
def test_a_truncated_request_is_invalid(length):
    with pytest.raises(InvalidMessage):
        read_join_request(BODY[:length], NOW)


@given(st.binary(max_size=300))
def test_any_other_bytes_are_an_invalid_request(body):
    with pytest.raises(InvalidMessage):
        read_join_request(body, NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
)


@given(st.sampled_from(sorted(JoinRequest.model_fields)), JSON)
def test_a_signed_request_with_any_other_field_is_read_or_refused(field, value):
    try:
        received = read_join_request(signed(**{field: value}), NOW)
    except (InvalidMessage, JoinRefused):
        return
    json.dumps(received.request.measurement, allow_nan=False).encode()


MALFORMED = {
    "an unknown field": {"colour": "blue"},
    "another version": {"version": 2},
    "a short key": {"signing": "AAAA"},
    "a sealing key that hides nothing": {"sealing": base64url.encode(bytes(32))},
    "no name": {"name": ""},
    "a name over two lines": {"name": "a\nb"},
    "a name that turns the text round": {"name": "a\u202eb"},
    "a nonce that is none": {"nonce": "0"},
    "a time that is none": {"at": math.nan},
    "no measurement": {"measurement": None},
    "a number beyond all": {"measurement": {"memory": 2**64}},
    "no number": {"measurement": {"speeds": [math.nan]}},
    "infinity": {"measurement": {"speed": math.inf}},
    "a text that cannot be kept": {"measurement": {"cpu": "a\0b"}},
    "a key that cannot be kept": {"measurement": {"a\0b": 1}},
    "half a character": {"measurement": {"cpu": "\ud800"}},
    "a measurement too deep": {"measurement": {"a": [[[[[[[[1]]]]]]]]}},
    "a measurement far too deep": {"measurement": json.loads('{"a":' * 500 + "1" + "}" * 500)},
    "another's signing key": {"signing": base64url.encode(b"\x11" * 32)},
}


@pytest.mark.parametrize("changes", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_request_that_is_signed_and_malformed_is_refused(changes):
    with pytest.raises(InvalidMessage):
        read_join_request(signed(**changes), NOW)


def test_a_request_beyond_the_size_is_refused_before_it_is_read():
    with pytest.raises(InvalidMessage, match="65,536"):
        read_join_request(BODY + b" " * MAX_MESSAGE, NOW)
    with pytest.raises(InvalidMessage, match="65,536"):
        write_join_request(request(measurement={"a": "x" * MAX_MESSAGE}), SIGNING, KEY)


def test_another_devices_signature_is_refused():
    with pytest.raises(InvalidMessage, match="signature"):
        read_join_request(write_join_request(request(), Ed25519PrivateKey.generate(), KEY), NOW)


@pytest.mark.parametrize("seconds", [-LIFETIME - 1, LIFETIME + 1, 1e12])
def test_a_request_that_is_not_of_now_is_refused(seconds):
    with pytest.raises(JoinRefused, match="clock") as caught:
        read_join_request(BODY, NOW + seconds)
    assert caught.value.reason is Refusal.STALE


@pytest.mark.parametrize("seconds", [-LIFETIME, 0, LIFETIME])
def test_a_request_of_now_is_read(seconds):
    assert read_join_request(BODY, NOW + seconds).request.at == NOW


def test_requests_have_nonces_of_their_own():
    assert len({request().nonce for _ in range(100)}) == 100


def test_an_answer_is_read_as_it_was_written():
    assert read_join_answer(ANSWER, SEALING, BODY, KEY) == ACCEPTED


def test_an_answer_shows_nothing_of_what_is_sealed():
    assert PASSWORD.encode() not in ANSWER
    assert PASSWORD not in repr(ACCEPTED) + str(ACCEPTED) + ACCEPTED.model_dump_json()
    assert set(json.loads(ANSWER)) == {"version", "sealed"}


def test_an_answer_is_for_its_device_and_request_and_from_who_knows_the_token():
    other = write_join_request(request(), SIGNING, KEY)
    for sealing, body, key in [
        (X25519PrivateKey.generate(), BODY, KEY),
        (SEALING, other, KEY),
        (SEALING, BODY, proof_key("token", "another secret")),
    ]:
        with pytest.raises(InvalidMessage, match="cannot be opened"):
            read_join_answer(ANSWER, sealing, body, key)


@given(st.integers(0, len(ANSWER) * 8 - 1))
def test_an_answer_with_a_flipped_bit_is_invalid(bit):
    with pytest.raises(InvalidMessage):
        read_join_answer(flipped(ANSWER, bit), SEALING, BODY, KEY)


@given(st.binary(max_size=200) | st.integers(0, len(ANSWER) - 1).map(lambda length: ANSWER[:length]))
def test_a_truncated_answer_or_any_other_bytes_are_invalid(body):
    with pytest.raises(InvalidMessage):
        read_join_answer(body, SEALING, BODY, KEY)


@pytest.mark.parametrize("refusal", Refusal)
def test_a_refusal_says_why(refusal):
    with pytest.raises(JoinRefused, match="Because") as caught:
        read_join_answer(write_refusal(JoinRefused(refusal, "Because." + "x" * 900)), SEALING, BODY, KEY)
    assert caught.value.reason is refusal


@pytest.mark.parametrize("body", [b'{"version":1}', b'{"version":1,"sealed":"","refusal":"stale"}'])
def test_an_answer_that_is_both_or_neither_is_invalid(body):
    with pytest.raises(InvalidMessage):
        read_join_answer(body, SEALING, BODY, KEY)


def test_a_sealed_answer_that_is_malformed_shows_no_password():
    wrong = ACCEPTED.model_copy(update={"device": "not a device"})
    with pytest.raises(InvalidMessage, match="device is wrong") as caught:
        read_join_answer(write_acceptance(wrong, PUBLIC_SEALING, BODY, KEY), SEALING, BODY, KEY)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_every_reason_of_a_token_is_a_reason_to_refuse():
    assert {reason.value for reason in TokenReason} <= {refusal.value for refusal in Refusal}


def test_a_device_cannot_write_what_would_be_refused():
    with pytest.raises(ValidationError):
        request(measurement={"speed": math.inf})
