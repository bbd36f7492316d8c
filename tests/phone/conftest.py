"""The model part of the phones' page, in a real browser."""

from collections.abc import Iterator, Mapping

import pytest
from playwright.sync_api import Browser

from bench.browser.built import built
from bench.browser.chromium import chromium
from ops.phone.assets import Asset
from tests.models.conftest import minilm  # noqa: F401 - a fixture


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Asset]:
    """The model part, built now."""
    return built(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """This machine's own Chromium."""
    with chromium() as browser:
        yield browser
