"""The phones' page beside the API: open to anybody, and the only thing that is."""

import pytest

from models.catalogue import shipped_catalogue
from models.store import ModelStore
from ops.phone.assets import load_assets
from ops.phone.models import ModelRoutes
from ops.phone.offers import Offers
from ops.phone.protection import HEADERS
from ops.phone.site import phone_site
from ops.serve.app import application
from ops.serve.network import Network
from starai.submission import DEADLINE
from tests.ops.phone.stand_in import build
from tests.ops.serve.library import error_of


@pytest.fixture
def app(library, tmp_path):
    network, catalogue = Network(library, lambda: library, DEADLINE), shipped_catalogue()
    page = phone_site(load_assets(build(tmp_path / "built")), ModelRoutes(Offers(ModelStore(), catalogue)))
    return application(network, catalogue, ("127.0.0.1",), 1, 1024, page)


@pytest.mark.parametrize(("path", "status"), [("", 307), ("/", 200), ("/page.js", 200), ("/none", 404)])
def test_the_page_needs_no_key(ask, path, status):
    answer = ask("GET", f"/phone{path}", {})

    assert answer.status_code == status
    assert status == 307 or {name: answer.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    ("path", "status"),
    [("/phone/../v1/models", 401), ("/phone/%2e%2e/v1/models", 404), ("/phone//v1/models", 404), ("/phones", 401)],
)
def test_nothing_else_is_had_by_its_address(ask, path, status):
    assert ask("GET", path, {}).status_code == status


def test_the_api_asks_for_a_key_as_before_and_the_page_for_the_servers_name(ask):
    assert ask("GET", "/v1/models", {}).status_code == 401
    assert ask("GET", "/v1/models").status_code == 200
    answer = ask("GET", "/phone/", {"Host": "evil.example"})
    assert (answer.status_code, error_of(answer)["code"]) == (403, "host_not_allowed")
