"""Which attempts run too long, and on which connections."""

from datetime import UTC, datetime, timedelta

from registry.sweeping import Running
from starai.submission import LONGEST_LEASE
from tasks.lease_rule import are_called, began, for_results, judged, overran

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def attempt(seconds: float, lease: float | None = None, progressed: float | None = None) -> Running:
    got_on = None if progressed is None else ago(progressed)
    return Running("ann", f"task-{seconds}", "run", "d1", ago(seconds), lease, "reply.ann-1", got_on)


def connection(name: str, calls_itself: str | None, seconds: float) -> dict:
    properties = {"connection_name": calls_itself} if calls_itself else {}
    return {"name": name, "client_properties": properties, "connected_at": ago(seconds).timestamp() * 1000}


def test_an_attempt_overran_beyond_its_own_lease_or_the_usual_one_and_a_margin():
    attempts = [attempt(64), attempt(66), attempt(66, lease=300), attempt(6.5, lease=1)]

    assert overran(attempts, 60, 5, NOW) == [attempts[1], attempts[3]]


def test_an_attempt_that_gets_on_has_its_lease_from_then():
    attempts = [
        attempt(900, progressed=64),
        attempt(900, progressed=66),
        attempt(900, lease=300, progressed=304),
        attempt(900, lease=300, progressed=306),
        attempt(900, lease=1, progressed=5.5),
        attempt(900, lease=1, progressed=6.5),
    ]

    assert overran(attempts, 60, 5, NOW) == attempts[1::2]


def test_no_attempt_goes_on_for_longer_than_the_longest_lease_however_it_gets_on():
    attempts = [attempt(LONGEST_LEASE + 4, progressed=1), attempt(LONGEST_LEASE + 6, progressed=1)]

    assert overran(attempts, 60, 5, NOW) == attempts[1:]
    assert overran([attempt(LONGEST_LEASE + 4, LONGEST_LEASE)], 60, 5, NOW) == []


def test_a_program_calls_the_connection_for_its_results_so():
    connections = [connection("a", "d1 tasks", 9), connection("b", "d1 results", 9), connection("c", "d2 results", 8)]

    assert for_results("d1", connections, {"a", "c"}) == {"b"}
    assert are_called(connections)
    assert began(connections, but={"b"}) == {"a": ago(9), "c": ago(8)}


def test_a_page_says_its_results_where_it_hears_its_orders():
    connections = [connection("a", None, 9), connection("b", None, 9)]

    assert for_results("d1", connections, {"a"}) == {"a"}
    assert for_results("d1", connections, set()) == set()
    assert not are_called(connections)


def test_of_a_connection_that_is_so_new_that_nothing_is_known_of_it_only_its_name_is_told():
    assert began([{"name": "b"}]) == {"b": None}
    assert for_results("d1", [{"name": "b"}], set()) == set()


def test_an_attempt_runs_on_a_connection_that_began_before_it():
    old, new = attempt(100), attempt(10)

    assert judged([old, new], {"a": ago(50)}) == ([new], [old], {"a"})
    assert judged([old], {}) == ([], [old], set())


def test_an_attempt_is_not_judged_while_a_connection_of_its_device_may_be_older():
    old, new = attempt(100), attempt(10)

    assert judged([old, new], {"a": ago(50), "b": None}) == ([new], [], {"a"})
