"""Requests to join that are refused: each for its own reason, and nothing of them stays."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from registry.device_keys import rotate
from registry.device_state import DeviceState
from registry.devices import enrolled_devices
from registry.states import set_state
from registry.tables import SeenNonce
from registry.tokens import revoke_token
from registry.transfer import transfer_device
from starai.errors import BrokerUnreachable
from tasks.enrolment import handle_join
from tasks.joining import Refusal

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_another_device_finds_the_token_used_up(device):
    device.send(device.request())
    device.signing = Ed25519PrivateKey.generate()

    assert device.refused(device.request()) is Refusal.USED_UP
    assert len(enrolled_devices(device.registry)) == 1


def test_a_token_of_several_uses_lets_as_many_devices_join(registry, new_device):
    device = new_device(uses=2)
    for _ in range(2):
        device.send(device.request())
        device.signing = Ed25519PrivateKey.generate()

    assert device.refused(device.request()) is Refusal.USED_UP
    assert len(enrolled_devices(registry)) == 2


def test_a_request_that_is_sent_again_is_refused(device):
    body = device.request()
    device.send(body)

    assert device.refused(body) is Refusal.REPLAYED
    assert len(device.users) == 1


def test_a_request_is_refused_again_after_its_first_refusal_too(device):
    device.broken = BrokerUnreachable("No RabbitMQ answered.")
    body = device.request()
    assert device.refused(body) is Refusal.UNAVAILABLE

    assert device.refused(body) is Refusal.REPLAYED


def test_a_nonce_is_kept_for_as_long_as_its_time_lets_a_request_pass(device):
    ahead = device.request(at=NOW + timedelta(seconds=300))
    device.send(ahead)
    late = NOW + timedelta(seconds=600)
    device.send(device.request(at=late), late)

    assert device.refused(ahead, late) is Refusal.REPLAYED
    assert device.refused(ahead, late + timedelta(seconds=1)) is Refusal.STALE


def test_a_request_of_six_minutes_ago_is_refused(device):
    assert device.refused(device.request(at=NOW - timedelta(minutes=6))) is Refusal.STALE


def test_every_fault_of_a_token_has_a_reason_of_its_own(registry, new_device):
    device, other, revoked = new_device(), new_device(), new_device()
    revoke_token(registry, revoked.token, NOW)
    week = NOW + timedelta(days=7)

    assert device.refused(device.request(token="nobodys")) is Refusal.UNKNOWN_TOKEN
    assert device.refused(device.request(token=other.token)) is Refusal.WRONG_PROOF
    assert revoked.refused(revoked.request()) is Refusal.REVOKED
    assert device.refused(device.request(at=week), week) is Refusal.EXPIRED


def test_a_request_without_a_proof_leaves_no_nonce(device):
    device.refused(device.request(token="nobodys"))
    device.key = bytes(32)
    device.refused(device.request())

    assert device.registry.exec(select(SeenNonce)).all() == []


def test_a_device_that_gave_its_key_up_does_not_join_with_it(device):
    accepted = device.send(device.request())
    rotate(device.registry, accepted.device, device.signing.public_key().public_bytes_raw(), bytes(32), bytes(32))

    assert device.refused(device.request()) is Refusal.RETIRED_KEY


def test_a_device_joins_another_owner_only_after_a_transfer(device, new_device):
    accepted = device.send(device.request())
    bobs = new_device(owner="bob")
    bobs.signing = device.signing
    assert bobs.refused(bobs.request()) is Refusal.OTHER_OWNER

    transfer_device(device.registry, accepted.device, "bob", "sold")

    assert bobs.send(bobs.request()).device == accepted.device


def test_a_blacklisted_device_is_refused_and_told_so(device):
    accepted = device.send(device.request())
    set_state(device.registry, accepted.device, DeviceState.BLACKLISTED, "it lied")

    assert device.refused(device.request()) is Refusal.BLACKLISTED
    assert len(device.users) == 1


def refuse_for_nothing_fits(device) -> Refusal:
    device.planned = []
    return device.refused(device.request())


def refuse_for_a_measurement_that_is_none(device) -> Refusal:
    return device.refused(device.request(measurement={}))


def refuse_for_a_figure_that_cannot_be_kept(device) -> Refusal:
    plan = device.plan
    device.plan = lambda name, said: plan(name, said | {"memory": 2**70})
    return device.refused(device.request())


def refuse_for_a_broker_that_is_away(device) -> Refusal:
    device.broken = BrokerUnreachable("No RabbitMQ answered.")
    return device.refused(device.request())


@pytest.mark.parametrize(
    ("refuse", "reason"),
    [
        (refuse_for_nothing_fits, Refusal.NOTHING_FITS),
        (refuse_for_a_measurement_that_is_none, Refusal.MALFORMED),
        (refuse_for_a_figure_that_cannot_be_kept, Refusal.MALFORMED),
        (refuse_for_a_broker_that_is_away, Refusal.UNAVAILABLE),
    ],
)
def test_a_device_that_is_refused_half_way_leaves_nothing_and_spends_no_use(device, refuse, reason):
    assert refuse(device) is reason

    assert enrolled_devices(device.registry) == []
    assert device.uses_left() == 1


def test_what_was_refused_for_now_may_be_asked_again(device):
    refuse_for_a_broker_that_is_away(device)
    device.broken = None

    assert device.send(device.request()).device == device.users[0]


def test_the_platforms_own_troubles_are_not_told(device):
    device.broken = BrokerUnreachable("No RabbitMQ answered at 10.0.0.7.")
    body = device.request()

    assert b"10.0.0.7" not in handle_join(device.registry, body, NOW, device.plan, device.make_user)


def test_every_refusal_is_an_event_with_its_reason_and_no_secret(device, caplog):
    device.refused(device.request(token="nobodys"))
    device.refused(b"junk")

    assert [(record.getMessage(), record.reason) for record in caplog.records] == [
        ("join.refused", "unknown-token"),
        ("join.refused", "malformed"),
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_done_to_a_request_the_answer_is_a_refusal(device, data):
    body = device.request()
    bit = data.draw(st.integers(0, len(body) * 8 - 1))
    flipped = bytearray(body)
    flipped[bit // 8] ^= 1 << bit % 8
    junk = data.draw(st.sampled_from([bytes(flipped), body[: bit // 8], body[bit // 8 :][1:]]) | st.binary(max_size=99))

    assert device.refused(junk) in {Refusal.MALFORMED, Refusal.WRONG_PROOF}
    assert enrolled_devices(device.registry) == []
