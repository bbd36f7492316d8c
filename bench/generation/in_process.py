"""Texts without a network: the engine alone in a plain process."""

import os
import threading
import time
from pathlib import Path

from bench.generation.text import Question, Timed
from bench.peer import Control
from models.genai import LanguageModel
from models.generation import Generating
from models.yielding import yield_to_the_owner
from starai.generation import Prompt


def engine(control: Control, folder: Path, threads: int) -> None:
    """Answer each question with what was timed, until the benchmark ends. The target of a peer.

    It yields to other programs as a device's model does, so that whatever else runs weighs the same both ways.
    """
    if hasattr(os, "setsid"):  # what yields is a session: only its own
        os.setsid()
    yield_to_the_owner()
    model = LanguageModel(folder, threads)
    control.listen(lambda question: control.say(timed(model, question)))
    control.say("ready")
    threading.Event().wait()


def timed(model: LanguageModel, question: Question) -> Timed:
    """Make one text."""
    begun = time.perf_counter()
    generating = Generating(model, Prompt(inputs=question.prompt, options=question.options))
    came: list[float] = []
    while generating.result is None:
        if generating.step():
            came.append(time.perf_counter() - begun)
    seconds, made = time.perf_counter() - begun, generating.result
    own = made.first_token_seconds, made.seconds
    return Timed(made.text, made.prompt_tokens, made.tokens, came[0], seconds, *own, pieces=len(came))
