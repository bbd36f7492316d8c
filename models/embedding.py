"""The embedding engine: texts in, one vector for each out."""

import json
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.batching import batches
from models.entry import CatalogueEntry
from models.runtime import CPU, Provider, Session, new_session
from starai.errors import BadInput, EngineMissing

#: Padded tokens in one run of the model. Longer batches were slower on a processor, where caches are small.
TOKEN_BUDGET = 512


class EmbeddingEngine:
    """A model that turns each text into a vector of length one; texts beyond its longest input are cut off."""

    def __init__(self, session: Session, tokenizer: Tokenizer) -> None:
        self._session = session
        self._tokenizer = tokenizer

    def run(self, texts: Sequence[str], is_wanted: Callable[[int], bool] = lambda _: True) -> NDArray[np.float32]:
        """Return one float32 row for each text, in the order of the texts: shape ``(texts, width)``.

        What else is in the batch does not change a text's row beyond the last bits. Before each step of the model the
        texts of which ``is_wanted(position)`` is false by then are left out; their rows are of no meaning.

        Raises:
            BadInput: one of the texts is not valid Unicode.
            ModelError: the engine failed.
        """
        _refuse_surrogates(texts)
        encodings = self._tokenizer.encode_batch(list(texts))
        vectors = np.empty((len(texts), self._session.width), np.float32)
        for group in batches([len(encoding.ids) for encoding in encodings], TOKEN_BUDGET):
            if wanted := [position for position in group if is_wanted(position)]:
                vectors[wanted] = self._session.run(_padded([encodings[position] for position in wanted]))
        return vectors


def load_embedding(
    entry: CatalogueEntry, folder: Path, threads: int, providers: Sequence[Provider] = CPU
) -> EmbeddingEngine:
    """Load an embedding model from its folder, whose files are verified, where the providers run.

    Raises:
        EngineMissing: there is no usable ONNX Runtime, it cannot use the providers, or there is no graph.
        ModelError: the engine could not load it.
    """
    if entry.graph is None:
        raise EngineMissing(f"This version has no graph for the model {entry.name}. Update StarAI, or choose another.")
    graph = (resources.files("models") / entry.graph).read_bytes()
    longest = json.loads((folder / "sentence_bert_config.json").read_text("utf-8"))["max_seq_length"]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    # The file asks for every text to be padded to, and cut off at, 128 tokens, which is not the model's own limit.
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return EmbeddingEngine(new_session(graph, folder, providers, threads), tokenizer)


def _refuse_surrogates(texts: Sequence[str]) -> None:
    """JSON can carry half of a surrogate pair, which is no character."""
    for number, text in enumerate(texts):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise BadInput(f"Text {number} is not valid Unicode: {error.reason} at character {error.start}.") from error


def _padded(encodings: Sequence[Any]) -> dict[str, NDArray[np.int64]]:
    shape = len(encodings), max(len(encoding.ids) for encoding in encodings)
    ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row, encoding in enumerate(encodings):
        ids[row, : len(encoding.ids)] = encoding.ids
        mask[row, : len(encoding.ids)] = 1
    return {"input_ids": ids, "attention_mask": mask}
