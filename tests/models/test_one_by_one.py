"""Requests served one after the other, and those that are withdrawn."""

from queue import SimpleQueue

import numpy as np
import pytest

from models.messages import Answer, Request
from models.microbatch import Withdrawn
from models.one_by_one import OneByOne
from starai.errors import BadInput, ModelError


class Recorded:
    """A run that does what its request says, and whether it was told to stop."""

    def __init__(self, asked, meanwhile) -> None:
        if asked == ["bad"]:
            raise BadInput("a bad request")
        self.asked, self.meanwhile, self.stopped = asked, meanwhile, False

    def stop(self):
        self.stopped = True

    def outputs(self):
        if self.asked == ["boom"]:
            raise MemoryError("no memory")
        self.meanwhile()
        return {"y": np.zeros(1)}


class Served:
    """What is asked, what ran, and what is answered."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.runs: list[Recorded] = []
        self.withdrawn = Withdrawn()
        self.waiting: SimpleQueue[Request] = SimpleQueue()
        self.meanwhile = lambda: None
        self.server = OneByOne(self.begin, self.answers.append, self.withdrawn)

    def begin(self, asked):
        self.runs.append(Recorded(asked, self.meanwhile))
        return self.runs[-1]

    def serve(self, *asked):
        for number, one in enumerate(asked, 1):
            self.waiting.put(Request(number, [one]))
        for _ in asked:
            self.server.serve(self.waiting)
        return {answer.id: type(answer.outcome) for answer in self.answers}


@pytest.fixture
def served():
    return Served()


def test_one_that_fails_or_is_refused_spoils_no_other(served):
    assert served.serve("a", "bad", "boom", "b") == {1: dict, 2: BadInput, 3: ModelError, 4: dict}


def test_one_that_is_withdrawn_while_it_waits_is_never_begun(served):
    served.withdrawn.add(1)

    assert served.serve("a", "b") == {2: dict}
    assert [run.asked for run in served.runs] == [["b"]]


def test_one_that_is_withdrawn_while_it_runs_is_stopped_and_not_answered(served):
    served.meanwhile = lambda: served.withdrawn.add(1)

    assert served.serve("a", "b") == {2: dict}
    assert [run.stopped for run in served.runs] == [True, False]


def test_one_that_is_withdrawn_at_the_very_moment_it_begins_is_stopped(served):
    begin = served.begin

    def withdrawn_meanwhile(asked):
        served.withdrawn.add(1)
        return begin(asked)

    served.server = OneByOne(withdrawn_meanwhile, served.answers.append, served.withdrawn)

    assert served.serve("a") == {}
    assert [run.stopped for run in served.runs] == [True]


def test_what_is_done_is_forgotten(served):
    served.withdrawn.add(1)
    served.serve("a")

    assert Request(1, []) not in served.withdrawn
