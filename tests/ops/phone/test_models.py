"""The models that phones get: what one consists of, its files in whole or in part, and what is not there yet."""

import asyncio
import hashlib
import threading

import pytest

from models.catalogue import shipped_catalogue
from models.entry import Kind
from models.store import ModelStore
from ops.phone import offers
from ops.phone.app import application
from ops.phone.models import ModelRoutes
from ops.phone.offer import is_for_phones
from ops.phone.offers import Offers
from tests.ops.phone.stand_in import NAME, WEIGHTS, asking, catalogue, model

AT = f"/phone/models/{NAME}"
WHERE = f"{AT}/model.safetensors"
SHA = hashlib.sha256(WEIGHTS).hexdigest()


def test_a_manifest_says_what_a_model_consists_of_and_all_of_it_can_be_had(ask):
    manifest = ask(AT).json()

    assert (manifest["name"], manifest["kind"], manifest["longest"]) == (NAME, "embed", 256)
    assert {"path": "model.safetensors", "size": len(WEIGHTS), "sha256": SHA} in manifest["files"]
    assert manifest["graph"]["path"] == "minilm/graph.onnx"
    for file in (manifest["graph"], *manifest["files"]):
        answer = ask(f"{AT}/{file['path']}")
        assert (answer.status_code, len(answer.content)) == (200, file["size"])
        assert hashlib.sha256(answer.content).hexdigest() == file["sha256"]
        assert answer.headers["content-type"] == "application/octet-stream"


def test_a_download_goes_on_where_it_was_cut_off(ask):
    rest = ask(WHERE, Range="bytes=1000-", **{"If-Range": f'"{SHA}"'})
    some = ask(WHERE, Range="bytes=10-19")

    assert (rest.status_code, rest.content) == (206, WEIGHTS[1000:])
    assert rest.headers["content-range"] == f"bytes 1000-{len(WEIGHTS) - 1}/{len(WEIGHTS)}"
    assert (some.status_code, some.content) == (206, WEIGHTS[10:20])
    assert ask(WHERE, Range="bytes=1000-", **{"If-Range": '"of another"'}).content == WEIGHTS


def test_a_part_beyond_the_end_is_refused_and_says_how_long_the_file_is(ask):
    answer = ask(WHERE, Range=f"bytes={len(WEIGHTS)}-")

    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(WEIGHTS)}"


def test_a_file_is_known_by_its_sha256_and_kept_for_ever_where_its_address_has_that(ask):
    whole = ask(WHERE)

    assert whole.headers["etag"] == f'"{SHA}"'
    assert whole.headers["cache-control"] == "no-cache"
    assert "immutable" in ask(f"{WHERE}?sha256={SHA}").headers["cache-control"]
    assert ask(f"{WHERE}?sha256=0{SHA[1:]}").headers["cache-control"] == "no-cache"
    assert ask(WHERE, **{"If-None-Match": f'"{SHA}"'}).status_code == 304
    assert ask(WHERE, "HEAD").headers["content-length"] == str(len(WEIGHTS))


@pytest.mark.parametrize(
    "path",
    [
        "none",
        f"{NAME}/none",
        f"{NAME}/",
        f"{NAME}/%2e%2e/{NAME}/model.safetensors",
        f"{NAME}/%2e%2e/.{NAME}.lock",
        f"{NAME}//model.safetensors",
        f".{NAME}.lock",
        f"{NAME}/minilm/build.py",
        f"{NAME}/graph.onnx",
        "%2e%2e",
        "..%2f..%2fnetwork.json",
    ],
)
def test_nothing_but_the_models_own_files_can_be_asked_for(ask, store, path):
    assert ask(AT).status_code == 200
    assert (store.folder / f".{NAME}.lock").exists()

    assert ask(f"/phone/models/{path}").status_code == 404


@pytest.mark.parametrize("more", [{"kind": Kind.GENERATE}, {"parameters": 200_000_000}, {"graph": None}])
def test_phones_get_no_models_but_tiny_ones_that_embed(source, store, more):
    asked = asking(application({}, ModelRoutes(Offers(store, catalogue(model(source, **more)))), None))

    assert asked(AT).status_code == 404
    assert store.names() == []


def test_of_the_networks_models_it_is_the_default_for_tiny_tasks():
    assert [entry.name for entry in shipped_catalogue() if is_for_phones(entry)] == ["all-minilm-l6-v2"]


def test_a_model_that_is_fetched_still_is_asked_for_again_and_then_there(small, store, monkeypatch, until):
    may_go_on, asked_for = threading.Event(), []
    monkeypatch.setattr(offers, "PATIENCE", 0.05)
    ensure = ModelStore.ensure

    def slowly(store, entry):
        asked_for.append(entry.name)
        may_go_on.wait(30)
        return ensure(store, entry)

    monkeypatch.setattr(ModelStore, "ensure", slowly)
    ask = asking(application({}, ModelRoutes(Offers(store, catalogue(small))), None))

    for path in (AT, WHERE):
        answer = ask(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "fetches the model small-model" in answer.json()["reason"]
    may_go_on.set()
    until(lambda: ask(AT).status_code == 200)

    assert asked_for == [NAME]


def test_a_model_that_could_not_be_fetched_is_told_and_where_from_is_for_the_log_alone(ask, source, caplog):
    source.rename(source.with_name("away"))

    answer = ask(AT)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert answer.json() == {"reason": "The server could not fetch the model small-model. Its log says why."}
    assert str(source) in caplog.records[-1].reason
    source.with_name("away").rename(source)
    assert ask(AT).status_code == 503


def test_what_could_not_be_fetched_is_tried_again_later(ask, source, monkeypatch):
    monkeypatch.setattr(offers, "RETRIED_AFTER", -1.0)
    source.rename(source.with_name("away"))
    assert ask(AT).status_code == 503

    source.with_name("away").rename(source)

    assert ask(AT).status_code == 200


def test_what_is_altered_here_is_never_given(ask, store, source):
    assert ask(WHERE).content == WEIGHTS
    here = store.folder / NAME / "model.safetensors"
    here.unlink()
    here.write_bytes(WEIGHTS[:-1] + b"!")

    assert ask(WHERE).content == WEIGHTS
    assert here.read_bytes() == WEIGHTS


def test_what_is_altered_at_the_source_is_never_given_either(ask, source):
    (source / "model.safetensors").write_bytes(WEIGHTS[:-1] + b"!")

    answer = ask(WHERE)

    assert answer.status_code == 503
    assert "is not what it should be" in answer.json()["reason"]


def test_a_model_that_was_removed_meanwhile_is_fetched_again(ask, store):
    assert ask(AT).status_code == 200
    assert store.remove(NAME)

    assert ask(WHERE).content == WEIGHTS


class Slow:
    """A phone that takes the head of an answer, and then nothing until it may go on."""

    def __init__(self, app):
        self.app, self.began, self.may_go_on, self.sent = app, asyncio.Event(), asyncio.Event(), 0

    async def get(self, path):
        raw = path.encode()
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": raw, "query_string": b"", "headers": []}
        await self.app(scope | {"http_version": "1.1", "scheme": "http", "root_path": ""}, self.receive, self.send)

    async def receive(self):
        await asyncio.Event().wait()

    async def send(self, message):
        self.began.set()
        if message["type"] == "http.response.body":
            await self.may_go_on.wait()
            self.sent += len(message["body"])


def test_only_so_many_downloads_run_at_once(small, store):
    app = application({}, ModelRoutes(Offers(store, catalogue(small)), most=1), None)

    async def crowd():
        slow = Slow(app)
        first = asyncio.create_task(slow.get(WHERE))
        await asyncio.wait_for(slow.began.wait(), 20)
        busy = await asyncio.to_thread(asking(app), WHERE)
        manifest = await asyncio.to_thread(asking(app), AT)
        slow.may_go_on.set()
        await asyncio.wait_for(first, 20)
        return busy, manifest, slow.sent

    busy, manifest, sent = asyncio.run(crowd())
    assert (busy.status_code, busy.headers["retry-after"], sent) == (503, "10", len(WEIGHTS))
    assert "many phones" in busy.json()["reason"]
    assert manifest.status_code == 200
    assert asking(app)(WHERE).content == WEIGHTS


def test_a_download_that_does_not_get_on_makes_room_for_another(small, store, caplog):
    app = application({}, ModelRoutes(Offers(store, catalogue(small)), most=1, longest=0.05), None)

    asyncio.run(asyncio.wait_for(Slow(app).get(WHERE), 20))

    assert caplog.records[-1].message == "page.slow"
    assert asking(app)(WHERE).status_code == 200
