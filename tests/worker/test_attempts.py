"""What a device knows of earlier attempts at a task, and of what was cancelled; without a broker."""

import time
from concurrent.futures import Future

import pytest

from starai.errors import BrokerUnreachable, Cancelled
from tasks.cancellation_message import Cancellation, write_cancelled
from tasks.clearance_message import ClearanceAnswer, ClearanceRequest
from tasks.envelope import read, write
from tasks.message import Task
from worker import cancellations
from worker.cancellations import Cancellations
from worker.clearance import CLEARED_LATER, CLEARED_WITHIN, Attempts, Begun, NotCleared
from worker.orders import TOLD_WITHIN, Orders

LATER = time.time() + 86_400  # the tests of a whole run are collected first


def task(number="t1", returns=0, **more) -> Task:
    return Task(number, "reply.ann-1a", "text", None, None, returns, **more)


class Platform:
    """Answers as it was told; remembers what it was asked."""

    def __init__(self, answer: bytes | Exception | None) -> None:
        self._answer = answer
        self.asked: list[tuple[str, bytes]] = []

    def __call__(self, key: str, body: bytes, within: float) -> "Future[bytes]":
        self.asked.append((key, body))
        self.within = within
        if isinstance(self._answer, Exception):
            raise self._answer
        answer: Future[bytes] = Future()
        if self._answer is not None:
            answer.set_result(self._answer)
        return answer


def answering(**answer: object) -> Platform:
    return Platform(write(ClearanceAnswer(**answer)))


def test_a_task_that_never_came_back_is_begun_without_asking():
    platform = answering(start=False)

    assert Attempts(platform).begin(task(), "1a", "minilm") == Begun(task(), on_record=True)
    assert platform.asked == []


def test_the_platform_is_asked_about_a_task_that_came_back_and_says_which_attempt_it_is():
    platform = answering(start=True, attempt=3)

    begun = Attempts(platform).begin(task(returns=1, redelivered=True), "1a", "minilm")

    assert begun == Begun(task(returns=2, redelivered=True), on_record=True)
    ((key, body),) = platform.asked
    assert key == "clearance"
    assert read(ClearanceRequest, body) == ClearanceRequest(
        task="t1", reply_to="reply.ann-1a", run="1a", model="minilm", returns=1, republished=False
    )


def test_a_task_that_is_not_cleared_is_not_begun():
    platform = answering(start=False, reason="It has succeeded already.")

    with pytest.raises(NotCleared, match="succeeded already"):
        Attempts(platform).begin(task(republished=True), "1a", "minilm")


@pytest.mark.parametrize("answer", [None, b"junk", BrokerUnreachable("closed")], ids=["none", "junk", "closed"])
def test_without_a_word_of_the_platform_the_queue_and_the_devices_own_failures_count(answer, monkeypatch):
    monkeypatch.setattr("worker.clearance.CLEARED_WITHIN", 0.01)
    attempts, known = Attempts(Platform(answer)), task(returns=1, redelivered=True)

    assert attempts.begin(known, "1a", "minilm") == Begun(known, on_record=False)
    for _ in range(2):
        attempts.note_failure(known)
    assert attempts.begin(known, "1a", "minilm").task.returns == 2


@pytest.mark.parametrize(
    ("came", "within"),
    [
        ({"returns": 1}, CLEARED_WITHIN),
        ({"returns": 2}, CLEARED_LATER),
        ({"republished": True}, CLEARED_LATER),
    ],
)
def test_what_may_have_ended_devices_waits_longer_for_the_platforms_word(came, within):
    platform = answering(start=True)

    Attempts(platform).begin(task(redelivered=True, **came), "1a", "minilm")

    assert platform.within == within


def test_where_the_platform_cannot_tell_the_devices_own_failures_count():
    attempts = Attempts(answering(start=True))
    attempts.note_failure(task())
    attempts.note_failure(task())

    assert attempts.begin(task(redelivered=True), "1a", "minilm").task.returns == 2


def test_a_cancelled_task_is_not_begun_and_no_other_is_harmed():
    known = Cancellations()
    known.add([Cancellation("ann", "t1", LATER), Cancellation("bob", "t2", LATER)])

    with pytest.raises(Cancelled), known.running(task("t1")):
        pass
    with known.running(task("t2")) as stop:  # of ann, not of bob
        assert not stop.done()


def test_a_task_that_runs_is_stopped_each_time_it_runs():
    known = Cancellations()
    with known.running(task()) as first, known.running(task()) as second, known.running(task("t2")) as other:
        known.add([Cancellation("ann", "t1", LATER)])
        known.add([Cancellation("ann", "t1", LATER)])
        assert [stop.done() for stop in (first, second, other)] == [True, True, False]


def test_what_has_expired_is_not_remembered_as_cancelled():
    known = Cancellations()
    known.add([Cancellation("ann", "t1", time.time() - 1)])

    with known.running(task()) as stop:
        assert not stop.done()


def test_of_too_many_the_oldest_are_forgotten(monkeypatch):
    monkeypatch.setattr(cancellations, "_KEPT", 2)
    known = Cancellations()
    for number in ("t1", "t2", "t1", "t3"):
        known.add([Cancellation("ann", number, LATER)])

    with known.running(task("t2")):
        pass
    for number in ("t1", "t3"):
        with pytest.raises(Cancelled), known.running(task(number)):
            pass


class Channel:
    """A channel on which everything is consumed and nothing comes."""

    def basic_consume(self, *_: object, **__: object) -> None:
        pass


class Questions:
    """Questions whose answers the test gives."""

    def __init__(self) -> None:
        self.answers: list[Future[bytes]] = []

    def ask(self, *_: object) -> "Future[bytes]":
        self.answers.append(Future())
        return self.answers[-1]


@pytest.fixture
def questions() -> Questions:
    return Questions()


@pytest.fixture
def orders(questions) -> Orders:
    orders = Orders("device-1", questions)
    orders.listen(Channel(), None, lambda: None)
    orders.begin_connection(100.0)
    return orders


def test_no_task_is_taken_before_the_platform_said_what_was_cancelled(orders, questions):
    assert orders.is_resting(100.1, connected=True)

    questions.answers[0].set_result(write_cancelled([Cancellation("ann", "t1", LATER)]))

    assert not orders.is_resting(100.1, connected=True)
    with pytest.raises(Cancelled), orders.cancellations.running(task()):
        pass


def test_if_the_platform_says_nothing_tasks_are_taken_after_a_while(orders):
    assert orders.is_resting(100.0 + TOLD_WITHIN - 0.01, connected=True)
    assert not orders.is_resting(100.0 + TOLD_WITHIN, connected=True)


def test_an_answer_that_cannot_be_read_is_an_answer(orders, questions):
    questions.answers[0].set_result(b"junk")

    assert not orders.is_resting(100.1, connected=True)


def test_what_was_said_over_a_lost_connection_is_asked_again_over_the_next(orders, questions):
    questions.answers[0].set_result(write_cancelled([]))

    orders.begin_connection(200.0)
    assert orders.is_resting(200.1, connected=False)
    orders.listen(Channel(), None, lambda: None)
    assert orders.is_resting(200.1, connected=True)
    questions.answers[1].set_result(write_cancelled([]))

    assert not orders.is_resting(200.1, connected=True)


def test_what_still_waits_is_withdrawn_when_it_is_asked_again(orders, questions):
    orders.listen(Channel(), None, lambda: None)

    assert questions.answers[0].cancelled()
    assert orders.is_resting(100.1, connected=True)
