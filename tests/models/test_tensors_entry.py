"""Entries of models that make arrays of arrays."""

import pytest
from pydantic import ValidationError

from models.catalogue import load_catalogue, own_models_file
from models.entry import CatalogueEntry, Kind
from starai.errors import SettingError

OWN = """
[[model]]
name = "mine"
kind = "tensors"
parameters = 1000
weight_bytes = 4000
licence = "MIT"
source = { type = "folder", path = "/models/mine" }
"""
FILE = {"size": 1, "sha256": "0" * 64}


def add_own(text: str) -> None:
    own_models_file().parent.mkdir()
    own_models_file().write_text(text)


def an_entry(**more: object) -> CatalogueEntry:
    source = {"type": "huggingface", "repository": "someone/something"}
    plain = {"name": "x", "kind": "tensors", "parameters": 10, "weight_bytes": 40, "licence": "MIT", "source": source}
    return CatalogueEntry.model_validate(plain | more)


def test_an_owner_adds_one_with_a_few_lines():
    add_own(OWN)

    entry = load_catalogue().get("mine")

    assert (entry.kind, entry.onnx_file, entry.kv_bytes_per_token) == (Kind.TENSORS, "model.onnx", 0)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('graph = "g.onnx"', "leave out graph"),
        ("kv_bytes_per_token = 8", "leave out kv_bytes_per_token"),
        ('onnx_file = "../g.onnx"', "onnx_file: .*stays inside its folder"),
        ('[[model.files]]\npath = "g.onnx"\nsize = 1\nsha256 = "' + "0" * 64 + '"', "model.onnx is none of its files"),
    ],
)
def test_what_does_not_fit_together_is_refused_with_what_to_write(line, fault):
    add_own(OWN + line)

    with pytest.raises(SettingError, match=rf"models\.toml, model 1, .*{fault}"):
        load_catalogue()


def test_of_files_that_are_pinned_the_graph_is_one():
    files = [{"path": "onnx/g.onnx", **FILE}, {"path": "onnx/g.onnx_data", **FILE}]

    assert an_entry(onnx_file="onnx/g.onnx", files=files).onnx_file == "onnx/g.onnx"
    with pytest.raises(ValidationError, match=r"model\.onnx is none of its files: name one of them in onnx_file"):
        an_entry(files=files)


@pytest.mark.parametrize("kind", ["embed", "generate"])
def test_other_kinds_have_no_such_file(kind):
    an_entry(kind=kind)
    with pytest.raises(ValidationError, match="onnx_file is for models of arrays"):
        an_entry(kind=kind, onnx_file="g.onnx")


def test_an_entry_survives_the_way_to_its_models_process():
    entry = an_entry(onnx_file="g.onnx")

    assert CatalogueEntry.model_validate_json(entry.model_dump_json()) == entry
