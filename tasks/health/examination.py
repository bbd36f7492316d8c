"""What one round found of the devices that it asked, and what becomes of each. Pure."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from models.browser import BROWSER
from registry.device_state import DeviceState
from registry.fleet_facts import Facts
from registry.health import Present
from tasks.health.changes import Change, Ground, answered, silent
from tasks.health.checks import Judgement, judge
from tasks.health.probes import asked
from tasks.health.round import Gathered
from tasks.health.settings import CheckSettings
from tasks.health.workload import Seen
from tasks.probe import Probe, Readings

log = logging.getLogger(__name__)

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Examination:
    """What came of asking.

    Attributes:
        fleet: who was asked, by id, as the registry knew it then; ``probes``: what.
        gathered: what came back.
        seen: what the broker shows of those that it was asked about.
        judgements: what the checks found of those that answered; ``None`` where they could not be made.
        deadline: seconds that devices had.
    """

    fleet: Mapping[str, Facts]
    probes: Mapping[str, Probe]
    gathered: Gathered
    seen: Mapping[str, Seen]
    judgements: Mapping[str, Judgement | None]
    deadline: float

    @property
    def active(self) -> int:
        """How many of the devices that were asked were at work."""
        return sum(facts.state is DeviceState.ACTIVE for facts in self.fleet.values())

    @property
    def unwell(self) -> int:
        """How many of those failed or were silent."""
        return sum(
            facts.state is DeviceState.ACTIVE and not self._is_well(device) for device, facts in self.fleet.items()
        )

    @property
    def readings(self) -> dict[str, Readings]:
        """What devices said of themselves, by their ids."""
        reports = ((device, judgement and judgement.report) for device, judgement in self.judgements.items())
        return {device: report.readings for device, report in reports if report}

    def changes(self, present: Mapping[str, Present], ground: Ground) -> list[Change]:
        """Return what becomes of those devices that are still there to be judged."""
        found = (_made(device, partial(self._change, device, known, ground)) for device, known in present.items())
        return [change for change in found if change]

    def _is_well(self, device: str) -> bool:
        if device not in self.judgements:
            return False
        judgement = self.judgements[device]
        return judgement is None or judgement.failed is None

    def _change(self, device: str, known: Present, ground: Ground) -> Change | None:
        seen = self.seen.get(device)
        if device not in self.judgements:
            may_go = self.fleet[device].provider == BROWSER
            return silent(known, seen, self.deadline, ground, may_go=may_go)
        if (judgement := self.judgements[device]) is None:
            return None
        timed = None if self.probes[device].padding else self.gathered.heard[device].after
        return answered(known, judgement, seen, timed, ground)


def examine(
    fleet: Mapping[str, Facts],
    probes: Mapping[str, Probe],
    gathered: Gathered,
    seen: Mapping[str, Seen],
    changed: Mapping[str, Mapping[bytes, float]],
    deadline: float,
    settings: CheckSettings,
) -> Examination:
    """Return what a round found, with every answer judged; ``changed`` are other keys of devices, by their ids."""

    def judged(device: str) -> Judgement:
        facts = fleet[device]
        question = asked(device, facts, probes[device], changed.get(device, {}))
        return judge(question, gathered.heard[device], seen.get(device), facts.health.round_trip, settings)

    judgements = {device: _made(device, partial(judged, device)) for device in gathered.heard}
    return Examination(fleet, probes, gathered, seen, judgements, deadline)


def _made(device: str, make: Callable[[], _Found]) -> _Found | None:
    """Return what is made for one device; an error in that keeps no other from its own."""
    try:
        return make()
    except Exception:
        log.exception("health.crashed", extra={"device": device})
        return None
