"""Hello and goodbye: what a device says, how often, and what it makes of the answers."""

from concurrent.futures import Future

import pytest

from starai.errors import BrokerUnreachable
from tasks.envelope import read, write
from tasks.greeting import UNKNOWN, Goodbye, Greeted, Hello
from worker.greeting import ANSWERED_WITHIN, LONGEST_WAIT, Greeting, software


class Questions:
    """Questions whose answers the test gives, or errors that it raises."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes, Future[bytes]]] = []
        self.error: Exception | None = None

    def ask(self, way, key, body, within):
        if self.error:
            raise self.error
        self.asked.append((key, body, Future()))
        return self.asked[-1][2]

    def answer(self, **greeted) -> None:
        self.asked[-1][2].set_result(write(Greeted(**greeted)))


class Link:
    """Remembers what is to be done later."""

    def __init__(self) -> None:
        self.later: list[tuple[float, object]] = []

    def call_later(self, seconds, function):
        self.later.append((seconds, function))

    def wait(self) -> float:
        seconds, function = self.later.pop(0)
        function()
        return seconds


@pytest.fixture
def questions():
    return Questions()


@pytest.fixture
def link():
    return Link()


@pytest.fixture
def greeting(questions):
    return Greeting(questions, sound=True)


def test_hello_is_said_with_the_version_that_runs(greeting, questions, link):
    greeting.hello(link)

    ((key, body, _),) = questions.asked
    assert key == "hello"
    assert read(Hello, body) == Hello(software=software())


@pytest.mark.parametrize("sound", [True, False])
def test_the_answer_says_how_the_device_stands(greeting, questions, link, sound):
    greeting.hello(link)

    questions.answer(state="inactive", sound=sound)

    assert (greeting.state, greeting.sound) == ("inactive", sound)


def test_hello_is_said_until_it_is_answered_with_growing_pauses(greeting, questions, link):
    greeting.hello(link)

    waits = [link.wait() for _ in range(6)]
    questions.answer(state="active", sound=True)
    link.wait()

    assert waits == [ANSWERED_WITHIN, 10, 20, 40, LONGEST_WAIT, LONGEST_WAIT]
    assert len(questions.asked) == 7
    assert all(answer.cancelled() for _, _, answer in questions.asked[:-1])
    assert not link.later


def test_a_platform_that_cannot_tell_changes_no_band_and_is_asked_again(greeting, questions, link):
    greeting.hello(link)

    questions.answer(state=UNKNOWN, sound=False)
    link.wait()

    assert greeting.sound
    assert len(questions.asked) == 2


def test_an_answer_that_cannot_be_read_changes_nothing(greeting, questions, link):
    greeting.hello(link)

    questions.asked[0][2].set_result(b"junk")

    assert (greeting.state, greeting.sound) == (None, True)


def test_an_order_counts_more_than_the_answer_to_what_was_asked_before_it(greeting, questions, link):
    greeting.hello(link)

    greeting.order(sound=False)
    questions.answer(state="active", sound=True)

    assert not greeting.sound


def test_a_new_connection_says_hello_anew_and_the_old_one_no_more(greeting, questions, link):
    greeting.hello(link)
    greeting.hello(Link())

    link.wait()

    assert len(questions.asked) == 2
    assert questions.asked[0][2].cancelled()


@pytest.mark.parametrize("left", [0, 3])
def test_goodbye_says_how_many_tasks_are_left_and_waits_for_its_answer(greeting, questions, link, left):
    questions.ask = lambda way, key, body, within: _answered(key, body, left)

    assert greeting.goodbye(link, left, within=1.0)


def _answered(key, body, left):
    assert (key, read(Goodbye, body).left) == ("goodbye", left)
    answer = Future()
    answer.set_result(write(Greeted(state="offline", sound=True)))
    return answer


@pytest.mark.parametrize("error", [None, BrokerUnreachable("closed")], ids=["silence", "closed"])
def test_a_goodbye_that_nobody_answers_is_not_waited_for_any_longer(greeting, questions, link, error):
    questions.error = error

    assert not greeting.goodbye(link, 0, within=0.01)
    assert all(answer.cancelled() for _, _, answer in questions.asked)


def test_after_goodbye_a_new_connection_says_no_hello(greeting, questions, link):
    greeting.hello(link)
    greeting.goodbye(link, 0, within=0.01)
    said = len(questions.asked)

    link.wait()
    greeting.hello(Link())

    assert len(questions.asked) == said
