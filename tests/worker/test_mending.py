"""A real model whose files are corrupted under its device, and whose process cannot be started any more."""

import os
import shutil
import signal
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from models.catalogue import Catalogue
from models.host import ModelHost
from models.store import ModelStore, from_folder
from starai.errors import ModelCorrupt
from tests.models.conftest import minilm  # noqa: F401 - a fixture
from worker import recovery
from worker.mending import mend
from worker.recovery import NotedModel, Recovery


@pytest.fixture
def entry(minilm):  # noqa: F811
    return minilm.entry


@pytest.fixture
def folder(minilm, tmp_path, monkeypatch):  # noqa: F811
    """The model in a store of the test's own, whose source is the machine's."""
    monkeypatch.setenv("STARAI_HOME", str(tmp_path))
    entry = from_folder(minilm.entry, minilm.folder)
    monkeypatch.setattr("worker.mending.load_catalogue", lambda: Catalogue((entry,)))
    return ModelStore().ensure(entry)


@pytest.fixture
def host(entry, folder):
    with closing(ModelHost(entry, folder, threads=1)) as host:
        host.start()
        yield host


def corrupt(folder: Path) -> None:
    """Put other files in the place of all: the old ones are linked to the machine's."""
    for file in (path for path in folder.rglob("*") if path.is_file()):
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(content[:-1])


def kill(host: ModelHost) -> None:
    os.kill(host.pid, signal.SIGKILL)


def test_a_model_that_crashed_is_loaded_again(host, entry, until):
    kill(host)
    until(lambda: host.pid is None)

    mend(entry.name, host)

    assert host.run(["a"], 10).shape == (1, 384)


def test_a_model_whose_files_are_corrupt_is_fetched_anew_and_loaded(host, entry, folder, until):
    kill(host)
    until(lambda: host.pid is None)
    corrupt(folder)

    mend(entry.name, host)

    assert host.run(["a"], 10).shape == (1, 384)


def test_a_model_whose_source_is_gone_is_broken_until_it_is_there_again(host, entry, folder, until, monkeypatch):
    monkeypatch.setattr(recovery, "FIRST_PAUSE", 0.1)
    source = []

    def repair(store, entry):
        if not source:
            raise ModelCorrupt("nothing there")
        return store.ensure(entry)

    monkeypatch.setattr(ModelStore, "repair", repair)
    corrupt(folder)
    model = Recovery(entry.name, partial(mend, entry.name, host))
    noted = NotedModel(host, model)
    kill(host)
    until(lambda: host.pid is None)
    with pytest.raises(ModelCorrupt):
        noted.run(["a"], 10)

    until(lambda: model.reason == "nothing there")
    assert model.is_under_way
    shutil.rmtree(folder)
    source.append("again")

    until(lambda: not model.is_under_way, 30)
    assert noted.run(["a"], 10).shape == (1, 384)
