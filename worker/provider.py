"""Whether ONNX Runtime still loads a graph where it did: tried in a process of its own, which may crash or hang.

Run as a program (``python -m worker.provider``) it tries once and prints what it found.
"""

import os
import subprocess
import sys
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from models.measurement import plain
from models.process import child_environment
from models.yielding import yield_to_the_owner
from starai.errors import ModelError
from worker.engine import Engine, find_engine

#: Seconds for which a result stands.
EVERY = 600.0

# A driver that was asleep takes seconds.
_SECONDS = 60.0


class Trial(BaseModel):
    """What was tried: the engine that loads, or why none does."""

    engine: Engine | None = None
    fault: str | None = None


@dataclass(frozen=True)
class ProviderState:
    """An execution provider, empty where none ever loaded here, and why it does not load any more."""

    name: str = ""
    fault: str | None = None


class ProviderTrials:
    """Tries again and again whether what loaded first still does."""

    def __init__(self) -> None:
        self._first = ""

    def read(self) -> ProviderState:
        """Load a small graph, in seconds, and return how that went."""
        return self.judge(run_trial())

    def judge(self, trial: Trial) -> ProviderState:
        """Return what a trial means: another provider than the first is that one's fault."""
        if trial.engine is None:
            return ProviderState(self._first, plain(trial.fault or "it does not load"))
        self._first = self._first or trial.engine.provider
        if trial.engine.provider == self._first:
            return ProviderState(self._first)
        why = trial.engine.not_loaded or f"only {trial.engine.provider} loads"
        return ProviderState(self._first, plain(why))


def run_trial() -> Trial:
    """Load a small graph in a process of its own; whatever becomes of that is the result."""
    command = [sys.executable, "-P", "-m", "worker.provider"]
    try:
        done = subprocess.run(
            command,
            env=child_environment(os.environ, threads=1),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            start_new_session=True,  # what it yields, its session yields
        )
        return Trial.model_validate_json(done.stdout)
    except subprocess.TimeoutExpired:
        return Trial(fault=f"ONNX Runtime did not load a small graph within {_SECONDS:g} s.")
    except OSError as error:
        return Trial(fault=f"The process that tries ONNX Runtime could not be started: {error.strerror}.")
    except ValidationError:  # nothing came: it crashed
        return Trial(fault=f"ONNX Runtime crashed while it loaded a small graph (exit code {done.returncode}).")


def main() -> None:
    """Try once and print what was found, as JSON."""
    yield_to_the_owner()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints goes to standard error
    try:
        trial = Trial(engine=find_engine())
    except ModelError as error:
        trial = Trial(fault=str(error))
    answers.write(trial.model_dump_json())
    answers.close()


if __name__ == "__main__":
    main()
