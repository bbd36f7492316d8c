"""What a device is told of its standing."""

import json
from datetime import timedelta

import pytest

from broker_config.regions import Region
from registry.columns import now
from registry.database import session
from registry.devices import enrol_device
from registry.failures import count_failure
from registry.health_state import Check
from registry.owners import add_owner
from registry.standing_rule import StandingSettings
from registry.tables import EventKind
from tasks.envelope import MAX_MESSAGE, read
from tasks.greeting import Standing
from tasks.health.standing_answer import Standings

SETTINGS = StandingSettings()


@pytest.fixture
def standings(engine):
    with session(engine) as registry:
        add_owner(registry, "owner")
        for name in ("device-1", "device-2"):
            enrol_device(registry, name, "owner", Region.ASIA)
    return Standings(engine, SETTINGS)


def test_a_device_is_told_how_it_stands_and_why(standings, engine):
    with session(engine) as registry:
        count_failure(
            registry, "device-1", EventKind.CHECK_FAILED, "it is hot", now(), settings=SETTINGS, check=Check.GPU
        )

    told = read(Standing, standings.answer("device-1", b"{}"))

    assert (told.device, told.owner, told.region, told.state) == ("device-1", "owner", Region.ASIA, "inactive")
    assert told.trust == pytest.approx(0.9, abs=0.001)
    assert (told.sound, told.demoted_below, told.condition) == (True, SETTINGS.demoted_below, "unknown")
    [event] = told.events
    assert (event.kind, event.check, event.reason, event.cost) == ("check-failed", "gpu", "it is hot", 0.1)


@pytest.mark.parametrize("body", [b"{}", b"", b'{"device": "device-2"}', b"\xff" * 100])
def test_whatever_it_writes_it_hears_of_itself_alone(standings, body):
    assert json.loads(standings.answer("device-1", body))["device"] == "device-1"


@pytest.mark.parametrize("user", [None, "", "platform", "device-9"])
def test_who_is_no_device_is_told_nothing(standings, user):
    assert standings.answer(user, b"{}") == b"{}"


def test_the_longest_history_fits_into_an_answer(standings, engine):
    with session(engine) as registry:
        for number in range(50):
            at = now() - timedelta(seconds=number)
            count_failure(registry, "device-1", EventKind.SILENT, "\u4e2d" * 500, at, settings=SETTINGS)

    answer = standings.answer("device-1", b"{}")

    assert len(answer) < MAX_MESSAGE
    assert len(read(Standing, answer).events) == 20
