"""The health cycle: every device is asked how it is, and what it answers decides whether it works."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime

from sqlalchemy import Engine

from registry.columns import now
from registry.database import reading, session
from registry.device_keys import changed_keys
from registry.fleet_facts import Facts, fleet_facts
from registry.health import (
    Previous,
    add_missing,
    begin_cycle,
    end_cycle,
    greeted,
    present,
    previous_cycle,
    write_failures,
    write_health,
)
from registry.health_state import Condition
from registry.standing_rule import StandingSettings
from registry.turn import Turn, turn
from starai.errors import BrokerError, BrokerUnreachable, StarAIError
from tasks.enforcement import Enforcement
from tasks.health.changes import Act, Change, Ground
from tasks.health.cycle_settings import CycleSettings
from tasks.health.examination import Examination, examine
from tasks.health.looks import Looks
from tasks.health.outage_rule import Circumstances, outage
from tasks.health.probes import new_probes
from tasks.health.round import Round
from tasks.health.settings import CheckSettings
from tasks.health.workload import Seen

log = logging.getLogger(__name__)

#: What follows a cycle over the whole fleet, told when that began.
Follower = Callable[[datetime], object]

# The share of a period that a cycle waits for one that is under way, and that each way of acting may take.
_PATIENCE = _ACTING = 0.25


class Cycle:
    """Asks devices how they are, and acts on it; of all processes one at a time.

    Whatever ends it in the middle, nobody is judged by it: all that it finds is written in one transaction, before
    anything is done about it; and what was left undone then, the next one finds.

    Args:
        engine: the registry's.
        url: the broker's address, as the platform.
        enforcement: brings devices into and out of work; ``None``, where there is no management API, leaves all where
            they are.
        looks: shows what devices do at the broker, if somebody can.
        broker_up: returns for how many seconds the broker has run, if somebody can.
        followers: what comes after a cycle over the whole fleet, by name, in this order.
        settings, checks, standing: how often and how long, what is healthy, and what that costs.
    """

    def __init__(
        self,
        engine: Engine,
        url: str,
        enforcement: Enforcement | None,
        *,
        looks: Looks | None = None,
        broker_up: Callable[[], float] | None = None,
        followers: Mapping[str, Follower] | None = None,
        settings: CycleSettings | None = None,
        checks: CheckSettings | None = None,
        standing: StandingSettings | None = None,
    ) -> None:
        self._engine = engine
        self._url = url
        self._enforcement = enforcement
        self._looks = looks
        self._broker_up = broker_up
        self._followers = followers or {}
        self._settings = settings or CycleSettings()
        self._checks = checks or CheckSettings()
        self._standing = standing or StandingSettings()
        self._alone = threading.Lock()
        self._round: Round | None = None
        self._closed = False

    def run(self) -> None:
        """Ask the whole fleet; where another one does that for long, do nothing."""
        with _told("cycle"), self._turn(_PATIENCE * self._settings.health_seconds) as alone:
            if alone:
                self._whole()

    def greet(self) -> None:
        """Ask those that said that they are here since they were last checked, so that they work within seconds."""
        with _told("greetings"):
            at = now()
            with reading(self._engine) as registry:
                devices = greeted(registry, at)
            if devices:
                with self._turn(0.0) as alone:
                    if alone:
                        self._short(devices, at)

    def close(self) -> None:
        """Begin no more; one that waits for answers ends at once, and judges nobody."""
        self._closed = True
        if found := self._round:
            found.close()

    def _whole(self) -> None:
        at = now()
        with session(self._engine) as registry:
            add_missing(registry, at)
            previous = previous_cycle(registry)
            cycle = begin_cycle(registry, at)
        with reading(self._engine) as registry:
            fleet = fleet_facts(registry)
        found = self._ask(fleet, cycle, self._settings.health_deadline_seconds, self._look)
        circumstances = self._circumstances(found, previous, at)
        why = outage(circumstances)
        if why:
            log.warning("health.outage", extra={"cycle": cycle, "reason": why})
        in_a_row = previous is not None and previous.was_outage and not circumstances.was_away
        outage_at = previous.outage_at if previous else None
        ground = Ground(cycle, at, why is None, why is None or in_a_row, self._standing, outage_at)
        changes = self._conclude(found, ground, why)
        if self._looks:
            self._looks.told(found.readings)
        self._act(changes)
        for name, follow in self._followers.items():
            _run(name, follow, at)

    def _short(self, devices: Sequence[str], at: datetime) -> None:
        with reading(self._engine) as registry:
            fleet = fleet_facts(registry, only=devices)
        found = self._ask(fleet, 0, self._settings.greeting_deadline_seconds, dict)
        ground = Ground(None, at, counts=False, states_follow=True, standing=self._standing)
        self._act(self._conclude(found, ground, None))

    def _ask(
        self, fleet: Mapping[str, Facts], cycle: int, deadline: float, look: Callable[[], Mapping[str, Seen]]
    ) -> Examination:
        probes = new_probes(fleet, cycle, self._settings)
        seen: dict[str, Seen] = {}
        self._round = Round(self._url, probes, deadline)
        try:
            if self._closed:
                raise BrokerUnreachable("The health cycle is closed.")
            gathered = self._round.run(lambda: seen.update(look()))
        finally:
            self._round = None
        # Now, not with the fleet: keys may have been changed since the probes left.
        with reading(self._engine) as registry:
            changed = changed_keys(registry, now())
        return examine(fleet, probes, gathered, seen, changed, deadline, self._checks)

    def _look(self) -> Mapping[str, Seen]:
        if self._looks is None:
            return {}
        try:
            return self._looks.look()
        except StarAIError as error:  # what could not be looked at has not failed
            log.warning("health.not_looked", extra={"reason": str(error)})
            return {}

    def _circumstances(self, found: Examination, previous: Previous | None, at: datetime) -> Circumstances:
        up: float | None = None
        if self._broker_up:
            with suppress(BrokerError):
                up = self._broker_up()
        return Circumstances(
            period=self._settings.health_seconds,
            deadline=self._settings.health_deadline_seconds,
            active=found.active,
            unwell=found.unwell,
            since_previous=(at - previous.began_at).total_seconds() if previous else None,
            broker_up=up,
            lost_link=found.gathered.lost_link,
        )

    def _conclude(self, found: Examination, ground: Ground, why: str | None) -> list[Change]:
        """Write what was found, all of it or nothing, and return it."""
        with session(self._engine) as registry:
            changes = found.changes(present(registry, found.fleet), ground)
            write_health(registry, [change.health for change in changes])
            write_failures(registry, [change.failure for change in changes if change.failure])
            counts = Counter(change.health.condition for change in changes)
            if ground.cycle is not None:
                end_cycle(registry, ground.cycle, now(), counts, why)
        _log(ground, counts, found)
        return changes

    def _act(self, changes: Sequence[Change]) -> None:
        if not (enforcement := self._enforcement):
            return
        acting, grace = _ACTING * self._settings.health_seconds, self._settings.health_grace_seconds
        if reasons := _reasons(changes, Act.ACTIVATE):
            _run("activate", enforcement.activate_all, reasons, acting)
        if reasons := _reasons(changes, Act.DEACTIVATE):
            _run("deactivate", enforcement.deactivate_all, reasons, grace, acting)

    @contextmanager
    def _turn(self, patience: float) -> Iterator[bool]:
        """Tell whether it is this one's turn."""
        if not self._alone.acquire(timeout=patience):
            log.info("health.skipped")
            yield False
            return
        try:
            with turn(self._engine, Turn.HEALTH, patience) as alone:
                if not alone:
                    log.info("health.skipped")
                yield alone and not self._closed
        finally:
            self._alone.release()


def _reasons(changes: Sequence[Change], act: Act) -> dict[str, str]:
    return {change.health.device_id: change.reason for change in changes if change.act is act}


def _log(ground: Ground, counts: Mapping[Condition, int], found: Examination) -> None:
    figures = {str(condition): counts.get(condition, 0) for condition in Condition}
    log.info(
        "health.checked",
        extra={"cycle": ground.cycle, "probed": len(found.fleet), "dropped": found.gathered.dropped, **figures},
    )


@contextmanager
def _told(part: str) -> Iterator[None]:
    """Say in the log why something had to be broken off; the next one finds what it left undone."""
    try:
        yield
    except StarAIError as error:
        log.warning("health.broken_off", extra={"part": part, "reason": str(error)})


def _run(part: str, function: Callable[..., object], *arguments: object) -> None:
    """Do something that keeps nothing after it from being done."""
    try:
        function(*arguments)
    except StarAIError as error:
        log.warning("health.part_failed", extra={"part": part, "reason": str(error)})
    except Exception:
        log.exception("health.part_crashed", extra={"part": part})
