"""How many slots a model deserves: the choice, and the measurement itself."""

import os
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tokenizers import Tokenizer

from models.calibration import Calibration
from models.catalogue import load_catalogue
from models.entry import Kind
from models.messages import Request
from models.microbatch import take
from models.plan import MOST_SLOTS
from models.store import ModelStore
from starai.errors import ModelCorrupt
from starai.generation import Generated
from tests.models.tiny_models import TINY, tiny_entry
from worker.calibrate import AT_ONCE, ENOUGH, PROMPT, TASK, calibrate, calibrate_model, calibrate_texts, choose

pytestmark = pytest.mark.process

RATES = st.fixed_dictionaries(dict.fromkeys(AT_ONCE, st.floats(0.01, 1e5)))


@pytest.fixture(scope="module")
def minilm():
    """The real model's entry and its folder, where no test may write."""
    chosen = os.environ.get("STARAI_TEST_MODELS")
    shared = Path(chosen) if chosen else platformdirs.user_cache_path("starai-test-models", appauthor=False)
    entry = load_catalogue().get("all-minilm-l6-v2")
    return entry, ModelStore(shared).ensure(entry)


class Batched:
    """Runs as one batch what waits together, as a model's process does; a batch takes as long as ``cost`` says."""

    kind = Kind.EMBED

    def __init__(self, cost):
        self._cost = cost
        self._waiting = SimpleQueue()
        threading.Thread(target=self._serve, daemon=True).start()

    def run(self, inputs, timeout, stop=None):
        answer = Future()
        self._waiting.put(Request(answer, inputs))
        return answer.result(timeout)

    def _serve(self):
        while True:
            batch = take(self._waiting)
            time.sleep(self._cost(len(batch)))
            for request in batch:
                request.id.set_result(np.zeros((len(request.asked), 1)))


def test_a_few_slots_that_are_nearly_as_fast_as_many_are_enough():
    assert choose({1: 60.0, 2: 91.0, 4: 100.0, 8: 99.0}) == Calibration(slots=2, tasks_per_second=91.0)
    assert choose({1: 60.0, 2: 80.0, 4: 99.0, 8: 110.0}) == Calibration(slots=4, tasks_per_second=99.0)


def test_where_batching_does_not_help_one_slot_is_enough():
    assert choose(dict.fromkeys(AT_ONCE, 5.0)).slots == 1


@given(RATES)
def test_the_choice_is_good_enough_and_no_smaller_one_is(rates):
    chosen = choose(rates)

    assert chosen.tasks_per_second == rates[chosen.slots] >= ENOUGH * max(rates.values())
    assert all(rate < ENOUGH * max(rates.values()) for at_once, rate in rates.items() if at_once < chosen.slots)


@pytest.mark.parametrize("figures", [{"slots": 0, "tasks_per_second": 1}, {"slots": 1, "tasks_per_second": 0}])
def test_no_slots_and_no_speed_are_refused(figures):
    with pytest.raises(ValidationError):
        Calibration(**figures)


def test_a_model_whose_batches_cost_as_much_as_one_task_gets_several_slots():
    found = calibrate(Batched(lambda tasks: 0.02), travel=0.0)

    assert found.slots >= 4
    assert found.tasks_per_second > 1.5 * 50


def test_a_model_whose_batches_gain_nothing_gets_one_slot_where_tasks_do_not_travel():
    found = calibrate(Batched(lambda tasks: 0.02 * tasks), travel=0.0)

    assert found.slots == 1
    assert 25 < found.tasks_per_second <= 50


def test_while_a_task_travels_another_slot_keeps_the_model_at_work():
    found = calibrate(Batched(lambda tasks: 0.02 * tasks), travel=0.02)

    assert found.slots > 1
    assert 25 < found.tasks_per_second <= 50


def test_the_measurement_takes_about_two_seconds():
    begin = time.perf_counter()
    calibrate(Batched(lambda tasks: 0.005))

    assert 2.0 < time.perf_counter() - begin < 4.0


class Speaks:
    """Makes texts as fast as told, of so many tokens, and remembers what it was asked."""

    def __init__(self, tokens_per_second, tokens=32, first=0.5):
        self._seconds, self._tokens, self._first = 1 / tokens_per_second, tokens, first
        self.asked = []

    def generate(self, prompt, timeout, stop, on_piece):
        self.asked.append(prompt)
        return Generated(
            text="",
            finish_reason="length",
            prompt_tokens=18,
            tokens=self._tokens,
            first_token_seconds=self._first,
            seconds=self._first + (self._tokens - 1) * self._seconds,
        )


def test_a_language_model_gets_as_many_slots_as_have_ten_tokens_a_second_each():
    found = calibrate_texts(Speaks(29.8))

    assert found.slots == 2
    assert found.tasks_per_second == pytest.approx(1 / (0.5 + 31 / 29.8))
    assert calibrate_texts(Speaks(1000)).slots == MOST_SLOTS


def test_a_language_model_that_is_slower_than_predicted_keeps_one_slot():
    assert calibrate_texts(Speaks(3)).slots == 1


def test_every_device_is_measured_with_the_same_short_text():
    speaks = Speaks(50)
    calibrate_texts(speaks)

    assert {prompt.model_dump_json() for prompt in speaks.asked} == {PROMPT.model_dump_json()}
    assert (PROMPT.options.temperature, PROMPT.options.max_tokens) == (0, 32)


def test_a_language_model_that_ends_its_text_at_once_is_measured_all_the_same():
    assert calibrate_texts(Speaks(50, tokens=1)) == Calibration(slots=1, tasks_per_second=2.0)


@pytest.mark.process
def test_a_real_language_model_is_measured_and_ended():
    found = calibrate_model(tiny_entry("tiny-llama"), TINY / "tiny-llama", threads=1)

    assert found is not None
    assert found.slots == MOST_SLOTS
    assert 1 < found.tasks_per_second < 1000


@pytest.mark.process
def test_the_task_is_small(minilm):
    _, folder = minilm
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()

    assert all(16 <= len(encoding.ids) <= 20 for encoding in tokenizer.encode_batch(list(TASK)))


@pytest.mark.process
def test_the_real_model_is_measured_and_ended(minilm):
    found = calibrate_model(*minilm, threads=1)

    assert found.slots in AT_ONCE
    # One thread of a fast processor does some 140 such tasks, 16 tokens by 4, in a second.
    assert 1 < found.tasks_per_second < 1000


@pytest.mark.process
def test_a_model_that_cannot_be_loaded_is_not_measured(minilm, tmp_path):
    entry, _ = minilm

    with pytest.raises(ModelCorrupt):
        calibrate_model(entry, tmp_path, threads=1)
