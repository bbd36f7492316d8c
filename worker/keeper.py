"""Keeps a device to what its owner wishes and prefers, and lets the owner know how it is."""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from starai.errors import SettingError
from worker.control import Control, utc_now
from worker.departure import Departure
from worker.device import Device
from worker.enrolment import Enrolment
from worker.moment import local_moment
from worker.pause_rule import PauseRule, conditions
from worker.preferences_file import PreferencesFile
from worker.status import BY_OWNER, Doing, ModelStatus, Pause, Status
from worker.surroundings import Lookout, unknown
from worker.watched import Watched
from worker.wishes import Wishes

log = logging.getLogger(__name__)

#: Seconds between two looks at what the owner wishes; each costs a call of the system.
PERIOD = 0.5
#: Seconds between two looks at what is around the device.
LOOK_EVERY = 5.0
#: Seconds after which the owner is told how the device is, though nothing has happened.
TELL_EVERY = 3.0


class Keeper:
    """Looks and tells on a thread of its own.

    Args:
        enrolment: who the device is.
        device: the device, which need not be open yet.
        departure: how it leaves.
        control: where wishes come from, and where the owner is told.
        preferences: what the owner prefers.
        lookout: what looks at the surroundings.
    """

    def __init__(
        self,
        enrolment: Enrolment,
        device: Device,
        departure: Departure,
        control: Control,
        preferences: PreferencesFile,
        lookout: Lookout | None = None,
    ) -> None:
        self._enrolment = enrolment
        self._device = device
        self._departure = departure
        self._control = control
        self._preferences = preferences
        self._lookout = lookout or Lookout()
        self._rule = PauseRule()
        self._since = utc_now()
        self._wishes = Wishes()
        self._watched = Watched(control.wishes_file, seen=False)
        self._look_at = self._tell_at = 0.0
        self._told: Status | None = None
        self._unknown: list[str] = []
        self._trouble: str | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Pause where the owner wished that before, or prefers it, then begin: such a device takes no task first."""
        self._wishes = self._control.wishes()
        self._keep()
        self._thread.start()

    def stop(self) -> None:
        """End, and tell the owner how the device ended."""
        self._stopped.set()
        self._thread.join()
        try:
            self._tell(ended=True)
        except SettingError as error:
            self._note(str(error))

    def _run(self) -> None:
        while not self._stopped.wait(PERIOD):
            try:
                self._tick()
            except SettingError as error:
                self._note(str(error))
            except Exception:  # an owner who cannot pause their device would have to end it
                log.exception("keeper.crashed")

    def _tick(self) -> None:
        self._obey()
        self._preferences.look()
        self._keep()

    def _keep(self) -> None:
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY
            self._look(now)
        self._pause(now)
        self._tell()

    def _obey(self) -> None:
        if self._watched.has_changed():
            self._wishes = self._control.wishes()
            if self._wishes.exit is not None:
                log.info("exit.wished", extra={"grace": self._wishes.exit.grace})
                self._departure.ask(self._wishes.exit.grace)

    def _look(self, now: float) -> None:
        preferences = self._preferences.current
        around = self._lookout.look(preferences, self._device.others_cpu)
        self._rule.update(conditions(preferences, around, _local()), now)
        self._note_unknown(unknown(preferences, around))

    def _pause(self, now: float) -> None:
        pause = self._pause_now(now)
        why = _sentence(pause) if pause else None
        if why == self._device.paused:
            return
        self._device.paused = why
        log.info("device.paused" if why else "device.resumed", extra={"reason": why} if why else {})

    def _pause_now(self, now: float) -> Pause | None:
        wished = self._wishes.pause_at(utc_now())
        if wished is not None:
            return BY_OWNER.model_copy(update={"until": wished.until})
        return self._rule.pause(now, _local())

    def _tell(self, *, ended: bool = False) -> None:
        status = self._status(ended=ended)
        now = time.monotonic()
        if self._told is not None and status.news == self._told.news and now < self._tell_at and not ended:
            return
        self._told, self._tell_at = status, now + TELL_EVERY
        self._control.tell(status)

    def _status(self, *, ended: bool) -> Status:
        device, departure, broken = self._device, self._departure, self._device.broken
        models = (
            ModelStatus(
                model=ladder.deployment.model,
                slots=ladder.deployment.slots,
                running=ladder.running,
                held=ladder.held,
                load=device.load(ladder),
                broken=broken.get(ladder.deployment.model),
            )
            for ladder in device.ladders
        )
        by = utc_now() + timedelta(seconds=departure.time_left) if departure.asked and not ended else None
        return Status(
            device=device.id,
            region=self._enrolment.region,
            pid=os.getpid(),
            since=self._since,
            at=utc_now(),
            doing=Doing.ENDED if ended else departure.doing,
            connected=device.is_connected,
            subscriptions=sum(ladder.consumers for ladder in device.ladders),
            models=tuple(models),
            done=device.done,
            failed=device.failed,
            paused=self._pause_now(time.monotonic()),
            leaving_by=by and by.replace(microsecond=0),
            mistake=self._preferences.mistake,
            without_effect=tuple(self._unknown),
            ended=departure.ended,
        )

    def _note_unknown(self, names: list[str]) -> None:
        if names != self._unknown:
            self._unknown = names
            log.info("preferences.without_effect", extra={"preferences": ",".join(names)})

    def _note(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            log.warning("keeper.hindered", extra={"reason": trouble})


@contextmanager
def keeping(
    enrolment: Enrolment,
    device: Device,
    departure: Departure,
    control: Control | None,
    preferences: PreferencesFile | None,
) -> Iterator[None]:
    """Be the device that runs with an enrolment, and keep it to its owner's wishes; without ``control`` do nothing.

    Raises:
        DeviceRuns: one runs with this enrolment already.
        SettingError: the files by which owner and device talk cannot be used.
    """
    if control is None:
        yield
        return
    with control.claim():
        keeper = Keeper(enrolment, device, departure, control, preferences or PreferencesFile(control.preferences_file))
        keeper.start()
        try:
            yield
        finally:
            keeper.stop()


def _local() -> datetime:
    return datetime.now(UTC).astimezone()


def _sentence(pause: Pause) -> str:
    return pause.why if pause.until is None else f"{pause.why}, until {local_moment(pause.until)}"
