"""The host with the real model: what it answers, and how its process comes and goes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import psutil
import pytest

from models.embedding import load_embedding
from models.host import ModelHost
from starai.errors import BadInput, ModelCrashed, ModelError
from tests.models.conftest import StoredModel
from tests.models.host_process import LONG, Until, child_of, is_busy, is_gone


def test_the_host_tells_its_process_while_there_is_one(minilm: StoredModel, until: Until) -> None:
    with closing(ModelHost(minilm.entry, minilm.folder, threads=1)) as host:
        assert host.pid is None
        host.start()
        first = child_of(psutil.Process(), host)
        assert host.pid == first.pid
        first.kill()
        until(lambda: host.pid is None)
        host.start()
        assert host.pid not in (None, first.pid)
    assert host.pid is None


def test_a_host_answers_with_the_models_own_vectors(host: ModelHost, minilm: StoredModel):
    texts = ["A cat sits on the mat.", "Привет", ""]
    rows = host.run(texts, timeout=30)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, load_embedding(*minilm, threads=1).run(texts), atol=1e-6)


def test_many_threads_each_get_their_own_answers(host: ModelHost, pool: ThreadPoolExecutor, minilm: StoredModel):
    requests = [[f"request {number} text {text}" for text in range(number % 4)] for number in range(40)]
    answers = list(pool.map(lambda request: host.run(request, 60), requests))
    engine = load_embedding(*minilm, threads=1)
    for request, answer in zip(requests, answers, strict=True):
        np.testing.assert_allclose(answer, engine.run(request), atol=1e-6)


def test_a_bad_text_is_bad_input_and_harms_no_request_beside_it(host: ModelHost, pool: ThreadPoolExecutor):
    bad, good = pool.submit(host.run, ["\ud800"], 30), pool.submit(host.run, ["fine"], 30)
    assert good.result().shape == (1, 384)
    with pytest.raises(BadInput, match="not valid Unicode"):
        bad.result()


def test_starting_in_two_threads_starts_one_process(minilm: StoredModel, pool: ThreadPoolExecutor):
    barrier = threading.Barrier(2)

    def start(host: ModelHost) -> int:
        barrier.wait()
        host.start()
        return child_of(psutil.Process(), host).pid

    with closing(ModelHost(minilm.entry, minilm.folder, 1)) as host:
        assert len(set(pool.map(start, [host, host]))) == 1


def test_closing_ends_what_runs(host: ModelHost, process: psutil.Process, pool: ThreadPoolExecutor, until: Until):
    busy = is_busy(process)
    running = pool.submit(host.run, LONG, None)
    until(busy, 60)
    host.close()
    host.close()
    assert is_gone(process)
    with pytest.raises(ModelCrashed, match="was closed"):
        running.result(timeout=10)
    with pytest.raises(ModelError, match="is closed"):
        host.run(["late"], 1)
