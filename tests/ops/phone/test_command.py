"""`starai phones` as a process: what a browser gets from it, and how it begins and ends."""

import re
import signal
import ssl
import sys

import httpx
import pytest

from broker_config.node import Node
from ops.phone.announced import announced_page
from ops.phone.assets import NEEDED
from ops.process import Process
from tests.ops.serve.serving import EMBEDS

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]


@pytest.fixture
def phones(tmp_path, until, monkeypatch):
    """Return a function that starts the page's server, as `starai up` does, and returns it once it serves."""
    monkeypatch.setenv("STARAI_PHONES_PORT", "0")
    started = []

    def start(*arguments):
        command = [sys.executable, "-P", "-m", "ops.cli", "phones", "--lifeline", *arguments]
        started.append(process := Process("page", command, tmp_path))
        until(lambda: process.has_said("page.ready") or process.exit_code is not None, 60)
        assert process.exit_code is None, process.last_words()
        return process

    yield start
    for process in started:
        process.kill()


def test_it_serves_the_page_that_ships_and_ends_with_its_lifeline(phones):
    process = phones()
    with httpx.Client(base_url=announced_page() or "", trust_env=False, follow_redirects=True) as browser:
        assert browser.get("/").url.path == "/phone/"
        for name in NEEDED:
            assert browser.get(f"/phone/{name}").status_code == 200
        assert browser.get("/phone/ca.pem").status_code == 404

    process.release()
    process.wait(30)
    assert process.exit_code == 0, process.last_words()
    assert announced_page() is None


def test_it_gives_the_networks_model_from_this_machines_store(home, phones):
    phones()
    url = f"{announced_page()}/phone/models/{EMBEDS}"
    with httpx.Client(trust_env=False, timeout=60) as phone:
        manifest = phone.get(url).json()
        tokenizer = next(file for file in manifest["files"] if file["path"] == "tokenizer.json")
        end = phone.get(f"{url}/tokenizer.json", headers={"Range": f"bytes={tokenizer['size'] - 2}-"})

    assert (manifest["longest"], manifest["graph"]["path"]) == (256, "minilm/graph.onnx")
    assert (end.status_code, len(end.content)) == (206, 2)


def test_other_machines_get_it_by_https_and_learn_whom_to_trust(phones, monkeypatch):
    monkeypatch.setenv("STARAI_BROKER_HOST", "127.0.0.2")
    process = phones()
    url, authority = announced_page() or "", Node().authority
    trusting = ssl.create_default_context(cadata=authority.pem)

    with httpx.Client(verify=trusting, trust_env=False) as browser:
        assert browser.get(f"{url}/phone/").status_code == 200
        assert browser.get(f"{url}/phone/ca.pem").text == authority.pem
        assert browser.get(f"{url}/phone/", headers={"Host": "evil.example"}).status_code == 403
    assert process.has_said(f"authority={authority.fingerprint}")
    assert re.fullmatch(r"https://127\.0\.0\.2:\d+", url)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(starai, until, number):
    server = starai("phones", "--port", "0")
    until(lambda: server.says("page.ready"), 60)

    assert server.end(number) == 0
    assert server.says("Stopped.")
    assert announced_page() is None


def test_help_names_the_variables(run):
    shown = run("phones", "--help").stdout

    assert "STARAI_PHONES_PORT" in shown
    assert "starai tokens issue --qr" in " ".join(shown.split())
