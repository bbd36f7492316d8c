"""The store between processes: real ones, some of which are killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from models.store import ModelStore
from starai.errors import ModelInUse
from tests.models.sources.conftest import FILES, WEIGHTS, content
from tests.models.sources.web import Fault

pytestmark = pytest.mark.process

BIG = "model.onnx.data"
HALF = len(WEIGHTS) // 2
_BEGIN = """
import sys; from pathlib import Path; from broker_config.logs import log_to_stderr; log_to_stderr()
from models.entry import CatalogueEntry; from models.store import ModelStore
store, entry = ModelStore(Path(sys.argv[1])), CatalogueEntry.model_validate_json(sys.argv[2])
"""
PULL = "print(store.ensure(entry))"
USE = "with store.using(entry): print('uses it', flush=True); sys.stdin.read()"


@pytest.fixture
def start(store, entry):
    """Start processes that do something with the model, and log to standard error."""
    started = []

    def process(code):
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", _BEGIN + code, str(store.folder), entry.model_dump_json()]
        root = Path(__file__).parents[3]
        started.append(subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield process
    for one in started:
        one.kill()
        one.communicate()


def test_processes_that_pull_at_once_do_the_work_once(start, web):
    outputs = [process.communicate(timeout=100) for process in [start(PULL) for _ in range(2)]]

    assert len({out for out, _ in outputs}) == 1
    assert sum(err.count("model.fetched") for _, err in outputs) == 1
    assert len(web.asked) == len(FILES)


def test_a_pull_that_was_killed_is_gone_on_with_by_the_next_one(start, web, store, entry, until):
    web.faults[BIG] = [Fault(cut=HALF, stalls=True)]
    pulling = start(PULL)
    partial = store.partial_folder("test-model") / "files" / BIG
    until(lambda: partial.is_file() and partial.stat().st_size >= HALF - 2**16, 60)
    pulling.kill()
    pulling.wait()
    kept = partial.stat().st_size

    assert store.names() == []
    assert content(store.ensure(entry)) == FILES
    assert web.bytes_sent_for(BIG) == [None, f"bytes={kept}-"]


def test_one_that_waits_for_a_process_that_is_killed_goes_on_itself(start, web, store, until):
    web.faults[BIG] = [Fault(cut=HALF, stalls=True)]
    first = start(PULL)
    assert web.reached.wait(60)
    second = start(PULL)
    first.kill()

    second.communicate(timeout=100)

    assert second.returncode == 0
    assert content(store.folder / "test-model") == FILES


def test_a_model_that_a_process_uses_is_not_removed(start, store, entry):
    store.ensure(entry)
    user = start(USE)
    assert user.stdout.readline() == "uses it\n"

    with pytest.raises(ModelInUse, match="starai-worker exit"):
        store.remove("test-model")
    assert store.is_used("test-model")

    user.communicate("", timeout=60)
    assert store.remove("test-model")
    assert store.names() == []


def test_a_process_that_was_killed_uses_nothing_any_more(start, store, entry):
    store.ensure(entry)
    user = start(USE)
    user.stdout.readline()
    user.kill()
    user.wait()

    assert not ModelStore(store.folder).is_used("test-model")
    assert not list(store.folder.glob("*.use-*"))
