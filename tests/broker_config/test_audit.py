"""The audit as a rule: what is found in what the management API tells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_config.audit import Allowance, Finding, Kind, audit
from broker_config.priority import priority
from broker_config.regions import Region

OWN = "inference.asia.tiny.all-minilm-l6-v2"
SOUND, UNSOUND = Allowance(frozenset({OWN}), slots=2), Allowance(frozenset({OWN}), slots=2, sound=False)
REGIONS, SHARES = st.sampled_from(Region), st.floats(0, 1)


def consumer(priority=100, queue=OWN, prefetch=1, user="d1", ack=True, exclusive=False, **arguments):
    return {
        "queue": {"name": queue},
        "channel_details": {"user": user},
        "arguments": {"x-priority": priority, **arguments},
        "prefetch_count": prefetch,
        "ack_required": ack,
        "exclusive": exclusive,
    }


def channel(held=0, user="d1", connection="c1", **statistics):
    return {
        "user": user,
        "connection_details": {"name": connection},
        "messages_unacknowledged": held,
        "message_stats": statistics or [],
    }


def kinds(consumers=(), channels=(), allowance=SOUND):
    return [finding.kind for finding in audit(consumers, channels, {"d1": allowance})]


@given(REGIONS, REGIONS, SHARES, SHARES, st.booleans())
def test_no_priority_that_a_device_has_is_a_finding(home, queue, load, speed, sound):
    price = priority(home=home, queue=queue, load=load, speed=speed, sound=sound)

    assert kinds([consumer(price)], allowance=SOUND if sound else UNSOUND) == []


@pytest.mark.parametrize("price", [-1, 128, 1000])
def test_a_priority_outside_of_its_range_is_found(price):
    assert kinds([consumer(price)]) == [Kind.PRIORITY]


def test_a_priority_of_the_upper_band_is_found_at_a_device_in_bad_standing():
    assert kinds([consumer(63)], allowance=UNSOUND) == []
    assert kinds([consumer(64)], allowance=UNSOUND) == [Kind.PRIORITY]


@pytest.mark.parametrize("prefetch", [0, 2, 2000])
def test_a_prefetch_beyond_a_rungs_is_found_and_none_at_all_is_the_most(prefetch):
    assert kinds([consumer(prefetch=prefetch)]) == [Kind.PREFETCH]


def test_a_consumer_says_nothing_but_its_priority():
    assert kinds([consumer(**{"x-consumer-timeout": 10**9})]) == [Kind.ARGUMENT]


def test_a_queue_is_shared_and_its_own_and_what_is_taken_is_acknowledged():
    assert kinds([consumer(exclusive=True)]) == [Kind.EXCLUSIVE]
    assert kinds([consumer(queue="inference.asia.medium.phi3-3-8b")]) == [Kind.FOREIGN_QUEUE]
    assert kinds([consumer(ack=False)]) == [Kind.AUTOMATIC]
    assert kinds(channels=[channel(get_no_ack=1)]) == kinds(channels=[channel(deliver_no_ack=9)]) == [Kind.AUTOMATIC]


def test_a_device_consumes_its_control_queue_as_it_likes():
    assert kinds([consumer(0, queue="device.d1", prefetch=0)]) == []
    assert kinds([consumer(0, queue="device.d2")]) == [Kind.FOREIGN_QUEUE]


def test_an_inactive_device_consumes_no_task_queue():
    assert kinds([consumer()], allowance=Allowance(frozenset(), slots=2)) == [Kind.FOREIGN_QUEUE]


def test_what_all_channels_of_a_device_hold_counts_together():
    assert kinds(channels=[channel(SOUND.held - 1), channel(1)]) == []
    assert kinds(channels=[channel(SOUND.held - 1), channel(2)]) == [Kind.HOARD]


def test_more_connections_or_channels_than_its_role_allows_are_found():
    assert kinds(channels=[channel(connection=f"c{n}") for n in range(6)]) == []
    assert kinds(channels=[channel(connection=f"c{n}") for n in range(7)]) == [Kind.CONNECTIONS]
    assert kinds(channels=[channel() for _ in range(9)]) == [Kind.CHANNELS]


def test_each_kind_is_found_once_a_device_and_a_second_look_at_it_is_equal():
    first = audit([consumer(1000), consumer(2000)], [], {"d1": SOUND})
    second = audit([consumer(3000)], [], {"d1": SOUND})

    assert first == second == [Finding("d1", Kind.PRIORITY)]
    assert (first[0].detail, second[0].detail) == (f"1000 on {OWN}", f"3000 on {OWN}")


def test_others_than_devices_are_no_concern_of_the_audit():
    orphan = consumer() | {"channel_details": []}

    assert kinds([consumer(1000, user="platform"), orphan], [channel(10_000, user="ann")]) == []


def test_a_channel_that_is_so_new_that_the_broker_has_no_details_counts_by_what_it_holds():
    assert kinds([], [channel(1000) | {"connection_details": []}]) == [Kind.HOARD]
