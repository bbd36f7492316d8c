"""The account of a soak: an exact one is exact, and nothing that is not passes for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soak.account import Told, account
from soak.end import End

ENDED = [End.ANSWERED, End.FAILED, End.EXPIRED, End.CANCELLED, End.REJECTED]
TASKS = st.dictionaries(st.tuples(st.sampled_from("ab"), st.uuids().map(str)), st.sampled_from(ENDED), min_size=1)


def told(tasks):
    return {key: Told(end, "why") for key, end in tasks.items()}


@given(TASKS)
def test_two_sides_that_say_the_same_are_exact_and_add_up(tasks):
    found = account(told(tasks), told(tasks))

    assert found.exact
    assert found.ledger == found.told
    assert sum(found.told.values()) == found.submitted == len(tasks)


@given(TASKS, st.data())
def test_one_task_that_ended_otherwise_or_is_missing_is_named(tasks, data):
    key = data.draw(st.sampled_from(sorted(tasks)))
    other = data.draw(st.sampled_from([end for end in End if end is not tasks[key]]))
    ledger = told(tasks)
    if other is End.UNKNOWN:
        del ledger[key]
    else:
        ledger[key] = Told(other, "why")

    for found in (account(ledger, told(tasks)), account(told(tasks), ledger)):
        assert not found.exact
        assert [(difference.submitter, difference.task) for difference in found.differences] == [key]


def test_a_rejection_whose_submitter_was_killed_in_that_moment_may_be_done_and_nothing_else_may():
    key = ("a", "1")
    done, rejected = told({key: End.ANSWERED}), told({key: End.REJECTED})

    assert account(done, rejected, {key}).exact
    assert account(done, rejected, {key}).unsaid == [key]
    assert not account(done, rejected, {("a", "2")}).exact
    assert not account(done, told({key: End.FAILED}), {key}).exact


def test_a_task_that_both_sides_have_open_is_not_exact():
    assert not account(told({("a", "1"): End.OPEN}), told({("a", "1"): End.OPEN})).exact


@pytest.mark.parametrize("reasons", [("", "why"), ("why", ""), ("", "")])
def test_a_failure_needs_its_reason_on_both_sides(reasons):
    ledger, submitter = ({("a", "1"): Told(End.FAILED, reason)} for reason in reasons)

    found = account(ledger, submitter)

    assert (found.exact, found.unexplained) == (False, [("a", "1")])


def test_a_run_without_tasks_proves_nothing():
    assert not account({}, {}).exact
