"""The load of this very machine, with a process that really keeps it busy."""

import logging
import os
import subprocess
import sys
import time
from dataclasses import dataclass

import psutil
import pytest

from worker import sensors
from worker.gpu_use import NvidiaGpus
from worker.load_sample import LoadSampler
from worker.sensors import Sensors

#: Works until its standard input ends, which processes below it share.
BUSY = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
while True: pass
"""
#: Waits while processes below it keep half of the machine busy.
PARENT = f"""
import os, subprocess, sys
for _ in range(max((os.cpu_count() or 1) // 2, 1)): subprocess.Popen([sys.executable, "-c", {BUSY!r}])
sys.stdin.read()
"""
#: What one process can take of the machine.
ONE = 1 / (psutil.cpu_count() or 1)

pytestmark = pytest.mark.process


@dataclass
class Hosted:
    pid: int | None


@pytest.fixture
def spawn():
    """Return a function that runs Python code in a process of its own."""
    started = []

    def run(code):
        started.append(subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE))
        return started[-1].pid

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def idle(spawn):
    return spawn("import sys; sys.stdin.read()")


def cpu_of_others(pids, seconds=0.5):
    found = Sensors()
    found.others(pids)
    time.sleep(seconds)  # what is measured is a rate
    return {model: use.cpu for model, use in found.others(pids).items()}


def test_a_models_own_work_is_not_its_load_but_is_that_of_the_other_models(spawn, idle, until):
    pids = {"mine": spawn(BUSY), "other": idle}

    # Whatever else this machine does is in both figures.
    def counted_for_others_only():
        others = cpu_of_others(pids)
        return 0.4 * ONE < others["other"] - others["mine"] < 1.2 * ONE

    until(counted_for_others_only)


def test_the_processes_below_a_models_own_are_the_models_too(spawn, idle, until):
    pids = {"mine": spawn(PARENT), "other": idle}

    def counted_for_others_only():
        others = cpu_of_others(pids)
        return others["other"] - others["mine"] > 0.4 * ONE

    until(counted_for_others_only)


def test_the_devices_own_process_is_no_load(idle, until):
    """This process works for one second; what it used is in none of the figures, beside what others used."""

    def own_share_left_out():
        found, busy_until = Sensors(), time.perf_counter() + 1.0
        found.others({"model": idle})
        begin, used = time.perf_counter(), time.process_time()
        machine = psutil.cpu_times()
        while time.perf_counter() < busy_until:
            pass
        cpu = found.others({"model": idle})["model"].cpu
        capacity = (time.perf_counter() - begin) * (psutil.cpu_count() or 1)
        own = (time.process_time() - used) / capacity
        now = psutil.cpu_times()
        idle_seconds = now.idle - machine.idle + getattr(now, "iowait", 0) - getattr(machine, "iowait", 0)
        return own > 0.4 * ONE and cpu == pytest.approx(max(1 - idle_seconds / capacity - own, 0), abs=0.15)

    until(own_share_left_out)


def test_a_model_whose_process_is_gone_still_has_a_load(spawn):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()

    others = cpu_of_others({"gone": gone.pid, "none": None, "busy": spawn(BUSY)})

    assert others["gone"] == others["none"] >= others["busy"]


def test_the_memory_that_a_model_holds_is_not_others(spawn, until):
    pid = spawn("import sys; held = bytearray(300 * 2**20); sys.stdin.read()")
    until(lambda: psutil.Process(pid).memory_info().rss > 300 * 2**20)

    uses = Sensors().others({"mine": pid, "other": None})

    assert uses["mine"].memory < uses["other"].memory < 1


def test_the_other_models_move_and_the_busy_one_does_not_for_its_own_work(spawn, idle, until):
    sampler = LoadSampler({"busy": Hosted(spawn(PARENT)), "other": Hosted(idle)}, period=0.1)
    assert sampler.step("other") == 0.0
    sampler.start()
    try:
        until(lambda: sampler.step("other") - sampler.step("busy") >= 0.1, 60)
    finally:
        sampler.stop()


def test_stopping_ends_the_thread_and_may_be_done_twice_or_without_a_start():
    sampler = LoadSampler({"model": Hosted(None)}, period=60)
    sampler.stop()
    running = LoadSampler({"model": Hosted(None)}, period=60)
    running.start()
    running.stop()
    running.stop()


def test_a_sensor_that_fails_is_logged_once_and_the_others_go_on(monkeypatch, caplog, spawn):
    def fail():
        raise OSError("no such counter")

    monkeypatch.setattr(sensors.psutil, "virtual_memory", fail)
    found = Sensors()
    with caplog.at_level(logging.WARNING):
        uses = [found.others({"model": os.getpid(), "other": None})["model"] for _ in range(3)]

    assert {use.memory for use in uses} == {0.0}
    assert [record.sensor for record in caplog.records] == ["memory"]


def test_where_there_is_no_nvidia_driver_no_gpu_is_used():
    gpus = NvidiaGpus()
    try:
        assert all(0 <= share <= 1 for share in gpus.use())
    finally:
        gpus.close()
