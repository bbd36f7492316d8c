"""A device asks how it stands, over a real broker, and the platform answers it, about itself alone."""

import json

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
from tests.worker.commands import command
from worker.enrolment import load_enrolment
from worker.standing_question import ask_standing


@pytest.fixture
def known(registry, platform, monkeypatch):
    """Two devices of ann, of which one has failed."""
    monkeypatch.setattr("worker.standing_question.ANSWERED_WITHIN", 30.0)  # a busy machine is no failure
    with session(registry) as opened:
        add_owner(opened, "ann")
        for name in ("hot", "cool"):
            enrol_device(opened, name, "ann", Region.ASIA)
        kind, settings = EventKind.CHECK_FAILED, StandingSettings()
        count_failure(opened, "hot", kind, "it is hot", now(), settings=settings, check=Check.GPU)


@pytest.fixture
def asked(broker, enrol):
    """Return a function that asks as a device of that name."""
    return lambda name: ask_standing(load_enrolment(enrol(broker, name, "asia", 1)))


def test_a_device_that_asks_is_told_whose_it_is_how_far_it_is_trusted_and_why(known, asked):
    told = asked("hot").standing

    assert (told.device, told.owner, told.region, told.state) == ("hot", "ann", Region.ASIA, "inactive")
    assert told.trust == pytest.approx(0.9, abs=0.001)
    [event] = told.events
    assert (event.kind, event.check, event.reason, event.cost) == ("check-failed", "gpu", "it is hot", 0.1)


def test_a_device_is_told_nothing_of_another(known, asked):
    told = asked("cool").standing

    assert (told.device, told.trust, told.events) == ("cool", 1.0, ())


def test_a_device_that_the_network_does_not_know_is_told_that_it_cannot_say(known, asked):
    told = asked("stranger")

    assert told.standing is None
    assert "cannot say at the moment" in told.problem


def test_the_owner_who_asks_for_the_status_gets_it_from_the_network(known, broker, enrol):
    run = command("status", "--json", "--enrolment", enrol(broker, "hot", "asia", 1))

    found = json.loads(run.stdout)
    assert (found["problem"], found["standing"]["device"]) == (None, "hot")
    assert [event["reason"] for event in found["standing"]["events"]] == ["it is hot"]
