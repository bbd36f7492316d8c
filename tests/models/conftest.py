"""The real model, fetched once for all test runs of this machine, and a host of it."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import platformdirs
import psutil
import pytest

from models.catalogue import load_catalogue
from models.entry import CatalogueEntry
from models.host import ModelHost
from models.store import ModelStore
from tests.models.host_process import child_of


class StoredModel(NamedTuple):
    entry: CatalogueEntry
    folder: Path


@pytest.fixture(scope="session")
def minilm() -> StoredModel:
    """all-MiniLM-L6-v2 in ``STARAI_TEST_MODELS``, else in the user's cache. No test may write there."""
    chosen = os.environ.get("STARAI_TEST_MODELS")
    shared = Path(chosen) if chosen else platformdirs.user_cache_path("starai-test-models", appauthor=False)
    entry = load_catalogue().get("all-minilm-l6-v2")
    return StoredModel(entry, ModelStore(shared).ensure(entry))


@pytest.fixture
def host(minilm: StoredModel) -> Iterator[ModelHost]:
    """A host whose process has loaded the model."""
    with closing(ModelHost(minilm.entry, minilm.folder, threads=1)) as host:
        host.start()
        yield host


@pytest.fixture
def process(host: ModelHost) -> psutil.Process:
    """The model's process, loaded and idle."""
    return child_of(psutil.Process(), host)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that wait for runs; what a test that failed has left to run ends with its host."""
    pool = ThreadPoolExecutor(16)
    yield pool
    pool.shutdown(wait=False, cancel_futures=True)
