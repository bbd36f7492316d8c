"""Makes ``minilm_reference.json``: what the original library answers for texts of all sorts.

Run once, in an environment with sentence-transformers and torch, neither of which the project needs:

    python make_minilm_reference.py FOLDER

FOLDER is the whole model as its package holds it, with ``modules.json`` and ``1_Pooling``. The committed file
was made with sentence-transformers 6.2.0, transformers 5.23.0 and torch 2.13.0 on a CPU, in float32.
"""

import base64
import json
import random
import sys
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

_WORDS = ["river", "stone", "device", "market", "cloud", "window", "language", "signal", "harvest", "engine"]
_WORDS += ["winter", "letter", "bridge", "garden", "protein", "theorem", "cobalt", "whisper", "anchor", "lantern"]
_WORDS += ["quorum", "meadow", "velocity", "orchid"]


def _words(count: int) -> str:
    return " ".join(random.Random(count).choice(_WORDS) for _ in range(count))


TEXTS = [
    "hello",
    "A cat sits on the mat.",
    "A feline rests on a rug.",
    "The stock market fell by three percent on Monday.",
    "",
    "   ",
    "!?...",
    "naïve café Ångström ÇA VA",
    "Привет, как дела?",
    "今天天气很好。",
    "مرحبا بالعالم",
    "नमस्ते दुनिया",
    "emoji 🦊🚀 and a family 👩‍👩‍👧",
    "e\u0301 is not \u00e9, zero\u200bwidth, tab\tand\nnewline",
    "antidisestablishmentarianism-pneumonoultramicroscopicsilicovolcanoconiosis",
    "x" * 300,
    *(_words(count) for count in (10, 40, 100, 126, 200, 254, 255, 400)),
]


def main() -> None:
    """Write the texts and their vectors beside this file."""
    model = SentenceTransformer(sys.argv[1], device="cpu")
    vectors = [np.asarray(model.encode([text])[0], "<f4") for text in TEXTS]
    rows = [
        {"text": text, "vector": base64.b64encode(vector.tobytes()).decode()}
        for text, vector in zip(TEXTS, vectors, strict=True)
    ]
    target = Path(__file__).with_name("minilm_reference.json")
    target.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
