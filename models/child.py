"""The process that runs one model: requests on its standard input, answers on its standard output.

    python -P -m models.child ENTRY FOLDER THREADS [GPU]

ENTRY is the model's catalogue entry in JSON, GPU where it runs (:class:`models.on_gpu.OnGpu`). The process ends when
its input ends, whatever it is doing, so that it never outlives its host.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

import numpy as np

from broker_config.logs import log_to_stderr
from models.embedding import load_embedding
from models.entry import CatalogueEntry, Kind
from models.genai import LanguageModel
from models.generation import Generating
from models.in_turn import InTurn
from models.messages import LOADED, Answer, Piece, Request, Withdrawal, read_request, write_answer
from models.microbatch import Withdrawn, model_error, serve, take
from models.on_gpu import OnGpu
from models.one_by_one import OneByOne
from models.plan import MOST_SLOTS
from models.runtime import CPU
from models.tensors import load_tensors
from models.verify import verify
from models.yielding import yield_to_the_owner


def main() -> None:
    """Load the model, say so, and serve until the input ends."""
    # Ctrl-C and a service manager's stop reach the whole group of processes; what they mean, the host decides.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    log_to_stderr()
    yield_to_the_owner()
    answers = _claim_stdout()
    waiting: SimpleQueue[Request] = SimpleQueue()
    withdrawn = Withdrawn()
    requests = os.fdopen(os.dup(0), "rb")
    threading.Thread(target=_read, args=(requests, waiting, withdrawn), name="requests", daemon=True).start()
    entry, folder, threads = CatalogueEntry.model_validate_json(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    gpu = OnGpu.model_validate_json(sys.argv[4]) if len(sys.argv) > 4 else None

    def answer(message: Answer | Piece) -> None:
        with contextlib.suppress(OSError):  # the host is gone, which ends the reader and so this process
            write_answer(answers, message)

    try:
        serve_waiting = loaded(entry, folder, threads, gpu, answer, withdrawn)
    except Exception as error:  # noqa: BLE001 - the edge: the host raises it
        answer(Answer(LOADED, model_error(error)))
        sys.exit(1)
    answer(Answer(LOADED, np.empty((0, 0), np.float32)))
    while True:
        serve_waiting(waiting)


def loaded(
    entry: CatalogueEntry,
    folder: Path,
    threads: int,
    gpu: OnGpu | None,
    answer: Callable[[Answer | Piece], None],
    withdrawn: Withdrawn,
) -> Callable[["SimpleQueue[Request]"], None]:
    """Verify the model's files, load it into the engine for its kind, and return what serves some of what waits.

    Raises:
        ModelCorrupt: a file is not what the catalogue says.
        EngineMissing: this machine has no engine for it.
        ModelError: the engine could not load it.
    """
    verify(entry, folder)
    if entry.kind is Kind.GENERATE:
        model = LanguageModel(folder, threads, gpu)
        return InTurn(partial(Generating, model), answer, withdrawn, MOST_SLOTS).serve
    providers = CPU if gpu is None else gpu.providers
    if entry.kind is Kind.TENSORS:
        return OneByOne(load_tensors(entry, folder, threads, providers).begin, answer, withdrawn).serve
    engine = load_embedding(entry, folder, threads, providers)

    def serve_batch(waiting: "SimpleQueue[Request]") -> None:
        batch = take(waiting)
        serve(engine, batch, answer, withdrawn)
        withdrawn.forget_up_to(batch[-1].id)

    return serve_batch


def _claim_stdout() -> BinaryIO:
    """Keep standard output for answers alone: whatever a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _read(requests: BinaryIO, waiting: "SimpleQueue[Request]", withdrawn: Withdrawn) -> None:
    while (request := read_request(requests)) is not None:
        if isinstance(request, Withdrawal):
            withdrawn.add(request.id)
        else:
            waiting.put(request)
    os._exit(0)


if __name__ == "__main__":
    main()
