"""`starai serve` over a real broker that is full, lost, or back, with a device that answers at once or never."""

import ssl

import httpx
import numpy as np
import openai
import pytest
from openai import OpenAI

from broker_config import names
from broker_config.authority import Authority
from broker_config.topology import Limits
from ops.serve.keys import issue_key
from starai import Client
from starai.errors import Rejected
from tests.conftest import Broker
from tests.ops.serve.serving import EMBEDS, serving
from tests.starai.conftest import QUEUES, TinyDevice, answers, vector

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]


@pytest.fixture
def server(own_broker, monkeypatch, tmp_path):
    monkeypatch.setenv("STARAI_BROKER_URL", own_broker.submitter("ann"))
    with serving(tmp_path / "serve.log") as server:
        yield server


@pytest.fixture
def ask(server):
    with OpenAI(base_url=server.url, api_key=issue_key("other"), timeout=60, max_retries=0) as client:
        yield client


@pytest.fixture(autouse=True)
def _has_a_key(_clean_environment):
    issue_key("laptop")


@pytest.fixture
def device(own_broker):
    device = TinyDevice(own_broker.device("tiny-device", *QUEUES), answers, QUEUES)
    yield device
    device.close()


def test_a_full_queue_is_a_limit_that_is_told_with_when_to_try_again(own_node, monkeypatch, tmp_path):
    full = Broker(own_node, names.VHOST)
    full.apply(limits=Limits(queue_length=1))
    monkeypatch.setenv("STARAI_BROKER_URL", full.submitter("ann"))
    key = issue_key("other")

    with serving(tmp_path / "serve.log") as server, httpx.Client(trust_env=False, timeout=60) as client:
        asked = {"json": {"model": EMBEDS, "input": "text"}, "headers": {"Authorization": f"Bearer {key}"}}
        with Client() as library:
            while not is_full(library):
                pass
        answer = client.post(f"{server.url}/embeddings", **asked)

    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert answer.headers["retry-after"] == "2"


def is_full(library):
    try:
        library.submit(EMBEDS, "text")
    except Rejected:
        return True
    return False


def test_a_server_with_a_certificate_is_spoken_to_by_https(own_broker, monkeypatch, tmp_path):
    monkeypatch.setenv("STARAI_BROKER_URL", own_broker.submitter("ann"))
    authority = Authority(tmp_path / "tls")
    authority.ensure()
    files = "--tls-cert", str(authority.certificate), "--tls-key", str(authority.certificate)

    with serving(tmp_path / "serve.log", *files) as server:
        trusted = ssl.create_default_context(cafile=authority.file)
        answer = httpx.get(server.url.replace("/v1", "/healthz"), verify=trusted, trust_env=False)
        assert server.url.startswith("https://")
        assert answer.json() == {"status": "ok"}
        assert server.end() == 0


def embedded(ask, text="text"):
    return ask.embeddings.create(model=EMBEDS, input=text).data[0].embedding


def health(server):
    return httpx.get(server.url.replace("/v1", "/healthz"), trust_env=False).status_code


def test_a_lost_broker_is_an_error_of_each_request_until_it_is_back(own_broker, server, ask, device, crash, until):
    assert np.allclose(embedded(ask), vector("text"))
    crash(own_broker.node)
    until(lambda: health(server) == 503)

    with pytest.raises(openai.InternalServerError) as caught:
        embedded(ask)
    assert (caught.value.status_code, caught.value.code) == (503, "network_unreachable")
    own_broker.node.start(lifeline=True)

    until(lambda: health(server) == 200, 60)
    assert np.allclose(embedded(ask, "another"), vector("another"))


def test_a_login_that_was_refused_and_is_there_again_needs_no_restart(own_broker, server, ask, device, until):
    own_broker.node.api.delete_user("ann")
    until(lambda: health(server) == 503, 60)
    with pytest.raises(openai.InternalServerError):
        embedded(ask)
    own_broker.submitter("ann")

    def answered():
        try:
            return embedded(ask)
        except openai.InternalServerError:
            return None

    until(answered, 60)


def test_without_a_network_it_says_so_and_ends(monkeypatch, tmp_path, own_broker, crash):
    monkeypatch.setenv("STARAI_BROKER_URL", own_broker.submitter("ann"))
    crash(own_broker.node)
    with serving(tmp_path / "serve.log") as server:
        assert server.process.wait(60) == 1
        assert "Error: " in server.said
        assert "Traceback" not in server.said
