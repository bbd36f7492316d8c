import base64
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.embedding import EmbeddingEngine, load_embedding
from starai.errors import BadInput
from tests.models.conftest import StoredModel

_ROWS = json.loads(Path(__file__).with_name("minilm_reference.json").read_text("utf-8"))
TEXTS: list[str] = [row["text"] for row in _ROWS]
ORIGINAL = np.array([np.frombuffer(base64.b64decode(row["vector"]), "<f4") for row in _ROWS])


@pytest.fixture(scope="session")
def engine(minilm: StoredModel) -> EmbeddingEngine:
    return load_embedding(minilm.entry, minilm.folder, threads=1)


@pytest.fixture(scope="session")
def vectors(engine: EmbeddingEngine) -> NDArray[np.float32]:
    return engine.run(TEXTS)


def test_every_text_has_the_vector_that_the_original_library_gives_it(vectors: NDArray[np.float32]):
    cosines = (vectors * ORIGINAL).sum(axis=1) / np.linalg.norm(ORIGINAL, axis=1)
    assert cosines.min() >= 0.99999
    np.testing.assert_allclose(vectors, ORIGINAL, atol=2e-6)


def test_the_reference_has_texts_below_and_beyond_the_longest_input():
    words = [len(text.split()) for text in TEXTS]
    assert len(TEXTS) >= 20
    assert min(words) <= 1
    assert max(words) == 400


def test_vectors_are_float32_rows_of_length_one(vectors: NDArray[np.float32]):
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_text_has_the_same_vector_alone_and_in_a_batch(engine: EmbeddingEngine, vectors: NDArray[np.float32]):
    alone = np.concatenate([engine.run([text]) for text in TEXTS])
    np.testing.assert_allclose(alone, vectors, atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(12)))
def test_rows_are_in_the_order_of_the_texts(engine: EmbeddingEngine, vectors: NDArray[np.float32], order: list[int]):
    np.testing.assert_allclose(engine.run([TEXTS[i] for i in order]), vectors[order], atol=1e-6)


def test_texts_that_nobody_wants_any_more_are_left_out_of_the_next_step(
    engine: EmbeddingEngine, vectors: NDArray[np.float32]
):
    asked: list[int] = []

    def is_wanted(position: int) -> bool:
        asked.append(position)
        return position % 2 == 0

    rows = engine.run(TEXTS, is_wanted)

    assert sorted(asked) == list(range(len(TEXTS)))
    np.testing.assert_allclose(rows[::2], vectors[::2], atol=1e-6)


def test_a_text_is_read_beyond_the_128_tokens_that_its_tokenizer_file_allows(engine: EmbeddingEngine):
    shorter, longer = "stone " * 150, "stone " * 150 + "theorem " * 50
    assert np.abs(engine.run([shorter])[0] - engine.run([longer])[0]).max() > 0.01


def test_no_texts_give_no_rows(engine: EmbeddingEngine):
    assert engine.run([]).shape == (0, 384)


def test_half_a_surrogate_pair_is_bad_input(engine: EmbeddingEngine):
    with pytest.raises(BadInput, match="Text 1 is not valid Unicode"):
        engine.run(["fine", "broken \ud800"])
