"""Texts from a model's own process: pieces as they are made, stopped at once, several in turn."""

import os
import signal
from concurrent.futures import Future
from contextlib import closing
from threading import Event

import pytest

from models.host import ModelHost
from models.plan import MOST_SLOTS
from starai.errors import BadInput, Cancelled, ModelCrashed, ModelHung
from starai.generation import FinishReason, Guidance, GuidanceKind, Options, Prompt
from tests.models.tiny_models import ANSWERS, MOST, TINY, tiny_entry

pytestmark = pytest.mark.process

#: As many tokens as the context holds: the end is not allowed before.
LONG = Prompt(
    inputs="The device",
    options=Options(max_tokens=2000, guidance=Guidance(kind=GuidanceKind.REGEX, text="[a-z ]{9000,}")),
)
ANSWER = ANSWERS[0]
SHORT = Prompt(inputs=ANSWER["prompt"], options=Options(max_tokens=MOST))


@pytest.fixture
def host():
    with closing(ModelHost(tiny_entry("tiny-llama"), TINY / "tiny-llama", threads=1)) as host:
        host.start()
        yield host


def test_pieces_come_in_order_and_are_the_text(host):
    heard = []

    made = host.generate(SHORT, 30, on_piece=heard.append)

    assert made.text == ANSWER["text"] == "".join(heard)
    assert len(heard) > 10


def test_one_that_nobody_wants_any_more_ends_and_the_process_goes_on(host):
    stop, process = Future(), host.pid

    with pytest.raises(Cancelled):
        host.generate(LONG, 30, stop, lambda _: stop.done() or stop.set_result(None))

    assert host.generate(SHORT, 30).text == ANSWER["text"]
    assert host.pid == process


def test_texts_under_way_at_once_do_not_wait_for_one_another_and_are_the_same_as_alone(host, pool):
    began = Event()
    long = pool.submit(host.generate, LONG, 30, None, lambda _: began.set())
    assert began.wait(30)

    assert [one.text for one in pool.map(lambda _: host.generate(SHORT, 30), range(4))] == [ANSWER["text"]] * 4

    assert not long.done()
    assert long.result(60).tokens == 2000


def test_one_whose_process_dies_in_the_middle_has_crashed_and_the_next_one_is_made(host):
    with pytest.raises(ModelCrashed):
        host.generate(LONG, 30, None, lambda _: os.kill(host.pid, signal.SIGKILL))

    assert host.generate(SHORT, 30).finish_reason is FinishReason.LENGTH


def test_one_that_gives_no_sign_of_life_is_hung(host):
    with pytest.raises(ModelHung):
        host.generate(LONG, 1.0, None, lambda _: os.kill(host.pid, signal.SIGSTOP))


def test_a_text_may_take_longer_than_its_lease_as_long_as_pieces_come(host, pool):
    together = [pool.submit(host.generate, LONG, 1.0) for _ in range(3)]

    made = [one.result(120) for one in together]

    assert {one.tokens for one in made} == {2000}
    assert max(one.seconds for one in made) > 1.0


def test_what_is_no_prompt_is_bad_input_to_a_model_that_generates(host):
    with pytest.raises(BadInput, match="generates texts"):
        host.run(["a"], 10)


def test_a_prompt_that_is_refused_spoils_nothing(host):
    with pytest.raises(BadInput, match="empty"):
        host.generate(Prompt(inputs=""), 10)

    assert host.generate(SHORT, 30).text == ANSWER["text"]


def test_a_lease_that_ends_while_others_get_on_ends_its_own_text_alone(host, pool):
    began = [Event() for _ in range(MOST_SLOTS)]
    long = [pool.submit(host.generate, LONG, 30, None, lambda _, event=event: event.set()) for event in began]
    assert all(event.wait(30) for event in began)
    process = host.pid

    with pytest.raises(ModelHung, match=r"gave no answer within 0.2 s\.$"):
        host.generate(SHORT, 0.2)  # it waits for room

    assert host.pid == process
    assert [each.result(120).tokens for each in long] == [LONG.options.max_tokens] * MOST_SLOTS


def test_a_prompt_that_no_context_could_hold_is_refused_by_its_length(host):
    with pytest.raises(BadInput, match="characters"):
        host.generate(Prompt(inputs="word " * 100_000), 30)
