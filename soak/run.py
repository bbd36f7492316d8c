"""One run: load and faults for a time, then quiet until everything has ended."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from broker_config.regions import Region
from soak import ledger
from soak.account import Key, Told
from soak.end import End
from soak.faults import TRANSIENT, Faults
from soak.hostile import Behaviour
from soak.journal import Journal, Reader
from soak.network import Network
from soak.schedule import LANES, Fault, Kind
from soak.submitter import Part
from soak.submitting import PATIENCE, Submitting
from starai.errors import RegistryError, StarAIError

#: Who submits, and from where.
SUBMITTERS = {
    "submitter-asia": Region.ASIA,
    "submitter-europe": Region.EUROPE,
    "submitter-america": Region.NORTH_AMERICA,
}
#: Who submits what a fault needs.
OPERATOR = "operator"

_LOOK = 0.5
_QUIET_LOOKS = 6
# Seconds around a submitter's death in which what it was told may not have reached the network.
_MOMENT = 2.0


@dataclass(frozen=True)
class Event:
    """A fault as it was.

    Attributes:
        at: when it began, and ``until`` when it ended, in seconds of the run.
        devices: those that may be blamed for what followed.
        error: what went wrong with it, if anything did.
    """

    at: float
    until: float
    kind: str
    what: str
    devices: tuple[str, ...] = ()
    error: str | None = None


#: Told each event, and every moment how far the run is: seconds, submitted, ended.
OnEvent = Callable[[Event], None]
OnMoment = Callable[[float, int, int], None]


@dataclass
class Run:
    """A run on a network that has started.

    Attributes:
        events: the faults, in the order in which they ended.
        settled: whether nothing was open any more in the end.
        began_at: Unix time, in seconds.
    """

    network: Network
    seconds: float
    seed: int
    rate: float
    faults: list[Fault]
    behaviours: tuple[Behaviour, ...]
    events: list[Event] = field(default_factory=list)
    settled: bool = False
    began_at: float = 0.0

    def __post_init__(self) -> None:
        self._readers = {name: Reader(self.network.journal(name)) for name in (*SUBMITTERS, OPERATOR)}
        self._over = threading.Event()

    def carry_out(self, on_event: OnEvent, on_moment: OnMoment) -> None:
        """Do it, and wait until all is quiet."""
        url = self.network.submitter(OPERATOR)
        submitting = Submitting(url, Journal(self.network.journal(OPERATOR)))
        faults = Faults(self.network, submitting, self.behaviours)
        began, self.began_at = time.monotonic(), time.time()
        self._begin_load()
        threads = [threading.Thread(target=self._bring, args=(lane.kinds, faults, began, on_event)) for lane in LANES]
        for thread in threads:
            thread.start()
        try:
            while time.monotonic() < began + self.seconds or any(thread.is_alive() for thread in threads):
                on_moment(time.monotonic() - began, *self._counts())
                time.sleep(_LOOK)
            self._settle(lambda: on_moment(time.monotonic() - began, *self._counts()))
        finally:
            self._over.set()
            faults.stop()
            for thread in threads:
                thread.join()
            submitting.close()

    def told(self) -> dict[Key, Told]:
        """Return what the submitters were told of every task that they submitted."""
        return {
            (name, entry.task): Told(entry.ended or End.OPEN, entry.detail)
            for name, reader in self._readers.items()
            for entry in reader.read().values()
        }

    def killed_when_told(self) -> set[Key]:
        """Return the tasks whose submitter was killed in the moment in which it was told of their ends."""
        deaths = [
            (event.what.split()[-1], self.began_at + event.at)
            for event in self.events
            if event.kind == Kind.SUBMITTER_KILLED
        ]
        return {
            (name, entry.task)
            for name, died in deaths
            for entry in self._readers[name].entries.values()
            if abs(entry.at - died) <= _MOMENT
        }

    def poisons(self, tags: Iterable[str]) -> dict[str, str]:
        """Return the tasks that were poison, by their tags."""
        submitted = [entry for entry in self._readers[OPERATOR].entries.values() if entry.submitted]
        inputs = {str((entry.submitted or {}).get("inputs")): entry.task for entry in submitted}
        return {tag: inputs.get(f"poison {tag}", "") for tag in tags}

    def notes(self) -> list[str]:
        """Return what else submitters wrote down."""
        return [f"{name}: {note}" for name, reader in self._readers.items() for note in reader.notes]

    def sources(self) -> dict[str, int]:
        """Return how many ends were told by a reply, and how many were asked for."""
        found = [entry.source for reader in self._readers.values() for entry in reader.entries.values() if entry.source]
        return {source: found.count(source) for source in sorted(set(found))}

    def _begin_load(self) -> None:
        until = time.time() + self.seconds
        for number, (name, region) in enumerate(SUBMITTERS.items()):
            part = Part(
                journal=self.network.journal(name),
                region=region,
                seed=self.seed + number,
                rate=self.rate / len(SUBMITTERS),
                until=until,
                death=self.network.death(name),
            )
            self.network.submit(name, part.model_dump_json())

    def _bring(self, kinds: tuple[Any, ...], faults: Faults, began: float, on_event: OnEvent) -> None:
        for fault in self.faults:
            if fault.kind not in kinds or self._over.wait(max(began + fault.at - time.monotonic(), 0.0)):
                continue
            at = time.monotonic() - began
            try:
                brought = faults.bring(fault)
                event = Event(at, time.monotonic() - began, fault.kind, brought.what, brought.devices)
            except (
                StarAIError,
                *TRANSIENT,
            ) as error:  # of another fault at the same time, or of the harness: it is told
                said = f"{type(error).__name__}: {error}"
                event = Event(at, time.monotonic() - began, fault.kind, "did not come about", error=said)
            self.events.append(event)
            on_event(event)

    def _settle(self, on_moment: Callable[[], None]) -> None:
        """Wait until submitters are done, and nothing is open or on its way in several looks in a row."""
        until, quiet = time.monotonic() + PATIENCE, 0
        while quiet < _QUIET_LOOKS and time.monotonic() < until:
            on_moment()
            quiet = quiet + 1 if self._is_quiet() else 0
            time.sleep(_LOOK)
        self.settled = quiet >= _QUIET_LOOKS

    def _is_quiet(self) -> bool:
        done = all(self.network.kept[name].exit_code == 0 for name in SUBMITTERS)
        try:
            return (
                done
                and self._open() == 0
                and self.network.waiting() == 0
                and not ledger.open_tasks(self.network.engine)
            )
        except RegistryError:
            return False

    def _open(self) -> int:
        submitted, ended = self._counts()
        return submitted - ended

    def _counts(self) -> tuple[int, int]:
        entries = [entry for reader in self._readers.values() for entry in reader.read().values()]
        return len(entries), sum(entry.ended is not None for entry in entries)
