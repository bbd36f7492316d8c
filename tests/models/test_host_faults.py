"""Real faults of the model's process: killed, frozen, starved, interrupted and orphaned."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from models.host import ModelHost
from starai.errors import ModelCrashed, ModelError, ModelHung
from tests.models.conftest import StoredModel
from tests.models.host_process import LONG, Until, child_of, has_noticed, is_busy, is_gone


def test_a_killed_process_fails_what_runs_and_the_next_run_starts_another(
    host: ModelHost, process: psutil.Process, pool: ThreadPoolExecutor, until: Until
):
    busy = is_busy(process)
    running = [pool.submit(host.run, LONG, None) for _ in range(2)]
    until(busy, 60)
    process.kill()
    for run in running:
        with pytest.raises(ModelCrashed, match="The process of the model"):
            run.result(timeout=10)
    assert host.run(["again"], 30).shape == (1, 384)


def test_an_idle_process_that_was_killed_is_replaced(host: ModelHost, process: psutil.Process, until: Until):
    process.kill()
    until(lambda: has_noticed(host))
    assert host.run(["again"], 30).shape == (1, 384)


def test_a_frozen_process_is_ended_at_the_timeout(
    host: ModelHost, process: psutil.Process, pool: ThreadPoolExecutor, until: Until
):
    process.suspend()
    beside = pool.submit(host.run, ["patient"], None)
    with pytest.raises(ModelHung, match=r"within 0\.5 s"):
        host.run(["hasty"], 0.5)
    with pytest.raises(ModelCrashed, match="beside yours"):
        beside.result(timeout=10)
    until(lambda: is_gone(process))
    assert host.run(["again"], 30).shape == (1, 384)


def test_a_frozen_process_holds_nobody_who_sends_more_than_its_pipe_takes(
    host: ModelHost, process: psutil.Process, pool: ThreadPoolExecutor
):
    process.suspend()
    runs = [pool.submit(host.run, LONG, 0.5) for _ in range(2)]
    for run in runs:
        with pytest.raises(ModelError):
            run.result(timeout=10)


@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_AS"), reason="only Linux can take memory from a running process")
def test_a_process_without_memory_fails_that_run_and_lives_on(host: ModelHost, process: psutil.Process):
    host.run(["warm"], 30)
    unlimited = process.rlimit(psutil.RLIMIT_AS)
    process.rlimit(psutil.RLIMIT_AS, (process.memory_info().vms + (1 << 20), unlimited[1]))
    with pytest.raises(ModelError) as caught:
        host.run(["stone " * 250] * 32, 30)
    assert type(caught.value) is ModelError
    process.rlimit(psutil.RLIMIT_AS, unlimited)
    assert host.run(["again"], 30).shape == (1, 384)
    assert process.is_running()


def test_interrupts_are_the_hosts_affair(host: ModelHost, process: psutil.Process):
    if sys.platform != "win32":
        assert os.getpgid(process.pid) != os.getpgid(0)
        process.send_signal(2)
        process.terminate()
    assert host.run(["still here"], 30).shape == (1, 384)
    assert process.is_running()


_PARENT = """
import sys; from pathlib import Path
from models.catalogue import load_catalogue; from models.host import ModelHost
host = ModelHost(load_catalogue().get("all-minilm-l6-v2"), Path(sys.argv[1]), 1); host.start(); print(flush=True)
host.run(["stone " * 250] * 4096, None)
"""


def test_a_killed_parent_leaves_no_process_though_the_model_runs(minilm: StoredModel, until: Until):
    command = [sys.executable, "-c", _PARENT, str(minilm.folder)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        child = child_of(psutil.Process(parent.pid))
        until(is_busy(child), 60)
        parent.kill()
    until(lambda: is_gone(child))
