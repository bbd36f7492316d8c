"""The page's server as an application, over a page and a model that are small."""

from pathlib import Path

import pytest
from starlette.applications import Starlette

from models.entry import CatalogueEntry
from models.store import ModelStore
from ops.phone.app import application
from ops.phone.assets import load_assets
from ops.phone.models import ModelRoutes
from ops.phone.offers import Offers
from tests.ops.phone.stand_in import Ask, asking, build, catalogue, model

HOSTS = ("127.0.0.1", "phones.example")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Where the model comes from."""
    return tmp_path / "source"


@pytest.fixture
def small(source: Path) -> CatalogueEntry:
    """A model that phones may have, and that is not here yet."""
    return model(source)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture
def routes(store: ModelStore, small: CatalogueEntry) -> ModelRoutes:
    return ModelRoutes(Offers(store, catalogue(small)))


@pytest.fixture
def app(tmp_path: Path, routes: ModelRoutes) -> Starlette:
    return application(load_assets(build(tmp_path / "built")), routes, HOSTS)


@pytest.fixture
def ask(app: Starlette) -> Ask:
    """Return a function that sends a request and returns the answer, whole."""
    return asking(app)
