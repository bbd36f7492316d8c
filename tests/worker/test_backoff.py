"""How long is waited after failures, without a clock."""

from hypothesis import given
from hypothesis import strategies as st

from worker.backoff import Backoff

SECONDS = st.floats(0.001, 1e4)


def test_each_failure_in_a_row_is_waited_for_twice_as_long_up_to_a_bound():
    backoff = Backoff(5.0, 300.0)

    assert [backoff.after_failure() for _ in range(9)] == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_after_a_success_the_next_failure_is_the_first():
    backoff = Backoff(5.0, 300.0)
    for _ in range(7):
        backoff.after_failure()

    backoff.succeeded()

    assert backoff.after_failure() == 5


@given(SECONDS, SECONDS, st.lists(st.booleans(), max_size=2000))
def test_a_wait_is_never_above_its_bound_nor_shorter_than_the_one_before_in_a_row(first, longest, failures):
    backoff, last = Backoff(first, longest), 0.0
    for failed in failures:
        if failed:
            wait = backoff.after_failure()
            assert min(first, longest) <= wait <= longest
            assert wait >= last
            last = wait
        else:
            backoff.succeeded()
            last = 0.0
