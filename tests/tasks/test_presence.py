"""What Flower is told of who is there."""

import pytest

from tasks.presence import Presence, Seen

SERVING = {"device-1": 4, "device-2": 2}


def kinds(events: list[dict]) -> list[tuple[str, str]]:
    return [(event["type"].removeprefix("worker-"), event["hostname"]) for event in events]


def test_a_device_that_comes_is_online_and_one_that_goes_offline() -> None:
    presence = Presence()
    came = presence.events(Seen(SERVING, {"device-1": 0}, {}))
    went = presence.events(Seen(SERVING, {}, {}))

    assert ("online", "device-1") in kinds(came)
    assert ("heartbeat", "device-1") in kinds(came)
    assert kinds(went) == [("offline", "device-1"), ("heartbeat", "platform")]


def test_a_device_that_does_not_serve_and_a_stranger_are_not_told_of() -> None:
    events = Presence().events(Seen({"device-1": 4}, {"device-2": 1, "ann": 0, "platform": 9}, {}))

    assert {hostname for _, hostname in kinds(events)} == {"platform"}


def test_a_heartbeat_says_what_the_broker_and_the_ledger_know() -> None:
    (beat,) = (
        event
        for event in Presence().events(Seen(SERVING, {"device-1": 3}, {"device-1": 70}))
        if event["type"] == "worker-heartbeat" and event["hostname"] == "device-1"
    )

    assert (beat["active"], beat["processed"], beat["loadavg"]) == (3, 70, [0.75, 0.75, 0.75])


def test_the_load_is_averaged_over_a_minute_five_and_fifteen() -> None:
    presence = Presence()
    presence.events(Seen(SERVING, {"device-1": 0}, {}))
    for _ in range(12):
        events = presence.events(Seen(SERVING, {"device-1": 4}, {}))

    one, five, fifteen = next(event["loadavg"] for event in events if event["hostname"] == "device-1")
    assert one == pytest.approx(0.63, abs=0.02)
    assert 1 > one > five > fifteen > 0
