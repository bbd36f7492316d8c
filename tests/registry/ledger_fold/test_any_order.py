"""Whatever the lives of tasks and however their messages come, the ledger ends the same."""

from collections.abc import Callable, Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from registry.ledger_entries import Entry, Submitted
from starai.wire import State
from tests.registry.ledger_fold.recorded import Ledger, progressed, reported, started, submitted

ENDS = st.sampled_from([State.SUCCEEDED, State.FAILED, State.EXPIRED, State.CANCELLED])


@st.composite
def lives(draw: Callable) -> list[list[Entry]]:
    """Lives of up to four tasks: each was begun by up to three devices one after another, given back, and ended.

    Devices may tell that they got on, whether they told that they began or not.
    """
    clock = iter(range(1, 1000))
    result: list[list[Entry]] = []
    for number in range(draw(st.integers(1, 4))):
        task, life = f"t{number}", []
        life.append(submitted(next(clock), task))
        for attempt in range(draw(st.integers(0, 3))):
            device, who = draw(st.sampled_from(["device-1", "device-2"])), {"task": task, "run": f"run-{attempt}"}
            if draw(st.booleans()):
                life.append(started(next(clock), device, **who))
            life += [progressed(next(clock), device, **who) for _ in range(draw(st.integers(0, 2)))]
            life.append(reported(State.REQUEUED, next(clock), device, claimed=0.0, **who))
        if draw(st.booleans()):
            life.append(reported(State.REQUEUED, next(clock), None, task=task))
        device = draw(st.sampled_from(["device-1", "device-2"]))
        if told := draw(st.booleans()):
            life.append(started(next(clock), device, task=task, run="last"))
            life += [progressed(next(clock), device, task=task, run="last") for _ in range(draw(st.integers(0, 2)))]
        if draw(st.booleans()):
            by = draw(st.sampled_from([device, None])) if not told else device
            life.append(reported(draw(ENDS), next(clock), by, task=task, run="last" if by else None))
        result.append(life)
    return result


@st.composite
def arrivals(draw: Callable) -> tuple[list[Entry], list[list[Entry]]]:
    """Lives as they were, and as they came: mixed with each other, in batches, of which some came again."""
    whole = draw(lives())
    left, mixed = [list(life) for life in whole], []
    while any(left):
        mixed.append(draw(st.sampled_from([life for life in left if life])).pop(0))
    batches = []
    while mixed:
        size = draw(st.integers(1, len(mixed)))
        again = draw(st.lists(st.sampled_from([entry for batch in batches for entry in batch]))) if batches else []
        batches.append([*again, *mixed[:size]] if draw(st.booleans()) else [*mixed[:size], *again])
        mixed = mixed[size:]
    return [entry for life in whole for entry in life], batches


def recorded(batches: Iterable[Sequence[Entry]]) -> Ledger:
    ledger = Ledger()
    for batch in batches:
        orphans = ledger.record(*batch).orphans
        assert not orphans
    return ledger


@given(arrivals())
def test_whatever_comes_again_and_however_it_is_mixed_the_ledger_is_the_same(
    case: tuple[list[Entry], list[list[Entry]]],
) -> None:
    clean, batches = case
    assert vars(recorded(batches)) == vars(recorded([entry] for entry in clean))


@given(lives(), st.randoms())
def test_submissions_that_come_late_find_their_reports_put_back(whole: list[list[Entry]], random) -> None:
    clean, ledger = recorded([entry] for life in whole for entry in life), Ledger()
    waiting = [entry for life in whole for entry in sorted(life, key=lambda entry: isinstance(entry, Submitted))]
    while waiting:
        size = random.randint(1, len(waiting))
        waiting = [*waiting[size:], *ledger.record(*waiting[:size]).orphans]
    assert ledger.results == clean.results
    assert {key: task.state for key, task in ledger.tasks.items()} == {k: t.state for k, t in clean.tasks.items()}
