"""Trying the models that a device is given when it joins: which run here, and how fast."""

from collections.abc import Callable, Sequence

from models.calibration import Calibration
from models.catalogue import load_catalogue
from models.room import gb
from models.store import ModelStore
from starai.errors import ModelError
from tasks.deployment import Deployment
from tasks.joining import JoinRefused, Refusal
from worker.calibrate import calibrate_model
from worker.model_store import lent_bytes
from worker.on_gpu import gpu_of

#: Told what happens now.
OnStep = Callable[[str], None]


class Trials:
    """What was tried until now.

    Args:
        disk: GB that models may take; ``None`` for half of what is free.
        on_step: told which model is tried.
        on_left_out: told of each model that is not to be hosted, and why.

    Attributes:
        calibrations: how fast the models that run here did, by name; a model of arrays is not measured.
        unable: why the others could not be fetched or run, by name.
    """

    def __init__(self, disk: float | None, on_step: OnStep, on_left_out: OnStep) -> None:
        self._disk = disk
        self._on_step = on_step
        self._on_left_out = on_left_out
        self._run: set[tuple[str, int | None, int | None]] = set()
        self.calibrations: dict[str, Calibration] = {}
        self.unable: dict[str, ModelError] = {}

    def know(self, deployment: Deployment) -> bool:
        """Tell whether a model was tried there, with so many threads."""
        return _trial(deployment) in self._run or deployment.model in self.unable

    def run(self, untried: Sequence[Deployment], hosted: Sequence[Deployment]) -> None:
        """Fetch and measure models, while those that are to be hosted are not removed to make room."""
        store = ModelStore(lent=lent_bytes(self._disk), hosted=[deployment.model for deployment in hosted])
        for deployment in untried:
            self._on_step(f"the model {deployment.model}")
            try:
                found = _measured(deployment, store, self._on_step)
            except ModelError as error:
                self.unable[deployment.model] = error
                self._on_left_out(f"{deployment.model} is left out: {error}")
                continue
            self._run.add(_trial(deployment))
            if found is not None:
                self.calibrations[deployment.model] = found

    def reason_of(self, refused: JoinRefused) -> Exception:
        """Return why the device may not join: where nothing is left to host, what the first model failed of."""
        if refused.reason is Refusal.NOTHING_FITS:
            return next(iter(self.unable.values()), refused)
        return refused


def _trial(deployment: Deployment) -> tuple[str, int | None, int | None]:
    return deployment.model, deployment.threads, deployment.gpu


def _measured(deployment: Deployment, store: ModelStore, on_step: OnStep) -> Calibration | None:
    model = load_catalogue().get(deployment.model)

    def show(done: int, total: int) -> None:
        on_step(f"the model {model.name}: {gb(done)} of {gb(total)}")

    with store.using(model):
        folder = store.ensure(model, show)
        return calibrate_model(store.known(model), folder, deployment.threads or 1, gpu_of(deployment))
