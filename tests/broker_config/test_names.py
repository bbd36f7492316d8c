"""Names on the wire."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from broker_config import names
from broker_config.errors import InvalidName
from broker_config.regions import Region
from broker_config.tiers import Tier
from broker_config.topology import HostedModel, model_topology

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?", fullmatch=True)


@given(NAMES)
def test_a_wire_name_has_no_dots_and_is_its_own_wire_name(name):
    wire = names.wire_name(name)

    assert "." not in wire
    assert names.wire_name(wire) == wire


@given(st.text(max_size=70))
def test_a_text_is_a_wire_name_or_refused(text):
    try:
        wire = names.wire_name(text)
    except InvalidName:
        return
    assert wire.isascii()
    assert 1 <= len(wire) <= 63


@pytest.mark.parametrize("name", ["", "-a", "a-", ".", "Llama", "a b", "a_b", "a/b", "a#", "a*", "é", "a\n", "a" * 64])
def test_what_cannot_stand_in_a_key_is_refused(name):
    with pytest.raises(InvalidName, match="cannot be a name here"):
        names.wire_name(name)


def test_a_long_wrong_name_is_not_repeated_whole():
    with pytest.raises(InvalidName) as refused:
        names.wire_name("A" * 10_000)

    assert len(str(refused.value)) < 300


@given(NAMES, st.sampled_from(Region), st.sampled_from(Tier), st.booleans())
def test_a_submission_key_is_bound_to_one_queue_of_its_region(model, region, tier, is_default):
    assume(model not in set(map(str, Tier)))
    bindings = model_topology(HostedModel(model, tier, is_default)).bindings

    for target in [model, *([str(tier)] if is_default else [])]:
        key = names.submission_key(region, target)
        assert [b.destination for b in bindings if b.key == key] == [names.task_queue(region, tier, model)]
        assert key.count(".") == 1


@given(NAMES)
def test_a_new_reply_queue_is_its_users_own(name):
    user = names.wire_name(name)

    assert names.is_reply_queue(names.new_reply_queue(user), user)


@given(NAMES, NAMES)
def test_a_reply_queue_is_nobody_elses(one, other):
    one, other = names.wire_name(one), names.wire_name(other)
    assume(one != other)

    assert not names.is_reply_queue(names.new_reply_queue(one), other)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "reply.",
        "reply.ann",
        "reply.ann-",
        "reply.ann-xyz",
        "reply.ann-AB",
        "ann-ab",
        "results.ann-ab",
        "reply.-ab",
        "reply.ann-ab.started",
        "reply.ann-ab\n",
        "reply.ann-b-ab",
        "reply.reply.ann-ab",
        "reply.ann-" + "a" * 33,
    ],
)
def test_what_only_looks_like_a_reply_queue_is_none(name):
    assert not names.is_reply_queue(name, "ann")


def test_two_reply_queues_of_one_user_differ():
    assert names.new_reply_queue("ann") != names.new_reply_queue("ann")
