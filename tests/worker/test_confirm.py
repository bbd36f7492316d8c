"""What becomes of a task's message when the broker has, or has not, what was said of the task; without a broker."""

import time

import numpy as np
import pytest
from pydantic import SecretStr

from broker_config.link import Link
from broker_config.regions import Region
from broker_config.tiers import Tier
from models.entry import Kind
from starai.errors import BrokerUnreachable, ModelCrashed, PublishRejected
from tasks.deployment import Deployment
from tasks.message import Task
from worker.device import CONFIRMED_WITHIN, Device, Verdict
from worker.enrolment import Enrolment
from worker.rung import Delivery

MODEL = "all-minilm-l6-v2"


class Ones:
    pid = None

    kind = Kind.EMBED

    def run(self, inputs, timeout, stop=None):
        if "crash" in inputs:
            raise ModelCrashed("gone")
        return np.ones((len(inputs), 1), np.float32)

    def close(self):
        pass


@pytest.fixture
def published(monkeypatch):
    """Everything that a link was given, in its order; nothing leaves."""
    publications = []
    monkeypatch.setattr(Link, "_put", lambda self, some: publications.extend(some))
    return publications


@pytest.fixture
def device():
    enrolment = Enrolment(
        device="device",
        region=Region.ASIA,
        url=SecretStr("amqp://device:secret@127.0.0.1:1/starai"),
        deployments=[Deployment(model=MODEL, tier=Tier.TINY)],
    )
    return Device(enrolment, {MODEL: Ones()})


@pytest.fixture
def work(device):
    """Return a function that does a task, and returns the verdicts that were handed on so far."""

    def begin(text="a", expires=None):
        verdicts = []
        task = Task("id", "reply.me-1", text, expires, None, 0)
        delivery = Delivery(device.ladders[0].rungs[0], 1, task, time.monotonic())
        device.work(delivery, lambda done, verdict: verdicts.append(verdict))
        return verdicts

    return begin


def test_a_task_is_acknowledged_once_the_broker_has_its_result_and_nobody_waits_for_that(published, work):
    verdicts = work()
    assert verdicts == []

    published[0].settle()

    assert verdicts == [Verdict.ACKNOWLEDGE]


def test_a_result_that_a_full_reply_queue_refuses_costs_the_device_nothing(published, work):
    verdicts = work()

    published[0].settle(PublishRejected("full"))

    assert verdicts == [Verdict.ACKNOWLEDGE]


def test_a_task_whose_result_was_lost_is_returned(published, work):
    verdicts = work()

    published[0].settle(BrokerUnreachable("closed"))

    assert verdicts == [Verdict.RETURN]


def test_a_task_whose_result_is_not_confirmed_in_time_is_returned(published, work, device):
    early, late = work(), work()
    published[0].settle()

    device.give_up_unconfirmed(time.monotonic() + CONFIRMED_WITHIN - 1)
    assert (early, late) == ([Verdict.ACKNOWLEDGE], [])
    device.give_up_unconfirmed(time.monotonic() + CONFIRMED_WITHIN)

    assert late == [Verdict.RETURN]
    assert published[1].confirmed.cancelled()


def test_a_task_that_the_model_could_not_do_is_returned_at_once(published, work):
    assert work("crash") == [Verdict.RETURN]
    assert [publication.key for publication in published] == ["reply.me-1.requeued"]


@pytest.mark.parametrize(("ahead", "end"), [(-3600, "succeeded"), (0, "expired"), (3600, "expired")])
def test_a_task_has_expired_when_it_has_by_the_networks_clock(published, work, device, ahead, end):
    device._clock.tell(int(time.time()) + ahead)

    work(expires=time.time() - 60)

    assert [publication.key for publication in published] == [f"reply.me-1.{end}"]
