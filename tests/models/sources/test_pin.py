"""What a model was at its first pull, it has to be from then on."""

import shutil

import pytest

from models.store import ModelStore, from_folder
from starai.errors import ModelCorrupt, ModelUnavailable
from tests.models.sources.conftest import FILES, an_entry, content, write
from tests.models.sources.web import COMMIT


def test_the_first_pull_pins_every_file_and_the_commit(store, at_hub):
    store.ensure(at_hub)

    known = store.known(at_hub)

    assert known.files == an_entry({"type": "build", "original": "x", "memory_bytes": 1}, FILES).files
    assert known.source.revision == COMMIT


def test_the_pin_is_its_owners_alone(store, at_hub):
    store.ensure(at_hub)
    assert store.pin_file("test-model").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_as_pinned_is_refused_and_repaired(store, at_hub, name):
    folder = store.ensure(at_hub)
    (folder / name).write_bytes(b"x" + FILES[name][1:])

    with pytest.raises(ModelCorrupt, match="has the SHA-256"):
        store.ensure(at_hub)
    assert content(store.repair(at_hub)) == FILES


def test_a_model_that_is_pulled_again_is_what_it_was(store, at_hub, hub):
    store.ensure(at_hub)
    store.remove("test-model")
    write(hub.folder, {"cpu/genai_config.json": b'{"layers": 9}', "cpu/more.json": b"{}"})
    hub.asked.clear()

    with pytest.raises(ModelCorrupt, match=r"genai_config\.json, as it came"):
        store.ensure(at_hub)
    assert not any("/api/" in one.path for one in hub.asked)

    write(hub.folder, {"cpu/genai_config.json": FILES["genai_config.json"]})
    assert content(store.ensure(at_hub)) == FILES


def test_what_the_catalogue_says_goes_before_a_pin(store, at_hub):
    store.ensure(at_hub)
    said = an_entry(at_hub.source.model_dump(), {"model.onnx": b"graph"})
    assert store.known(said) == said


def test_a_pull_from_a_folder_has_to_match_the_pin(store, at_hub, tmp_path):
    store.ensure(at_hub)
    store.remove("test-model")
    other = write(tmp_path / "other", FILES | {"model.onnx": b"GRAPH"})

    with pytest.raises(ModelCorrupt, match=r"model\.onnx, as it came"):
        store.ensure(from_folder(at_hub, other))


def test_a_pin_that_cannot_be_read_says_what_to_do(store, at_hub):
    store.ensure(at_hub)
    store.pin_file("test-model").write_text("{")
    with pytest.raises(ModelCorrupt, match=r"Delete that file and the model"):
        store.ensure(at_hub)


def test_a_model_that_was_put_there_by_hand_is_not_trusted(store, at_hub, folder):
    shutil.copytree(folder, store.folder / "test-model")
    with pytest.raises(ModelCorrupt, match="put there by hand"):
        store.ensure(at_hub)


def test_the_faults_of_a_model_are_all_told_and_make_it_unverified(store, at_hub):
    folder = store.ensure(at_hub)
    assert store.faults(at_hub) == []
    assert store.verified_file("test-model").exists()
    (folder / "model.onnx").unlink()
    (folder / "genai_config.json").write_bytes(b"")

    assert len(store.faults(at_hub)) == 2
    assert not store.verified_file("test-model").exists()


def test_a_model_that_is_not_here_cannot_be_verified(tmp_path, at_hub):
    with pytest.raises(ModelUnavailable, match="models pull test-model"):
        ModelStore(tmp_path).faults(at_hub)
