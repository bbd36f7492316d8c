"""How much of a context a language model gets on this device."""

import json
import shutil
from pathlib import Path

from models.genai import LanguageModel
from models.need import CONTEXT_TOKENS
from tests.models.tiny_models import TINY


def test_a_model_with_a_longer_context_than_there_is_memory_for_gets_no_more_than_was_planned(tmp_path: Path):
    folder = tmp_path / "model"
    shutil.copytree(TINY / "tiny-llama", folder)
    config = json.loads((folder / "genai_config.json").read_text("utf-8"))
    config["model"]["context_length"] = 131_072
    (folder / "genai_config.json").write_text(json.dumps(config), "utf-8")

    assert LanguageModel(folder, threads=1).context == CONTEXT_TOKENS
    assert LanguageModel(TINY / "tiny-llama", threads=1).context == 2048
