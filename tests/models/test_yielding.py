"""The share is kept while a model runs: measured on a real process of a real model."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from models.host import ModelHost
from models.yielding import NICER
from starai.errors import ModelError
from tests.models.host_process import LONG, Until

pytestmark = pytest.mark.process


def model_process(host: ModelHost) -> psutil.Process:
    """Return the process with the model in it: on Windows a virtual environment's interpreter has another below."""
    assert host.pid is not None
    process = psutil.Process(host.pid)
    return next(iter(process.children(recursive=True)), process)


def test_a_models_process_has_a_priority_below_normal(host: ModelHost) -> None:
    nice = model_process(host).nice()
    if sys.platform == "win32":
        assert nice == psutil.BELOW_NORMAL_PRIORITY_CLASS
    else:
        assert nice == min(os.nice(0) + NICER, 19)


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this system shares by process, not by session")
def test_a_models_session_has_a_priority_below_normal_too(host: ModelHost) -> None:
    autogroup = Path(f"/proc/{host.pid}/autogroup").read_text()
    assert autogroup.split()[-1] == str(model_process(host).nice())


def test_a_model_under_load_uses_no_more_threads_than_it_has(host: ModelHost, until: Until) -> None:
    process = model_process(host)
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(host.run, LONG, None) for _ in range(4)]
        until(lambda: process.cpu_times().user > 1)  # by now it computes
        wall, cpu = time.monotonic(), cpu_seconds(process)
        until(lambda: time.monotonic() > wall + 2)
        wall, cpu = time.monotonic() - wall, cpu_seconds(process) - cpu
        host.close()
        for run in running:
            with pytest.raises(ModelError):
                run.result()
    assert 0.1 * wall < cpu < 1.1 * wall


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
