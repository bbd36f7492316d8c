from collections.abc import Sequence
from queue import SimpleQueue

import numpy as np

from models.messages import Answer, Request, Rows
from models.microbatch import MOST_TEXTS, serve, take
from starai.errors import BadInput, ModelError


class LengthEngine:
    """Answers with the lengths of the texts; refuses "bad" and fails at "boom". Remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def run(self, texts: Sequence[str]) -> Rows:
        self.batches.append(list(texts))
        if "bad" in texts:
            raise BadInput("a bad text")
        if "boom" in texts:
            raise MemoryError("no memory")
        return np.array([[len(text)] for text in texts], np.float32).reshape(len(texts), 1)


def served(*requests: list[str]) -> tuple[list[list[str]], dict[int, object]]:
    engine, answers = LengthEngine(), dict[int, object]()

    def answer(message: Answer) -> None:
        outcome = message.outcome
        answers[message.id] = outcome.ravel().tolist() if isinstance(outcome, np.ndarray) else type(outcome)

    serve(engine, [Request(number, inputs) for number, inputs in enumerate(requests)], answer)
    return engine.batches, answers


def test_requests_run_as_one_batch_and_each_gets_its_own_rows():
    batches, answers = served(["a", "bb"], ["ccc"], [], ["dddd"])
    assert batches == [["a", "bb", "ccc", "dddd"]]
    assert answers == {0: [1, 2], 1: [3], 2: [], 3: [4]}


def test_a_bad_text_fails_its_own_request_alone():
    _, answers = served(["a"], ["bb", "bad"], ["ccc"])
    assert answers == {0: [1], 1: BadInput, 2: [3]}


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
