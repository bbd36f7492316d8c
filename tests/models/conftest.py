"""The real model, fetched once for all test runs of this machine."""

import os
from pathlib import Path
from typing import NamedTuple

import platformdirs
import pytest

from models.catalogue import load_catalogue
from models.entry import CatalogueEntry
from models.store import ModelStore


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
