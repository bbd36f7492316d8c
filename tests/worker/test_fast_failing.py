"""A device whose model fails every task, fast: always free, it would be the one that every task is given to."""

import pytest

from starai.errors import FailedOnDevice
from worker.clearance import CLEARED_LATER

TASKS = 50


@pytest.fixture
def corpse(broker, start):
    """A device of this region that fails at the tasks which name it."""
    return start(broker)


def crash_on(device):
    return f"crash on {device.id}"


def attempts(device):
    return device.log.count("task.failed") + device.log.count("task.given_up")


def test_it_gets_few_tasks_and_a_sound_device_answers_all(broker, corpse, start, ask, until, consumers):
    sound = start(broker, wait=False)
    until(lambda: consumers() == [2] * 6)

    jobs = [ask(crash_on(corpse)) for _ in range(TASKS)]

    assert {job.result(30) is not None for job in jobs} == {True}
    assert {job.reports[-1].device for job in jobs} == {sound.id}
    assert attempts(corpse) <= 3


def test_what_it_failed_is_left_to_a_device_that_is_busy(broker, corpse, start, ask, gates, until):
    sound = start(broker)
    ask("gate a")
    until(lambda: corpse.began("a") or sound.began("a"))
    busy = corpse if corpse.began("a") else sound
    failing = sound if busy is corpse else corpse
    job = ask(crash_on(failing))
    until(lambda: attempts(failing) == 1)

    until(lambda: failing.log.count("task.left_to_others") == 2, 40)

    assert attempts(failing) == 1
    assert not job.done
    gates.open("a")
    job.result(CLEARED_LATER + 10)
    assert job.reports[-1].device == busy.id


def test_where_there_is_no_other_device_the_task_fails_and_says_why(corpse, ask):
    with pytest.raises(FailedOnDevice, match="the model crashed"):
        ask(crash_on(corpse)).result(40)

    assert attempts(corpse) == 3
    assert "task.left_to_others" not in corpse.log
