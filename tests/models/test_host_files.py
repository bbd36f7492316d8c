"""A model that cannot be loaded from its folder, and what a model's process must not see around it."""

import shutil
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from models.catalogue import load_catalogue
from models.host import ModelHost
from models.process import child_environment
from starai.errors import ModelCorrupt, ModelError
from tests.models.conftest import StoredModel
from tests.models.host_process import Until, child_of, has_noticed


@pytest.fixture
def own_folder(minilm: StoredModel, tmp_path: Path) -> Path:
    """A copy of the model that the test may harm."""
    return Path(shutil.copytree(minilm.folder, tmp_path / "copy"))


def test_one_altered_byte_in_the_weights_is_refused(minilm: StoredModel, own_folder: Path):
    with (own_folder / "model.safetensors").open("r+b") as file:
        file.seek(50_000_000)
        file.write(bytes([file.read(1)[0] ^ 1]))
    with (
        closing(ModelHost(minilm.entry, own_folder, 1)) as host,
        pytest.raises(ModelCorrupt, match="Delete the folder"),
    ):
        host.start()


def test_a_truncated_file_is_refused_also_when_the_model_is_loaded_again(
    minilm: StoredModel, own_folder: Path, until: Until
):
    with closing(ModelHost(minilm.entry, own_folder, 1)) as host:
        host.start()
        process = child_of(psutil.Process(), host)
        (own_folder / "tokenizer.json").write_bytes(b"{}")
        process.kill()
        until(lambda: has_noticed(host))
        with pytest.raises(ModelCorrupt, match="2 bytes instead of"):
            host.run(["text"], 30)


def test_a_language_model_that_is_not_in_the_runtimes_form_says_so(tmp_path: Path):
    entry = load_catalogue().get("phi3-3.8b")
    with closing(ModelHost(entry, tmp_path, 1)) as host, pytest.raises(ModelError, match=r"no genai_config\.json"):
        host.start()


def test_a_models_py_in_the_current_folder_is_not_taken_for_ours(
    minilm: StoredModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "models.py").write_text("raise SystemExit('the wrong models')")
    (tmp_path / "starai.py").write_text("raise SystemExit('the wrong starai')")
    monkeypatch.chdir(tmp_path)
    with closing(ModelHost(minilm.entry, minilm.folder, 1)) as host:
        assert host.run(["text"], 30).shape == (1, 384)


def test_a_models_process_knows_none_of_our_settings():
    variables = {"STARAI_BROKER_URL": "amqp://u:secret@h", "STARAI_DATABASE_URL": "secret", "PATH": "/bin"}
    assert "secret" not in str(child_environment(variables, 2))
    assert child_environment(variables, 2)["PATH"] == "/bin"


def test_a_models_process_inherits_no_secret(minilm: StoredModel, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STARAI_BROKER_URL", "amqp://user:secret@host")
    with closing(ModelHost(minilm.entry, minilm.folder, 1)) as host:
        host.start()
        variables = child_of(psutil.Process(), host).environ()
    assert "STARAI_BROKER_URL" not in variables
    assert variables["ORT_DISABLE_TELEMETRY"] == "1"
