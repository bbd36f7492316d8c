from collections.abc import Callable, Container, Sequence
from queue import SimpleQueue

import numpy as np

from models.messages import Answer, Asked, Request, Rows
from models.microbatch import MOST_TEXTS, Withdrawn, serve, take
from starai.errors import BadInput, ModelError
from starai.generation import Prompt


class LengthEngine:
    """Answers with the lengths of the texts; refuses "bad" and fails at "boom". Remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def run(self, texts: Sequence[str], is_wanted: Callable[[int], bool]) -> Rows:
        self.batches.append([text for position, text in enumerate(texts) if is_wanted(position)])
        if "bad" in texts:
            raise BadInput("a bad text")
        if "boom" in texts:
            raise MemoryError("no memory")
        return np.array([[len(text)] for text in texts], np.float32).reshape(len(texts), 1)


def served(*requests: Asked, withdrawn: Container[Request] = ()) -> tuple[list[list[str]], dict[int, object]]:
    engine, answers = LengthEngine(), dict[int, object]()

    def answer(message: Answer) -> None:
        outcome = message.outcome
        answers[message.id] = outcome.ravel().tolist() if isinstance(outcome, np.ndarray) else type(outcome)

    serve(engine, [Request(number, inputs) for number, inputs in enumerate(requests)], answer, withdrawn)
    return engine.batches, answers


def test_requests_run_as_one_batch_and_each_gets_its_own_rows():
    batches, answers = served(["a", "bb"], ["ccc"], [], ["dddd"])
    assert batches == [["a", "bb", "ccc", "dddd"]]
    assert answers == {0: [1, 2], 1: [3], 2: [], 3: [4]}


def test_a_bad_text_fails_its_own_request_alone():
    _, answers = served(["a"], ["bb", "bad"], ["ccc"])
    assert answers == {0: [1], 1: BadInput, 2: [3]}


def test_a_prompt_is_no_text_and_spoils_no_other():
    _, answers = served(["a"], Prompt(inputs="b"))
    assert answers == {0: [1], 1: BadInput}


def test_a_failure_that_nobody_foresaw_is_a_model_error():
    _, answers = served(["a"], ["boom"])
    assert answers == {0: [1], 1: ModelError}


def test_requests_that_wait_are_taken_together():
    waiting: SimpleQueue[Request] = SimpleQueue()
    requests = [Request(number, ["text"]) for number in range(5)]
    for request in requests:
        waiting.put(request)
    assert take(waiting) == requests


def test_nothing_joins_a_batch_that_is_large_already():
    waiting: SimpleQueue[Request] = SimpleQueue()
    waiting.put(Request(1, ["text"] * MOST_TEXTS))
    waiting.put(Request(2, ["text"]))
    assert [request.id for request in take(waiting)] == [1]
    assert [request.id for request in take(waiting)] == [2]


def test_a_request_that_was_withdrawn_is_neither_run_nor_answered():
    withdrawn = Withdrawn()
    withdrawn.add(1)
    batches, answers = served(["a"], ["bb", "boom"], ["ccc"], withdrawn=withdrawn)
    assert batches == [["a", "ccc"]]
    assert answers == {0: [1], 2: [3]}


def test_when_all_are_withdrawn_nothing_is_run():
    withdrawn = Withdrawn()
    withdrawn.add(0)
    assert served(["a"], withdrawn=withdrawn) == ([], {})


def test_a_request_that_is_withdrawn_while_it_runs_is_not_run_on_and_not_answered():
    withdrawn, answers, steps = Withdrawn(), list[int](), list[list[int]]()

    class Stepwise:
        def run(self, texts: Sequence[str], is_wanted: Callable[[int], bool]) -> Rows:
            for _ in range(2):
                steps.append([position for position in range(len(texts)) if is_wanted(position)])
                withdrawn.add(1)
            return np.zeros((len(texts), 1), np.float32)

    serve(Stepwise(), [Request(1, ["a", "b"]), Request(2, ["c"])], lambda one: answers.append(one.id), withdrawn)

    assert steps == [[0, 1, 2], [2]]
    assert answers == [2]


def test_what_is_done_is_forgotten():
    withdrawn = Withdrawn()
    for number in (1, 2, 3):
        withdrawn.add(number)
    withdrawn.forget_up_to(2)
    assert [number for number in (1, 2, 3) if Request(number, []) in withdrawn] == [3]
