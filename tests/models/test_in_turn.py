"""Texts under way at once, each a step in its turn."""

from queue import SimpleQueue

import pytest

from models.in_turn import InTurn
from models.messages import Answer, Piece, Request
from models.microbatch import Withdrawn
from starai.errors import BadInput, ModelError
from starai.generation import FinishReason, Generated, Prompt


class Counting:
    """A text of as many pieces as its prompt says; "boom" fails at its second."""

    def __init__(self, prompt: Prompt) -> None:
        if prompt.inputs == "bad":
            raise BadInput("a bad prompt")
        self.prompt, self.made = str(prompt.inputs), 0
        self.result: Generated | None = None

    def step(self) -> str:
        self.made += 1
        if self.prompt == "boom" and self.made == 2:
            raise MemoryError("no memory")
        if self.prompt.isdigit() and self.made == int(self.prompt):
            end = FinishReason.STOP
            self.result = Generated(
                text="x", finish_reason=end, prompt_tokens=1, tokens=self.made, first_token_seconds=0, seconds=0
            )
        return str(self.made)


class Served:
    """What is asked, and what is answered."""

    def __init__(self, most: int = 8) -> None:
        self.said: list[Answer | Piece] = []
        self.withdrawn = Withdrawn()
        self.waiting: SimpleQueue[Request] = SimpleQueue()
        self.texts = InTurn(Counting, self.said.append, self.withdrawn, most)

    def ask(self, *prompts: str) -> None:
        for number, prompt in enumerate(prompts):
            self.waiting.put(Request(number, Prompt(inputs=prompt)))

    def serve(self, times: int) -> list[int]:
        """Serve so often, and return whose turn it was."""
        before = len(self.said)
        for _ in range(times):
            self.texts.serve(self.waiting)
        return [said.id for said in self.said[before:] if isinstance(said, Piece)]


@pytest.fixture
def served() -> Served:
    return Served()


def test_each_has_its_turn_and_a_short_one_ends_first(served):
    served.ask("3", "1", "2")

    assert served.serve(3) == [0, 1, 2, 0, 2, 0]
    assert [said.id for said in served.said if isinstance(said, Answer)] == [1, 2, 0]


def test_no_more_are_under_way_than_there_is_room_for():
    served = Served(most=2)
    served.ask("2", "2", "1")

    assert served.serve(3) == [0, 1, 0, 1, 2]


def test_one_that_is_withdrawn_makes_no_further_step_and_is_not_answered(served):
    served.ask("9", "2")
    served.serve(1)
    served.withdrawn.add(0)

    assert served.serve(1) == [1]
    assert [said.id for said in served.said if isinstance(said, Answer)] == [1]


def test_one_that_is_withdrawn_while_it_waits_is_never_begun(served):
    served.ask("9", "1")
    served.withdrawn.add(0)

    assert served.serve(1) == [1]


def test_one_that_fails_or_is_refused_spoils_no_other(served):
    served.ask("boom", "bad", "2")

    assert served.serve(2) == [0, 2, 2]
    outcomes = {said.id: type(said.outcome) for said in served.said if isinstance(said, Answer)}
    assert outcomes == {0: ModelError, 1: BadInput, 2: Generated}


def test_what_is_no_prompt_is_refused(served):
    served.waiting.put(Request(0, ["a text"]))
    served.ask("1")
    served.serve(1)

    assert isinstance(served.said[0], Answer)
    assert isinstance(served.said[0].outcome, BadInput)
