"""Whether tasks went to the best consumers."""

import pytest

from bench.growth.consumers import placed_well, priorities


@pytest.mark.parametrize("count", [1, 10, 3000])
def test_priorities_are_spread_over_what_the_broker_schedules_by(count):
    offered = priorities(count)

    assert len(offered) == count
    assert offered == sorted(offered, reverse=True)
    assert offered[0] == 127
    assert offered[-1] >= 0


def test_tasks_with_the_best_consumers_are_placed_well_in_any_order():
    assert placed_well([90, 100], [100, 90, 80]) == 1.0


def test_a_task_with_a_worse_consumer_is_not():
    assert placed_well([100, 80], [100, 90, 80]) == 0.5


def test_one_consumer_cannot_have_taken_two():
    assert placed_well([100, 100], [100, 90, 80]) == 0.5
