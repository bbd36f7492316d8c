"""The host with the real model, and real faults: killed, frozen, starved and orphaned processes."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil
import pytest

from models.catalogue import load_catalogue
from models.embedding import load_embedding
from models.host import ModelHost
from models.process import child_environment
from starai.errors import BadInput, Cancelled, EngineMissing, ModelCorrupt, ModelCrashed, ModelError, ModelHung
from tests.models.conftest import StoredModel

Until = Callable[..., None]

#: Work for more than half a minute.
LONG = ["stone " * 250] * 4096


@pytest.fixture
def host(minilm: StoredModel) -> Iterator[ModelHost]:
    with closing(ModelHost(minilm.entry, minilm.folder, threads=1)) as host:
        host.start()
        yield host


@pytest.fixture
def process(host: ModelHost) -> psutil.Process:
    """The model's process, loaded and idle."""
    return child_of(psutil.Process(), host)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


def child_of(parent: psutil.Process, host: ModelHost | None = None) -> psutil.Process:
    ours = [child for child in parent.children() if "models.child" in child.cmdline()]
    if host is not None:
        ours = [child for child in ours if host._process is not None and child.pid == host._process.pid]
    (child,) = ours
    return child


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def has_noticed(host: ModelHost) -> bool:
    """Whether the host knows that its process has ended."""
    return host._process is not None and not host._process.is_alive


def is_busy(process: psutil.Process, seconds: float = 1.0) -> Callable[[], bool]:
    """Return a condition: the process has computed for that long from now on."""
    begin = process.cpu_times().user
    return lambda: process.cpu_times().user > begin + seconds


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


def test_a_killed_process_fails_what_runs_and_the_next_run_starts_another(
    host: ModelHost, process: psutil.Process, pool: ThreadPoolExecutor, until: Until
):
    busy = is_busy(process)
    running = [pool.submit(host.run, LONG, None) for _ in range(2)]
    until(busy)
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


def test_closing_ends_what_runs(host: ModelHost, process: psutil.Process, pool: ThreadPoolExecutor, until: Until):
    busy = is_busy(process)
    running = pool.submit(host.run, LONG, None)
    until(busy)
    host.close()
    host.close()
    assert is_gone(process)
    with pytest.raises(ModelCrashed, match="was closed"):
        running.result(timeout=10)
    with pytest.raises(ModelError, match="is closed"):
        host.run(["late"], 1)


def test_a_run_that_is_cancelled_stops_at_its_next_step_and_the_process_goes_on_to_others(
    host: ModelHost, process: psutil.Process, pool: ThreadPoolExecutor, until: Until
):
    stop: Future[None] = Future()
    running = pool.submit(host.run, LONG, None, stop)
    until(is_busy(process))
    stop.set_result(None)
    with pytest.raises(Cancelled, match="all-minilm-l6-v2"):
        running.result(timeout=2)
    assert host.run(["next"], 10).shape == (1, 384)  # LONG would have gone on for half a minute
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
    assert host.run(["next"], 10).shape == (1, 384)


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
        until(is_busy(child))
        parent.kill()
    until(lambda: is_gone(child))


@pytest.fixture
def own_folder(minilm: StoredModel, tmp_path: Path) -> Path:
    """A copy of the model that the test may harm."""
    return Path(shutil.copytree(minilm.folder, tmp_path / "copy"))


def test_one_altered_byte_in_the_weights_is_refused(minilm: StoredModel, own_folder: Path):
    with (own_folder / "model.safetensors").open("r+b") as file:
        file.seek(50_000_000)
        file.write(bytes([file.read(1)[0] ^ 1]))
    with (
        closing(ModelHost(minilm.entry, own_folder, 1)) as host,
        pytest.raises(ModelCorrupt, match="Delete the folder"),
    ):
        host.start()


def test_a_truncated_file_is_refused_also_when_the_model_is_loaded_again(
    minilm: StoredModel, own_folder: Path, until: Until
):
    with closing(ModelHost(minilm.entry, own_folder, 1)) as host:
        host.start()
        process = child_of(psutil.Process(), host)
        (own_folder / "tokenizer.json").write_bytes(b"{}")
        process.kill()
        until(lambda: has_noticed(host))
        with pytest.raises(ModelCorrupt, match="2 bytes instead of"):
            host.run(["text"], 30)


def test_a_model_without_an_engine_says_so(tmp_path: Path):
    entry = load_catalogue().get("phi3-3.8b")
    with closing(ModelHost(entry, tmp_path, 1)) as host, pytest.raises(EngineMissing, match="no engine for generate"):
        host.start()


def test_a_models_py_in_the_current_folder_is_not_taken_for_ours(
    minilm: StoredModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "models.py").write_text("raise SystemExit('the wrong models')")
    (tmp_path / "starai.py").write_text("raise SystemExit('the wrong starai')")
    monkeypatch.chdir(tmp_path)
    with closing(ModelHost(minilm.entry, minilm.folder, 1)) as host:
        assert host.run(["text"], 30).shape == (1, 384)


def test_a_models_process_knows_none_of_our_settings():
    variables = {"STARAI_BROKER_URL": "amqp://u:secret@h", "STARAI_DATABASE_URL": "secret", "PATH": "/bin"}
    assert "secret" not in str(child_environment(variables, 2))
    assert child_environment(variables, 2)["PATH"] == "/bin"


def test_a_models_process_inherits_no_secret(minilm: StoredModel, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STARAI_BROKER_URL", "amqp://user:secret@host")
    with closing(ModelHost(minilm.entry, minilm.folder, 1)) as host:
        host.start()
        variables = child_of(psutil.Process(), host).environ()
    assert "STARAI_BROKER_URL" not in variables
    assert variables["ORT_DISABLE_TELEMETRY"] == "1"


def test_starting_in_two_threads_starts_one_process(minilm: StoredModel, pool: ThreadPoolExecutor):
    barrier = threading.Barrier(2)

    def start(host: ModelHost) -> int:
        barrier.wait()
        host.start()
        return child_of(psutil.Process(), host).pid

    with closing(ModelHost(minilm.entry, minilm.folder, 1)) as host:
        assert len(set(pool.map(start, [host, host]))) == 1
