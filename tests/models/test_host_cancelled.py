"""Runs that are cancelled, and those beside them."""

from concurrent.futures import Future, ThreadPoolExecutor

import psutil
import pytest

from models.host import ModelHost
from starai.errors import Cancelled
from tests.models.host_process import LONG, Until, is_busy


def test_a_run_that_is_cancelled_stops_at_its_next_step_and_the_process_goes_on_to_others(
    host: ModelHost, process: psutil.Process, pool: ThreadPoolExecutor, until: Until
):
    stop: Future[None] = Future()
    running = pool.submit(host.run, LONG, None, stop)
    until(is_busy(process), 60)
    stop.set_result(None)
    with pytest.raises(Cancelled, match="all-minilm-l6-v2"):
        running.result(timeout=10)
    assert host.run(["next"], 30).shape == (1, 384)  # LONG would have gone on for half a minute
    assert process.is_running()


def test_a_run_that_is_cancelled_while_it_waits_is_never_begun(
    host: ModelHost, process: psutil.Process, pool: ThreadPoolExecutor
):
    process.suspend()
    stops = [Future[None]() for _ in range(2)]
    waiting = [pool.submit(host.run, LONG, None, stop) for stop in stops]
    for stop in stops:
        stop.set_result(None)
    for run in waiting:
        with pytest.raises(Cancelled):
            run.result(timeout=2)
    process.resume()
    assert host.run(["next"], 30).shape == (1, 384)


def test_one_request_of_a_batch_is_cancelled_and_the_others_are_answered(
    host: ModelHost, process: psutil.Process, pool: ThreadPoolExecutor
):
    process.suspend()  # so that all wait together
    stop: Future[None] = Future()
    cancelled, other = pool.submit(host.run, LONG, None, stop), pool.submit(host.run, ["a", "b"], 30)
    stop.set_result(None)
    process.resume()
    assert other.result().shape == (2, 384)
    with pytest.raises(Cancelled):
        cancelled.result()
