import pytest
from pydantic import ValidationError

from broker_config.tiers import Tier
from models.catalogue import Catalogue, load_catalogue, own_models_file, shipped_catalogue
from models.entry import CatalogueEntry, Kind, ModelFile
from starai.errors import InvalidName, ModelNotFound, SettingError


def an_entry(name: str, **more: object) -> CatalogueEntry:
    source = {"type": "huggingface", "repository": "someone/something"}
    plain = {"name": name, "kind": "embed", "parameters": 10, "weight_bytes": 40, "licence": "MIT", "source": source}
    return CatalogueEntry.model_validate(plain | more)


def test_the_shipped_models_are_in_the_tiers_that_their_sizes_call_for():
    assert {entry.name: entry.tier for entry in load_catalogue()} == {
        "all-minilm-l6-v2": Tier.TINY,
        "qwen2.5-0.5b": Tier.SMALL,
        "phi3-3.8b": Tier.MEDIUM,
        "llama3-8b": Tier.MEDIUM,
        "llama3-70b": Tier.LARGE,
    }


def test_only_minilm_is_a_tiers_default():
    assert [entry.name for entry in load_catalogue() if entry.default] == ["all-minilm-l6-v2"]


def test_a_generating_model_needs_memory_for_each_token_of_context_and_an_embedding_none():
    for entry in load_catalogue():
        assert (entry.kv_bytes_per_token > 0) == (entry.kind is Kind.GENERATE)


def test_a_model_is_found_by_its_name():
    assert load_catalogue().get("phi3-3.8b").parameters == 3_820_000_000


def test_a_misspelt_name_is_answered_with_the_nearest_ones():
    with pytest.raises(ModelNotFound, match=r"'llama3-7b'.*Did you mean: llama3-70b, llama3-8b"):
        load_catalogue().get("llama3-7b")


def test_a_name_like_no_other_is_answered_with_all_of_them():
    with pytest.raises(ModelNotFound, match="all-minilm-l6-v2, qwen"):
        load_catalogue().get("zzz")


def test_two_names_that_meet_on_the_wire_are_refused():
    with pytest.raises(InvalidName, match="phi3-3-8b"):
        Catalogue((an_entry("phi3-3.8b"), an_entry("phi3-3-8b")))


def test_two_defaults_of_one_tier_are_refused():
    with pytest.raises(SettingError, match="tiny"):
        Catalogue((an_entry("one", default=True), an_entry("two", default=True)))


def test_defaults_of_different_tiers_are_taken():
    assert len(list(Catalogue((an_entry("one", default=True), an_entry("two", default=True, parameters=10**9))))) == 2


def test_a_name_that_cannot_stand_on_the_wire_is_refused():
    with pytest.raises(ValidationError, match="cannot be a name"):
        an_entry("Not_A_Name")


@pytest.mark.parametrize("path", ["../up", "/absolute", "a/../../b", "c:\\windows", "a\\b", ""])
def test_a_files_path_stays_inside_its_models_folder(path: str):
    with pytest.raises(ValidationError):
        ModelFile(path=path, size=1, sha256="0" * 64)


def test_an_entry_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        load_catalogue().get("llama3-8b").name = "other"  # type: ignore[misc]


def test_an_entry_survives_the_way_to_the_models_process():
    for entry in load_catalogue():
        assert CatalogueEntry.model_validate_json(entry.model_dump_json()) == entry


OWN = """
[[model]]
name = "my-model"
kind = "generate"
parameters = 1_000_000_000
weight_bytes = 700_000_000
licence = "MIT"
source = { type = "http", url = "https://files.example.org/my-model" }
files = [{ path = "model.onnx", size = 5, sha256 = "%s" }]
""" % ("0" * 64)


def add_own(text: str) -> None:
    own_models_file().parent.mkdir(exist_ok=True)
    own_models_file().write_text(text)


def test_an_owners_models_are_known_beside_the_shipped_ones():
    add_own(OWN)
    assert [entry.name for entry in load_catalogue()] == [*(entry.name for entry in shipped_catalogue()), "my-model"]
    assert load_catalogue().get("my-model").tier is Tier.SMALL


@pytest.mark.parametrize("name", ["phi3-3.8b", "phi3-3-8b"])
def test_an_owners_model_may_not_take_the_name_of_a_shipped_one(name: str):
    add_own(OWN.replace("my-model", name))
    with pytest.raises(SettingError, match=r"models\.toml: phi3-3-8b is in the catalogue already"):
        load_catalogue()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN + OWN, "two models that are my-model"),
        (OWN.replace('licence = "MIT"', 'default = true\nlicence = "MIT"').replace("1_000_000_000", "9"), "tier tiny"),
        (OWN.replace("kind", "kin"), "model 1, kind: Field required"),
        (OWN.replace("https://", "https://ann:secret@"), "must hold no password"),
        ("[model", "cannot be read"),
        ("[model]\nname = 'x'", r"\[\[model\]\] tables alone"),
        ("[other]", r"\[\[model\]\] tables alone"),
        ("model = [3]", "model 1, the model: "),
    ],
)
def test_a_mistake_in_the_owners_models_is_told_with_its_place(text: str, said: str):
    add_own(text)
    with pytest.raises(SettingError, match=f"models.toml.*{said}") as caught:
        load_catalogue()
    assert "secret" not in str(caught.value)
