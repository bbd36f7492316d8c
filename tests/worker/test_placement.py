"""Which device the broker gives a task: real devices under set loads, on a real broker."""

import pytest

#: The devices of each example, in the order in which they are to be given a task from Asia.
EXAMPLES = {
    "30 % load comes before 60 %": [{"load": 0.3}, {"load": 0.6}],
    "under similar loads the one in the task's region comes first": [
        {"load": 0.4},
        {"load": 0.3, "region": "north-america"},
    ],
    "nearly idle abroad comes before nearly full at home": [{"load": 0.1, "region": "north-america"}, {"load": 0.9}],
    "idle at home that is not sound comes after every sound one": [
        {"load": 0.9},
        {"load": 0.9, "region": "north-america"},
        {"load": 0.0, "sound": False},
    ],
    "the faster one of two like devices comes first": [{"load": 0.3, "speed": 0.7}, {"load": 0.3, "speed": 0.5}],
}


@pytest.mark.parametrize("devices", EXAMPLES.values(), ids=EXAMPLES)
def test_tasks_go_to_the_best_device_that_has_a_free_slot(devices, broker, start, ask, gates, until, consumers):
    begun = []
    for device in reversed(devices):  # the worst one subscribes first: among equals it would be served first
        begun.append(start(broker, wait=False, **device))
        until(lambda: consumers() == [len(begun)] * 6)

    for number, device in enumerate(reversed(begun)):
        ask(f"gate {number}")
        until(lambda number=number: any(each.began(str(number)) for each in begun))
        assert device.began(str(number))


def test_ten_tasks_from_a_region_without_devices_are_served_in_15_s_while_all_are_saturated_at_home(
    broker, start, ask, connect, until, consumers
):
    [start(broker, slots=2, wait=False, load=0.0) for _ in range(3)]
    until(lambda: consumers() == [6, 3, 3, 3, 3, 3])
    backlog = [ask("take 0.3") for _ in range(500)]

    jobs = [ask("take 0.3", region="oceania") for _ in range(10)]

    until(lambda: all(job.done for job in jobs), 15)
    [job.result(0) for job in jobs]
    assert not all(job.done for job in backlog)
