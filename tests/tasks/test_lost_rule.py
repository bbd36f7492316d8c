"""The rule by which tasks are found to be lost, against a queue, a ledger that lags, and figures that are old."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.lost_rule import Look, lost, remember

START = datetime(2026, 1, 1, tzinfo=UTC)
SETTLED = 30


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def looks(*held: int) -> list[Look]:
    return [Look(at(5 * number), count) for number, count in enumerate(held)]


def test_as_many_are_lost_as_are_missing_at_two_looks():
    assert lost(looks(3, 3), [5, 5]) == (2, at(0))


def test_one_is_found_as_well():
    assert lost(looks(4, 4), [5, 5]) == (1, at(0))


def test_a_single_look_is_no_proof():
    assert lost(looks(0), [5]) is None
    assert lost(looks(0, 9), [5, 5]) is None


def test_a_queue_that_has_what_it_should_lost_nothing():
    assert lost(looks(5, 7), [5, 5]) is None
    assert lost([], []) is None


def test_an_earlier_look_still_tells_of_a_loss_when_the_queue_has_grown_since():
    assert lost(looks(0, 0, 800), [50, 60, 70]) == (50, at(0))


def test_looks_are_remembered_for_a_time():
    kept: list[Look] = []
    for look in looks(9, 8, 7, 6):
        kept = remember(kept, look, timedelta(seconds=10))

    assert [look.held for look in kept] == [8, 7, 6]


@dataclass
class World:
    """One queue, the devices that read it, and the ledger, a second at a time.

    Attributes:
        ready, held: the tasks in the queue: waiting, and with devices.
        gone: lost.
        unread: what the ledger's queue has and the recorder has not read: the task, and what is said of it.
        known: by task, what the recorder knows: when it was put into the queue, and its state.
        ended: by task, how manyth of all it was that the recorder read of its end.
        marks: by look, how much the recorder had read at its mark.
    """

    second: int = 0
    ready: deque[int] = field(default_factory=deque)
    held: list[int] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)
    unread: deque[tuple[int, str]] = field(default_factory=deque)
    known: dict[int, tuple[int, str]] = field(default_factory=dict)
    ended: dict[int, int] = field(default_factory=dict)
    marks: dict[Look, int] = field(default_factory=dict)
    was_read: int = 0
    lengths: list[int] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    submitted: int = 0

    def step(self, event: str) -> None:
        getattr(self, event)()
        self.lengths.append(len(self.ready) + len(self.held))

    def pause(self) -> None:
        self.second += 1

    def submit(self) -> None:
        self.ready.append(self.submitted)
        self.unread.append((self.submitted, "queued"))
        self.submitted += 1

    def take(self) -> None:
        if self.ready:
            self.held.append(self.ready.popleft())

    def start(self) -> None:
        if self.held:
            self.unread.append((self.held[0], "started"))

    def end(self) -> None:
        if self.held:
            self.unread.append((self.held[0], "ended"))
            self.held.pop(0)

    def hand_back(self) -> None:
        if self.held:
            self.ready.appendleft(self.held.pop())

    def purge(self) -> None:
        self.gone |= set(self.ready)
        self.ready.clear()

    def acknowledge(self) -> None:
        if self.held:
            self.gone.add(self.held.pop(0))

    def read(self) -> None:
        for _ in range(min(3, len(self.unread))):
            task, state = self.unread.popleft()
            put, _ = self.known.get(task, (self.second, ""))
            self.known[task] = (put, state)
            self.was_read += 1
            if state == "ended":
                self.ended[task] = self.was_read

    def sweep(self, old: int) -> None:
        """Look by figures that are some steps old, put a mark, let the recorder come to it, and conclude."""
        look = Look(at(self.second), self.lengths[-1 - old])
        self.looks = remember(self.looks, look, timedelta(seconds=120))
        while self.unread:
            self.read()
        self.marks[look] = self.was_read
        found = lost(self.looks, [len(self.waiting(look.at)) + self.done_since(look) for look in self.looks])
        if found:
            count, before = found
            really = [task for task in self.waiting(before) if task in self.gone]
            assert count <= len(really)
            for task in really[:count]:
                self.put_back(task)

    def waiting(self, before: datetime) -> list[int]:
        return self.put_before(before, "queued")

    def done_since(self, look: Look) -> int:
        return sum(self.ended[task] > self.marks[look] for task in self.put_before(look.at, "ended"))

    def put_before(self, before: datetime, state: str) -> list[int]:
        return [t for t, (put, is_in) in self.known.items() if is_in == state and at(put + SETTLED) < before]

    def put_back(self, task: int) -> None:
        self.gone.discard(task)
        self.known[task] = (self.second, "queued")
        self.ready.append(task)


EVENTS = ["submit", "take", "start", "end", "hand_back", "purge", "acknowledge", "read", *["pause"] * 6]
RUNS = st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(1, 12), st.integers(0, 20)), max_size=60)


@settings(max_examples=300)
@given(RUNS)
def test_no_more_are_found_than_were_lost_and_in_the_end_all_are(run):
    world = World(lengths=[0])
    for event, times, age in run:
        for _ in range(times):
            world.step(event)
        if event == "pause":
            world.sweep(min(age, len(world.lengths) - 1))
    for _ in range(2 * SETTLED):  # nothing new comes, and what waits is served
        world.step("pause")
        for event in ("take", "end") * (len(world.ready) + len(world.held)):
            world.step(event)
        world.sweep(0)

    # What was begun is a lease's business.
    assert not [task for task in world.gone if world.known[task][1] == "queued"]
