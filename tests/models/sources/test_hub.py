"""Models from the Hugging Face hub, or what answers like it."""

import logging

import pytest

from models.catalogue import load_catalogue
from models.sources import patience
from starai.errors import ModelUnavailable
from tests.models.sources.conftest import FILES, WEIGHTS, an_entry, content, write
from tests.models.sources.web import COMMIT, REPOSITORY, Fault

TOKEN = "hf_nobodyMaySeeThis"
LISTING = "revision/main"


def test_a_folder_of_a_repository_is_a_model(store, at_hub):
    assert content(store.ensure(at_hub)) == FILES


def test_without_a_folder_all_files_but_hidden_ones_are_the_model(store, hub):
    folder = store.ensure(an_entry({"type": "huggingface", "repository": REPOSITORY}))
    assert sorted(content(folder)) == [
        "README.md",
        "cpu/genai_config.json",
        "cpu/model.onnx",
        "cpu/model.onnx.data",
        "gpu/model.onnx",
    ]


def test_the_files_may_be_chosen_by_patterns_folder_by_folder(store, hub):
    write(hub.folder, {"config.json": b"{}", "cpu/deep/model.onnx": b"deep"})
    source = {"type": "huggingface", "repository": REPOSITORY, "include": ["*.json", "*/model.onnx"]}
    assert sorted(content(store.ensure(an_entry(source)))) == ["config.json", "cpu/model.onnx", "gpu/model.onnx"]


def test_what_is_fetched_is_of_the_commit_that_was_looked_at(store, at_hub, hub):
    store.ensure(at_hub)
    assert all(COMMIT in one.path for one in hub.asked if "/resolve/" in one.path)


def test_a_file_that_was_cut_off_is_gone_on_with_where_it_was(store, at_hub, hub):
    hub.faults["cpu/model.onnx.data"] = [Fault(), Fault(cut=len(WEIGHTS) // 2)]  # the redirection, then the content
    assert content(store.ensure(at_hub)) == FILES
    assert f"bytes={len(WEIGHTS) // 2}-" in hub.bytes_sent_for("cpu/model.onnx.data")


@pytest.mark.parametrize("name", ["model.onnx.data", "genai_config.json"])
def test_a_file_that_is_not_what_the_hub_says_is_fetched_once_more(store, at_hub, hub, name):
    hub.faults[f"cpu/{name}"] = [Fault(), Fault(altered=True)]
    assert content(store.ensure(at_hub)) == FILES
    assert len(hub.bytes_sent_for(f"cpu/{name}")) == 4


def test_a_token_is_shown_to_the_hub_and_to_nobody_else(store, at_hub, hub, monkeypatch):
    hub.token = TOKEN
    monkeypatch.setenv("HF_TOKEN", TOKEN)

    assert content(store.ensure(at_hub)) == FILES

    shown = {("/resolve/" in one.path or "/api/" in one.path, one.authorization) for one in hub.asked}
    assert shown == {(True, f"Bearer {TOKEN}"), (False, None)}


def test_the_token_of_the_hubs_own_login_is_used(store, at_hub, hub, monkeypatch, tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    hub.token = TOKEN
    assert content(store.ensure(at_hub)) == FILES


@pytest.mark.parametrize("token", [None, TOKEN, f"{TOKEN}\nX-Other: 1"])
def test_a_model_that_is_not_for_everybody_says_what_to_do_and_tells_no_token(
    store, at_hub, hub, monkeypatch, caplog, token
):
    caplog.set_level(logging.DEBUG)
    hub.token = "another"
    if token:
        monkeypatch.setenv("HF_TOKEN", token)

    with pytest.raises(
        ModelUnavailable, match=r"(?s)accept its terms at https://huggingface\.co/.* HF_TOKEN"
    ) as caught:
        store.ensure(at_hub)

    assert TOKEN not in f"{caught.value!r} {caught.getrepr(style='long')} {caplog.text}"


def test_a_repository_that_is_not_there_is_told_of(store, hub):
    with pytest.raises(ModelUnavailable, match=r"nobody/nothing at 127\.0\.0\.1 has no such file \(404\)"):
        store.ensure(an_entry({"type": "huggingface", "repository": "nobody/nothing"}))


def test_a_repository_that_was_laid_out_anew_is_told_of(store, hub):
    with pytest.raises(ModelUnavailable, match="it may have been laid out anew"):
        store.ensure(an_entry({"type": "huggingface", "repository": REPOSITORY, "folder": "elsewhere"}))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_hub_that_fails_for_a_moment_is_asked_again(store, at_hub, hub, status):
    hub.faults[LISTING] = [Fault(status=status, headers=(("Retry-After", "0"),))] * 2
    assert content(store.ensure(at_hub)) == FILES


def test_a_hub_that_fails_on_is_told_of_after_some_tries(store, at_hub, hub):
    hub.faults[LISTING] = [Fault(status=503)] * 99
    with pytest.raises(ModelUnavailable, match="failure of its own"):
        store.ensure(at_hub)
    assert len(hub.asked) == patience.TRIES


def test_something_else_in_the_place_of_a_mirror_is_told_of(store, at_hub, hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", f"{hub.url}/cpu/model.onnx?")
    with pytest.raises(ModelUnavailable, match="whether it is a mirror"):
        store.ensure(at_hub)


@pytest.mark.parametrize("endpoint", ["not an address", "http://127.0.0.1:9", "ftp://127.0.0.1"])
def test_a_mirror_that_is_none_is_told_of(store, at_hub, monkeypatch, endpoint):
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(ModelUnavailable):
        store.ensure(at_hub)


def test_a_hub_that_was_switched_off_is_told_of(store, at_hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelUnavailable, match="HF_HUB_OFFLINE"):
        store.ensure(at_hub)


def test_a_path_that_leads_out_of_the_folder_is_no_file_of_a_model(store, hub, monkeypatch):
    monkeypatch.setattr(type(hub), "listing", lambda self: _LISTING_OF_A_THIEF)
    with pytest.raises(ModelUnavailable, match="has no file of the model"):
        store.ensure(an_entry({"type": "huggingface", "repository": REPOSITORY}))


_LISTING_OF_A_THIEF = b"""{"id": "a/b", "sha": "5c0ffee", "siblings": [
    {"rfilename": "../../.bashrc", "size": 1, "blobId": "1"},
    {"rfilename": "/etc/passwd", "size": 1, "blobId": "1"}]}"""


def test_a_model_that_nobody_publishes_says_how_it_is_built(store):
    with pytest.raises(ModelUnavailable, match=r"(?s)141 GB of memory: `python -m .*builder .*--from FOLDER"):
        store.ensure(load_catalogue().get("llama3-70b"))
