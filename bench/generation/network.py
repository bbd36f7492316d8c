"""Texts through a network of its own: broker, recorder, a device with the model, the submission library."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.generation.model import NAME, own_model
from bench.generation.recipe import Recipe
from bench.generation.text import Question, Timed
from bench.ground import Ground
from bench.peer import Control, Peer
from bench.recorder.process import recorder
from broker_config.regions import Region
from broker_config.tiers import tier_of
from starai import Client
from tasks.deployment import Deployment
from worker.enrolment import Enrolment
from worker.run import run_device

_HOME = Region.ASIA


class Network:
    """A network without a device, until one is started."""

    def __init__(self, client: Client, enrolment: Enrolment, home: str) -> None:
        self._client = client
        self._enrolment = enrolment
        self._home = home

    def device(self) -> Peer:
        """Start the device that hosts the model in one slot; what is asked before it is ready waits for it."""
        return Peer(_device, self._enrolment, self._home)

    def timed(self, question: Question) -> Timed:
        """Have one text made, and read it as it comes."""
        begun = time.perf_counter()
        with self._client.stream(NAME, question.prompt, options=question.options) as stream:
            came = [time.perf_counter() - begun for _ in stream]
            made = stream.result()
        seconds = time.perf_counter() - begun
        own, reports = (made.first_token_seconds, made.seconds), len(stream.job.reports)
        return Timed(made.text, made.prompt_tokens, made.tokens, came[0], seconds, *own, len(came), reports)


@contextmanager
def network(ground: Ground, recipe: Recipe, folder: Path, threads: int) -> Iterator[Network]:
    """Make the network for that model, with a recorder and a client."""
    deployment = Deployment(model=NAME, tier=tier_of(recipe.parameters), slots=1)
    ground.host([NAME], deployment.tier, ledger=True)
    enrolment = ground.enrol(_HOME, deployment, threads)
    with (
        _home(own_model(recipe, folder)) as home,
        recorder(ground.url, {enrolment.device: deployment}),
        Client(ground.submitter(), region=_HOME) as client,
    ):
        yield Network(client, enrolment, home)


@contextmanager
def _home(models: str) -> Iterator[str]:
    """Make a home folder whose owner has these models."""
    with tempfile.TemporaryDirectory(prefix="starai-bench-") as home:
        (Path(home) / "models.toml").write_text(models, "utf-8")
        yield home


def _device(control: Control, enrolment: Enrolment, home: str) -> None:
    os.environ["STARAI_HOME"] = home
    control.listen(lambda _: None, on_end=lambda: os.kill(os.getpid(), signal.SIGTERM))
    control.say("ready")
    run_device(enrolment, grace=1.0)
