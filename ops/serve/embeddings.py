"""Reads requests for vectors of texts (`/v1/embeddings`), and writes their answers."""

from base64 import b64encode
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ops.serve.asked import Vectors
from ops.serve.parameters import OF_THE_ACCOUNT, Harmless, Parameters, read, supported
from ops.serve.refusal import Refusal

_HARMLESS: Harmless = {**OF_THE_ACCOUNT, "dimensions": ()}


class _Embeddings(Parameters):
    model: str
    input: Any
    encoding_format: Literal["float", "base64"] = "float"


def read_embeddings(data: dict[str, Any]) -> Vectors:
    """Return what is asked for.

    Raises:
        Refusal: a parameter is wrong, or asks for what is not served.
    """
    asked = read(_Embeddings, supported(data, _HARMLESS))
    return Vectors(asked.model, _texts(asked.input), asked.encoding_format == "base64")


def embeddings(vectors: NDArray[np.float32], asked: Vectors) -> dict[str, Any]:
    """Return the answer in OpenAI's form. Nobody counts the tokens of these models, which is why there are none."""
    data = [
        {"object": "embedding", "index": position, "embedding": _base64(row) if asked.as_base64 else row.tolist()}
        for position, row in enumerate(vectors)
    ]
    return {
        "object": "list",
        "data": data,
        "model": asked.model,
        "usage": {"prompt_tokens": 0, "total_tokens": 0},
    }


def _base64(row: NDArray[np.float32]) -> str:
    return b64encode(row.astype("<f4").tobytes()).decode()


def _texts(given: object) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise Refusal(
            400, "input has to be a text, or a list of texts: lists of tokens are not served here.", param="input"
        )
    return texts
