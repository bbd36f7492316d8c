"""Models from a folder of this machine."""

import os

import pytest

from models.store import from_folder
from starai.errors import ModelCorrupt, ModelUnavailable
from tests.models.sources.conftest import FILES, WEIGHTS, an_entry, content, write


@pytest.fixture
def built():
    return an_entry({"type": "build", "original": "someone/weights", "memory_bytes": 10**9})


def test_a_model_that_was_built_is_taken_from_its_folder_and_pinned(store, built, folder):
    assert content(store.ensure(from_folder(built, folder))) == FILES
    assert store.ensure(built)
    assert {file.path for file in store.known(built).files} == set(FILES)


def test_its_files_take_no_room_twice(store, built, folder):
    target = store.ensure(from_folder(built, folder))
    assert (target / "model.onnx.data").stat().st_ino == (folder / "model.onnx.data").stat().st_ino


def test_where_links_are_not_possible_it_is_copied(store, built, folder, monkeypatch):
    def link(*_):
        raise OSError("another disk")

    monkeypatch.setattr(os, "link", link)
    target = store.ensure(from_folder(built, folder))
    assert content(target) == FILES
    assert (target / "model.onnx").stat().st_ino != (folder / "model.onnx").stat().st_ino


def test_links_within_the_folder_are_followed(store, built, folder):
    (folder / "model.onnx.data").rename(folder.parent / "blob")
    (folder / "model.onnx.data").symlink_to(folder.parent / "blob")
    assert not (store.ensure(from_folder(built, folder)) / "model.onnx.data").is_symlink()


def test_a_folder_without_a_model_is_refused(store, built, tmp_path):
    with pytest.raises(ModelUnavailable, match="no ONNX model"):
        store.ensure(from_folder(built, write(tmp_path / "documents", {"letter.txt": b"dear"})))


def test_a_folder_that_is_not_there_is_refused(store, built, tmp_path):
    with pytest.raises(ModelUnavailable, match="is no folder"):
        store.ensure(from_folder(built, tmp_path / "nowhere"))


def test_a_folder_that_lacks_a_file_is_refused(store, entry, folder):
    (folder / "model.onnx").unlink()
    with pytest.raises(ModelUnavailable, match=r"model\.onnx is missing there"):
        store.ensure(from_folder(entry, folder))


def test_a_folder_with_another_model_is_refused(store, entry, folder):
    other = write(folder.parent / "other", FILES | {"model.onnx.data": WEIGHTS[:-9]})
    with pytest.raises(ModelCorrupt):
        store.ensure(from_folder(entry, other))


def test_a_file_that_was_linked_is_not_gone_on_with_in_its_folder(store, entry, folder):
    short = {"model.onnx.data": WEIGHTS[:-9]}
    other = write(folder.parent / "other", short)
    with pytest.raises(ModelUnavailable):
        store.ensure(from_folder(an_entry(entry.source.model_dump(), short | {"z.json": b"{}"}), other))
    assert list(store.partial_folder("test-model").rglob("model.onnx.data"))

    store.ensure(entry)

    assert content(other) == short


def test_what_is_removed_from_the_store_stays_in_the_folder(store, built, folder):
    store.ensure(from_folder(built, folder))
    store.remove("test-model")
    assert content(folder) == FILES
