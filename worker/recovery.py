"""A model that failed: it takes no tasks for a while that grows, is made ready again, and then takes some."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from models.entry import Kind
from starai.errors import BadInput, Cancelled
from starai.generation import Generated, Prompt
from tasks.output import Computes, Embeds, Generates, Model, Stop
from worker.backoff import Backoff

log = logging.getLogger(__name__)

#: Seconds for which a model that failed takes no task, at first and at most: a device that fails fast would else take
#: most of what its queue has, because it always has a free slot.
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0

#: Makes a model ready that failed; raises whatever keeps it from that.
Mend = Callable[[], None]


class Recovery:
    """The failures of one model. Any thread may use it.

    Args:
        model: its name.
        mend: makes it ready, after each pause.
    """

    def __init__(self, model: str, mend: Mend) -> None:
        self._model = model
        self._mend = mend
        self._lock = threading.Lock()
        self._backoff = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        self._is_under_way = False
        self._reason: str | None = None
        self._stopped = threading.Event()

    @property
    def is_under_way(self) -> bool:
        """Whether the model is to take no tasks now."""
        return self._is_under_way

    @property
    def reason(self) -> str | None:
        """Why the model could not be made ready again, or ``None`` where it could, or was not tried yet."""
        return self._reason

    def failed(self) -> None:
        """Let the model take no tasks for a while. Tasks that fail together, or meanwhile, are one failure."""
        with self._lock:
            if self._is_under_way:
                return
            self._is_under_way = True
            pause = self._backoff.after_failure()
        log.warning("model.paused", extra={"model": self._model, "seconds": pause})
        threading.Thread(target=self._recover, args=(pause,), name=f"recovery {self._model}", daemon=True).start()

    def succeeded(self) -> None:
        """The model did a task: its next pause is the shortest again."""
        with self._lock:
            self._backoff.succeeded()

    def stop(self) -> None:
        """Mend no more."""
        self._stopped.set()

    def _recover(self, pause: float) -> None:
        while not self._stopped.wait(pause):
            try:
                self._mend()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
                with self._lock:
                    pause = self._backoff.after_failure()
                self._reason = str(error) or type(error).__name__
                log.error("model.broken", extra={"model": self._model, "reason": self._reason, "seconds": pause})
                continue
            self._reason, self._is_under_way = None, False
            log.info("model.back", extra={"model": self._model})
            return


class NotedModel:
    """A model whose failures and successes are noted. What its methods return and raise is the model's."""

    def __init__(self, model: Model, recovery: Recovery) -> None:
        self._model = model
        self._recovery = recovery

    @property
    def kind(self) -> Kind:
        """What the model does."""
        return self._model.kind

    def run(self, inputs: list[str], timeout: float | None, stop: Stop = None) -> NDArray[np.float32]:
        """Run the model on texts."""
        with self._noted():
            return cast("Embeds", self._model).run(inputs, timeout, stop)

    def generate(self, prompt: Prompt, timeout: float | None, stop: Stop, on_piece: Callable[[str], None]) -> Generated:
        """Let the model go on from a prompt."""
        with self._noted():
            return cast("Generates", self._model).generate(prompt, timeout, stop, on_piece)

    def compute(
        self, arrays: Mapping[str, NDArray[Any]], timeout: float | None, stop: Stop = None
    ) -> dict[str, NDArray[Any]]:
        """Run the model on named arrays."""
        with self._noted():
            return cast("Computes", self._model).compute(arrays, timeout, stop)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except (BadInput, Cancelled):  # says nothing of the model
            raise
        except Exception:
            self._recovery.failed()
            raise
        self._recovery.succeeded()
