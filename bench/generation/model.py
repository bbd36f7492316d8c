"""The benchmark's language model as a folder that onnxruntime-genai loads, built once for each recipe."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from bench.generation import decoder, graph
from bench.generation.recipe import Recipe
from bench.generation.tokenizer import CONFIG, FILES, silent_tokens

#: What the network calls it.
NAME = "bench-llama"


def cache() -> Path:
    """Return where models are kept from one run to the next."""
    return platformdirs.user_cache_path("starai-bench", appauthor=False)


def model_folder(recipe: Recipe, kept: Path) -> Path:
    """Return the model's folder; what was built of another recipe gives way to it.

    Args:
        recipe: what it is made of.
        kept: the folder of such folders.
    """
    folder = kept / f"{NAME}-{_fingerprint(recipe)}"
    if not folder.is_dir():
        for other in kept.glob(f"{NAME}-*"):
            shutil.rmtree(other, ignore_errors=True)
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept, prefix=".building-") as aside:
            _build(recipe, Path(aside) / "model")
            (Path(aside) / "model").rename(folder)
    return folder


def own_model(recipe: Recipe, folder: Path) -> str:
    """Return the model as the owner of a device describes it in ``models.toml``."""
    size = sum(file.stat().st_size for file in folder.iterdir())
    return f"""[[model]]
name = "{NAME}"
kind = "generate"
parameters = {recipe.parameters}
weight_bytes = {size}
kv_bytes_per_token = {recipe.kv_bytes_per_token}
licence = "Apache-2.0"
source = {{ type = "folder", path = {json.dumps(str(folder))} }}
"""


def _build(recipe: Recipe, folder: Path) -> None:
    folder.mkdir()
    decoder.write_decoder(recipe, folder, silent_tokens())
    (folder / CONFIG.name).write_text(json.dumps(_config(recipe), indent=1), "utf-8")
    for file in FILES:
        shutil.copy(file, folder)


def _config(recipe: Recipe) -> dict[str, object]:
    config: dict[str, dict[str, object]] = json.loads(CONFIG.read_text("utf-8"))
    model, search = config["model"], config["search"]
    sizes = {"head_size": recipe.head, "hidden_size": recipe.hidden, "num_attention_heads": recipe.heads}
    sizes |= {"num_hidden_layers": recipe.layers, "num_key_value_heads": recipe.kv_heads}
    whole = model | {"context_length": recipe.context, "vocab_size": recipe.vocabulary}
    whole["decoder"] = {**json.loads(json.dumps(model["decoder"])), **sizes}
    return {"model": whole, "search": search | {"max_length": recipe.context}}


def _fingerprint(recipe: Recipe) -> str:
    """Return what changes with whatever the folder is made of."""
    digest = hashlib.sha256(repr(recipe).encode())
    for file in _made_of():
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _made_of() -> Iterator[Path]:
    yield from (Path(module) for module in (graph.__file__, decoder.__file__, __file__))
    yield from (CONFIG, *FILES)
