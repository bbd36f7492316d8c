"""The platform's side of joining that is not a message: what a new device hosts, and its place at the broker."""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr, ValidationError
from sqlalchemy import Engine

from broker_config import names
from broker_config.address import vhost_of
from broker_config.apply import apply, remove_idle
from broker_config.invalid import first_error
from broker_config.management import Management
from broker_config.roles import device_role
from broker_config.tiers import Tier
from broker_config.topology import HostedModel, QueueType, Topology, device_topology, model_topology
from broker_config.users import new_password, put_user
from models.catalogue import Catalogue, load_catalogue
from models.claim import Claim
from models.entry import CatalogueEntry
from models.measurement import Measurement as Measured
from models.plan import Placement, plan
from models.pool import Pool, pools, runs_on
from registry.database import session
from registry.deployments import Planned, hosted_models
from registry.device_state import DeviceState
from registry.tables import Device, Measurement
from starai.errors import StarAIError
from tasks.enrolment import handle_join
from tasks.envelope import InvalidMessage
from tasks.joining import JoinRefused, Refusal, write_refusal

log = logging.getLogger(__name__)


class Admission:
    """Decides who joins, and makes it true at the registry and at the broker. One request at a time.

    Args:
        engine: the registry's.
        management: the broker's management API, as a user that may make users.
        url: the broker's address, as a user that may declare queues.
        queue_type: of the task queues.
    """

    def __init__(self, engine: Engine, management: Management, url: str, queue_type: QueueType) -> None:
        self._engine = engine
        self._management = management
        self._url = url
        self._queue_type = queue_type
        self._catalogue = load_catalogue()
        # Models whose queues were declared for a device that was to try them, with their tiers.
        self._offered: dict[str, Tier] = {}

    def answer(self, _user: str | None, request: bytes) -> bytes:
        """Return the answer to a stranger's request to join; it counts once this has returned."""
        try:
            with session(self._engine) as registry:
                answer = handle_join(registry, request, datetime.now(UTC), self._plan, self._make_user)
                hosted = hosted_models(registry)
            self._withdraw(set(self._offered) - set(hosted))
        except StarAIError as error:
            log.error("join.failed", extra={"reason": str(error)})
        except Exception:
            log.exception("join.crashed")
        else:
            return answer
        return write_refusal(JoinRefused(Refusal.UNAVAILABLE, "The platform cannot take devices just now. Try later."))

    def _withdraw(self, models: Iterable[str]) -> None:
        """Remove the queues of models that their device could not run: their tasks are to be unplaced, not to wait."""
        queues = [queue for model in models for queue in names.task_queues(self._offered.pop(model), model)]
        try:
            if queues:
                remove_idle(self._url, queues)
        except StarAIError as error:
            log.error("queues.not_removed", extra={"reason": str(error)})

    def _plan(self, device: str, claimed: dict[str, Any]) -> tuple[Measurement, Sequence[Planned]]:
        try:
            claim = Claim.model_validate(claimed)
        except ValidationError as error:
            raise InvalidMessage(f"The measurement is wrong: {first_error(error, 'it')}.") from error
        if not (planned := planned_models(claim, self._catalogue)):
            raise JoinRefused(Refusal.NOTHING_FITS, why_nothing(claim, self._catalogue))
        return measurement_row(device, claim.measured), planned

    def _make_user(self, device: Device, planned: Sequence[Planned]) -> SecretStr:
        apply(self._url, self._topology(device.id, planned))
        self._offered |= {model.model: model.tier for model in planned}
        served = planned if device.state is DeviceState.ACTIVE else ()
        queues = [queue for model in served for queue in names.task_queues(model.tier, model.model)]
        password = new_password()
        role = device_role(device.id, queues)
        put_user(self._management, device.id, password.get_secret_value(), role, vhost_of(self._url))
        return password

    def _topology(self, device: str, planned: Sequence[Planned]) -> Topology:
        whole = device_topology(device)
        for model in planned:
            default = self._catalogue.get(model.model).default
            whole += model_topology(HostedModel(model.model, model.tier, default), self._queue_type)
        return whole


def planned_models(claim: Claim, catalogue: Catalogue) -> list[Planned]:
    """Return what a device is to host by the deployment plan, with no more slots than it found worth while."""
    able = [entry for entry in catalogue if entry.name not in claim.unable]
    placements = plan(claim.measured, claim.share, able).placements
    return [_planned(placement, claim, catalogue.get(placement.model)) for placement in placements]


def why_nothing(claim: Claim, catalogue: Catalogue) -> str:
    """Return why a device is to host nothing, by what came nearest: the smallest model that it has an engine for."""
    why = "No model of this network fits what the device measured."
    if claim.unable:
        why += f" It could not fetch or run {', '.join(sorted(claim.unable))}."
    able = [entry for entry in catalogue if entry.name not in claim.unable]
    if not able:
        return why
    places = pools(claim.measured, claim.share)
    nearest = min(able, key=lambda entry: (not _runs_on_any(entry, claim.measured, places), entry.parameters))
    verdict = next(one for one in plan(claim.measured, claim.share, able).verdicts if one.model == nearest.name)
    return f"{why} The nearest is {nearest.name}. {verdict.reason}"


def measurement_row(device: str, measured: Measured) -> Measurement:
    """Return what the registry keeps of a measurement: of its GPUs the first, of its speeds one thread's."""
    gpu = measured.gpus[0] if measured.gpus else None
    alone = measured.speeds[0]
    return Measurement(
        device_id=device,
        cpu_model=measured.cpu_model,
        physical_cores=measured.physical_cores,
        threads=measured.threads,
        memory_bytes=measured.memory_bytes,
        gpu_name=gpu.name if gpu else None,
        gpu_memory_bytes=gpu.memory_bytes if gpu else None,
        gpu_driver=gpu.driver if gpu else None,
        provider=measured.provider,
        gflops_one_thread=alone.gflops,
        gb_per_s_one_thread=alone.gb_per_s,
    )


def _runs_on_any(entry: CatalogueEntry, measured: Measured, places: Iterable[Pool]) -> bool:
    return any(runs_on(entry, measured, place) for place in places)


def _planned(placement: Placement, claim: Claim, entry: CatalogueEntry) -> Planned:
    tried = claim.calibrations.get(placement.model)
    return Planned(
        placement.model,
        entry.tier,
        slots=min(placement.slots, tried.slots) if tried else placement.slots,
        threads=placement.threads,
        tasks_per_second=tried.tasks_per_second if tried else None,
        gpu=placement.gpu,
        memory_bytes=placement.memory_bytes,
    )
