"""A device's consumer on a real broker: what it answers, what becomes of the message, where tasks go."""

import signal
import time
from collections import Counter

import pika
import pytest

from broker_config import names
from broker_config.regions import Region
from broker_config.tiers import Tier
from starai.errors import BadInput, Expired, FailedOnDevice
from worker.recovery import FIRST_PAUSE

HOME = names.task_queue(Region.ASIA, Tier.TINY, "all-minilm-l6-v2")


def states(job):
    return [report.state for report in job.reports]


def who(job):
    return job.reports[-1].device


def test_a_task_is_answered_with_started_then_succeeded_by_the_device_in_its_region(broker, start, ask):
    device = start(broker)

    job = ask("take 0.2")

    assert job.result(10).shape == (1,)
    assert states(job) == ["started", "succeeded"]
    assert {(report.device, report.region) for report in job.reports} == {(device.id, "asia")}
    assert len({report.run for report in job.reports}) == 1


def test_a_task_is_acknowledged_when_it_has_ended_and_not_before(broker, start, ask, gates, until):
    device = start(broker)
    ask("gate a")
    until(lambda: device.began("a"))
    device.signal(signal.SIGKILL)
    until(lambda: broker.depth(HOME) == 1)
    gates.open("a")

    second = start(broker)
    until(lambda: "task.ended" in second.log)
    second.signal(signal.SIGTERM)

    assert second.process.wait(10) == 0
    assert broker.depth(HOME) == 0


def test_a_device_runs_as_many_tasks_at_once_as_it_has_slots_and_never_more(broker, start, ask, gates, until):
    device = start(broker, slots=4)
    first = [ask(f"gate a{n}") for n in range(4)]
    until(lambda: all(device.began(f"a{n}") for n in range(4)))
    rest = [ask("hello") for _ in range(12)]
    until(lambda: broker.depth(HOME) >= 8)  # as many may be held as there are other rungs
    assert not any(job.reports for job in rest)

    for n in range(4):
        gates.open(f"a{n}")

    assert max(job.result(10)[0] for job in (*first, *rest)) == 4


def test_a_burst_spreads_evenly_over_like_devices(broker, start, ask, gates, until, consumers):
    [start(broker, slots=4, wait=False) for _ in range(2)]
    until(lambda: consumers() == [8, 2, 2, 2, 2, 2])

    jobs = [ask("gate all") for _ in range(4)]

    until(lambda: all(job.reports for job in jobs))
    gates.open("all")
    [job.result(10) for job in jobs]
    assert sorted(Counter(who(job) for job in jobs).values()) == [2, 2]


def test_a_task_goes_to_the_idle_device_of_its_region_and_abroad_when_that_is_full(
    broker, start, ask, gates, until, consumers
):
    here, abroad = start(broker, "asia", wait=False), start(broker, "europe", wait=False)
    until(lambda: consumers() == [2] * 6)

    first = ask("gate a")
    until(lambda: here.began("a"))
    second = ask("hello")

    second.result(10)
    gates.open("a")
    first.result(10)
    assert (who(first), who(second)) == (here.id, abroad.id)


def test_a_device_serves_a_region_that_has_none(broker, start, ask):
    device = start(broker, "asia")

    job = ask("hello", region="africa")

    job.result(10)
    assert who(job) == device.id


def test_a_full_device_closes_its_rungs_abroad_and_opens_them_when_it_has_been_free(
    broker, start, ask, gates, until, consumers
):
    start(broker)
    job = ask("gate a")

    until(lambda: consumers() == [1, 0, 0, 0, 0, 0])
    gates.open("a")

    job.result(10)
    until(lambda: consumers() == [1] * 6)


def test_what_a_full_device_holds_is_handed_to_another_within_a_second(broker, start, ask, gates, until):
    full = start(broker)
    jobs = [ask("gate a"), ask("gate b", region="europe")]
    until(lambda: full.began("a") or full.began("b"))

    other = start(broker, "europe", wait=False)

    until(lambda: all(job.reports for job in jobs))
    assert {job.reports[0].device for job in jobs} == {full.id, other.id}
    gates.open("a"), gates.open("b")
    [job.result(10) for job in jobs]


def test_a_task_that_is_done_at_once_is_answered_once_and_says_when_it_began(broker, start, ask):
    start(broker)

    job = ask("hello")

    job.result(10)
    assert states(job) == ["succeeded"]
    assert 0 <= job.reports[0].at - job.reports[0].started < 1


def test_the_submitters_fault_ends_the_task_at_once(broker, start, ask, until):
    start(broker)

    job = ask("refuse")

    with pytest.raises(BadInput, match="cannot be taken"):
        job.result(10)
    assert states(job) == ["failed"]
    until(lambda: broker.depth(HOME) == 0)


def test_a_task_that_one_device_cannot_do_is_done_by_another(broker, start, ask, until, consumers):
    broken, other = start(broker, "asia", wait=False), start(broker, "europe", wait=False)
    until(lambda: consumers() == [2] * 6)

    job = ask(f"crash on {broken.id}")

    job.result(10)
    assert who(job) == other.id
    assert "task.failed" in broken.log


def test_a_device_whose_model_failed_takes_nothing_for_a_while_and_then_again(broker, start, ask, until, consumers):
    device = start(broker)

    job = ask("crash")

    until(lambda: "task.failed" in device.log)
    until(lambda: consumers() == [0] * 6)
    paused = time.monotonic()
    until(lambda: device.log.count("task.failed") == 2)
    assert time.monotonic() - paused >= FIRST_PAUSE - 1
    assert not job.done


def test_a_task_that_no_device_can_do_fails_after_its_attempts(broker, start, ask, until, consumers):
    [start(broker, wait=False) for _ in range(3)]
    until(lambda: consumers() == [3] * 6)

    job = ask("crash")

    with pytest.raises(FailedOnDevice, match="the model crashed"):
        job.result(30)
    until(lambda: broker.depth(HOME) == 0)
    assert broker.depth(names.FAILED) == 0


def test_an_expired_task_is_not_run_but_reported(broker, start, ask, gates, until):
    device = start(broker)
    busy = ask("gate a")
    until(lambda: device.began("a"))
    late = ask("gate b", deadline=0.1)
    until(lambda: time.monotonic() - late.submitted > 0.1)
    gates.open("a")

    busy.result(10)
    with pytest.raises(Expired):
        late.result(10)
    assert states(late) == ["expired"]
    assert not device.began("b")


def test_a_submitter_whose_reply_queue_is_full_costs_the_device_nothing(broker, start, ask, until):
    device, url = start(broker), broker.submitter("full")
    reply_to = names.new_reply_queue("full")
    with broker.channel(url) as channel:
        channel.queue_declare(reply_to, durable=True, arguments={"x-max-length": 0, "x-overflow": "reject-publish"})
        channel.queue_bind(reply_to, names.RESULTS, f"{reply_to}.*")
        headers = {"task": names.INFERENCE_TASK, "id": "1"}
        properties = pika.BasicProperties(reply_to=reply_to, user_id="full", headers=headers)
        channel.basic_publish(names.SUBMISSIONS, "asia.all-minilm-l6-v2", b'[[], {"inputs": "x"}, {}]', properties)

    until(lambda: "task.unwanted" in device.log)

    assert ask("hello").result(4).shape == (1,)  # its model was not paused
    assert broker.depth(HOME) == 0


def test_a_device_declares_nothing_at_the_broker(broker, start, ask):
    def declared():
        everything = broker.node.api.definitions(broker.vhost)
        return [part["name"] for kind in ("exchanges", "queues") for part in everything[kind]]

    before = declared()
    device = start(broker)

    ask("hello").result(10)

    assert set(declared()) - set(before) == {names.device_queue(device.id)}  # by who enrolled it
