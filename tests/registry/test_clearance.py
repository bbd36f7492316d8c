"""Whether a task that came back may be started once more, on SQLite and PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from broker_config.tiers import Tier
from registry.clearance import Clearance, Return, Verdict, attempts_made, clear, decide
from registry.deployments import Planned, deploy
from registry.task_state import Action, Outcome, TaskState
from registry.task_tables import Attempt, Task, TaskAction
from starai.errors import RegistryError

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MODEL = "phi3-3.8b"
MOST = 3


def returned(run: str = "new", *, began_unasked: bool = True, model: str = MODEL) -> Return:
    return Return("ann", "t1", run, model, began_unasked)


def attempt(run: str, device: str = "device-9", *, cleared: bool = True, **more: object) -> Attempt:
    defaults = {"started_at": NOW - timedelta(seconds=60)}
    return Attempt(submitter="ann", task="t1", run=run, device=device, cleared=cleared, **defaults | more)


def task(**more: object) -> Task:
    defaults = {"model": "phi3-3-8b", "reply_to": "reply.ann-1a", "expires_at": NOW + timedelta(minutes=10)}
    return Task(submitter="ann", id="t1", **defaults | more)


@pytest.fixture
def ledger(registry: Session) -> Session:
    """A registry in which `device-1` hosts the model."""
    deploy(registry, "device-1", [Planned(MODEL, Tier.MEDIUM)])
    return registry


def ask(ledger: Session, run: str = "new", at: datetime = NOW, **more: object) -> Clearance:
    return clear(ledger, "device-1", returned(run, **more), at, MOST)


def attempts(ledger: Session) -> dict[str, tuple[str, bool]]:
    ledger.flush()
    return {found.run: (found.outcome, found.cleared) for found in ledger.exec(select(Attempt))}


def actions(ledger: Session) -> list[tuple[str, str]]:
    return [(found.action, found.reason) for found in ledger.exec(select(TaskAction))]


def test_a_task_that_came_back_is_started_and_the_attempt_counted(ledger: Session):
    ledger.add(task())

    assert ask(ledger) == Clearance(Verdict.START, 2, reply_to="reply.ann-1a")
    assert attempts(ledger) == {"new": (Outcome.RUNNING, True)}


def test_a_task_that_the_ledger_does_not_know_yet_is_started_and_counted(ledger: Session):
    assert [ask(ledger, run).verdict for run in "abc"] == [Verdict.START, Verdict.START, Verdict.USED_UP]


def test_asking_again_for_the_same_attempt_changes_nothing(ledger: Session):
    ledger.add(task())
    first = ask(ledger)

    assert [ask(ledger) for _ in range(5)] == [first] * 5
    assert attempts(ledger) == {"new": (Outcome.RUNNING, True)}


def test_an_attempt_that_the_device_told_of_before_it_was_cleared_counts_once(ledger: Session):
    ledger.add_all([task(), attempt("new", "device-1", cleared=False)])

    assert ask(ledger).attempt == 2
    assert attempts(ledger) == {"new": (Outcome.RUNNING, True)}


def test_the_attempts_of_others_that_still_seemed_to_run_are_lost(ledger: Session):
    ended = attempt("ended", outcome=Outcome.FAILED)
    ledger.add_all([task(), attempt("running", cleared=False), ended])

    ask(ledger)

    assert attempts(ledger) == {
        "running": (Outcome.LOST, False),
        "ended": (Outcome.FAILED, True),
        "new": (Outcome.RUNNING, True),
    }


def test_a_task_whose_attempts_are_used_up_is_not_started_and_its_submitter_hears_where_it_was(ledger: Session):
    ledger.add_all([task(), attempt("a", "device-8"), attempt("b", started_at=NOW - timedelta(seconds=30))])

    clearance = ask(ledger)

    assert clearance.verdict is Verdict.USED_UP
    assert clearance.reason == ("It was begun 3 times, and each time the device ended or failed (device-8, device-9).")
    assert actions(ledger) == [(Action.FAILED, clearance.reason)]
    assert "new" not in attempts(ledger)


@pytest.mark.parametrize("state", [TaskState.SUCCEEDED, TaskState.FAILED, TaskState.EXPIRED, TaskState.REJECTED])
def test_a_task_that_has_ended_is_not_started_again_and_nothing_more_is_said(ledger: Session, state: TaskState):
    ledger.add(task(state=state))

    assert ask(ledger).verdict is Verdict.ENDED
    assert (attempts(ledger), actions(ledger)) == ({}, [])


def test_a_task_that_was_cancelled_is_not_started_whether_that_is_recorded_or_not(ledger: Session):
    ledger.add(task(cancelled_at=NOW))

    assert ask(ledger).verdict is Verdict.ENDED


def test_a_task_whose_deadline_passed_is_not_started_and_said_to_have_expired(ledger: Session):
    ledger.add(task(expires_at=NOW - timedelta(seconds=1)))

    assert ask(ledger).verdict is Verdict.EXPIRED
    assert [action for action, _ in actions(ledger)] == [Action.EXPIRED]


def test_a_task_that_its_submitter_wants_tried_again_has_all_its_attempts_again(ledger: Session):
    old = [attempt(run, started_at=NOW - timedelta(hours=1)) for run in "abc"]
    retried = TaskAction(
        submitter="ann", task="t1", at=NOW - timedelta(minutes=1), action=Action.RETRIED, reason="asked for"
    )
    ledger.add_all([task(), *old, retried])

    assert ask(ledger, began_unasked=False).attempt == 1


def test_of_many_that_ask_at_once_no_more_are_cleared_than_attempts_are_left(
    registry: Session, at_once: Callable[..., list[str]]
):
    deploy(registry, "device-1", [Planned(MODEL, Tier.MEDIUM)])
    registry.add(task())
    registry.commit()
    imports = "from datetime import UTC, datetime\nfrom registry.clearance import Return, clear"
    code = f"""
with session(engine) as registry:
    asked = Return("ann", "t1", f"{{os.getpid():x}}", "{MODEL}", True)
    print(clear(registry, "device-1", asked, datetime({NOW.year}, {NOW.month}, 1, tzinfo=UTC), {MOST}).verdict)
"""
    verdicts = [printed.strip() for printed in at_once(code, imports)]

    assert sorted(verdicts) == ["start", "start", "used up", "used up"]


def test_attempts_at_other_tasks_and_other_submitters_tasks_count_for_nothing(ledger: Session):
    for submitter, other in (("ann", "t2"), ("bob", "t1")):
        ledger.add(Attempt(submitter=submitter, task=other, run="x", device="d", started_at=NOW, cleared=True))

    assert ask(ledger).attempt == 2


@pytest.mark.parametrize(("device", "model"), [("device-1", "llama3-8b"), ("device-2", MODEL), ("", MODEL)])
def test_a_device_that_does_not_host_the_model_clears_nothing(ledger: Session, device: str, model: str):
    with pytest.raises(RegistryError, match="hosts no model"):
        clear(ledger, device, returned(model=model), NOW, MOST)
    assert attempts(ledger) == {}


def test_what_began_unasked_counts_once_however_often_it_is_heard_of():
    assert attempts_made([], began_unasked=False) == 0
    assert attempts_made([], began_unasked=True) == 1
    assert attempts_made([attempt("a", cleared=False)], began_unasked=True) == 1
    assert attempts_made([attempt("a", cleared=False), attempt("b", cleared=False)], began_unasked=True) == 2
    assert attempts_made([attempt("a"), attempt("b")], began_unasked=False) == 2


def test_what_began_unasked_counts_for_a_copy_that_is_sent_later_too(ledger: Session):
    ledger.add(task())
    assert ask(ledger, "first").attempt == 2
    assert ask(ledger, "second", began_unasked=False).attempt == 3

    assert ask(ledger, "third", began_unasked=False).verdict is Verdict.USED_UP


#: What may happen to a task: it comes back and a device asks (and may be heard of as started, or not), or a device
#: that got no answer starts it unasked and is heard of.
EVENTS = st.lists(st.tuples(st.sampled_from(["asks", "asks and tells", "unasked"]), st.booleans()), max_size=20)


@given(EVENTS, st.integers(1, 5))
def test_whatever_happens_no_task_is_cleared_more_often_than_it_has_attempts(events: list[tuple[str, bool]], most: int):
    known: list[Attempt] = []
    cleared = 0
    for number, (event, began_unasked) in enumerate(events):
        if event == "unasked":
            known.append(attempt(str(number), cleared=False))
            continue
        clearance = decide(None, known, returned(str(number), began_unasked=began_unasked), NOW, most)
        if clearance.verdict is Verdict.START:
            cleared += 1
            known.append(attempt(str(number)))
        assert clearance.attempt >= 1
    assert cleared <= most


@given(st.integers(1, 5), st.integers(0, 9), st.booleans())
def test_a_task_that_kills_every_device_takes_down_as_many_as_it_has_attempts(most: int, more: int, told: bool):
    known = [attempt("first", cleared=False)] if told else []  # it may have died before it told of it
    killed = 1
    for number in range(most + more):
        if decide(None, known, returned(str(number)), NOW, most).verdict is Verdict.START:
            known.append(attempt(str(number)))
            killed += 1
    assert killed == most
