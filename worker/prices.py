"""What a ladder's rungs are to be worth at the broker, and which of them have to be opened anew for that. No I/O."""

from collections.abc import Collection, Iterable

from broker_config.priority import GOOD_STANDING, priority
from broker_config.regions import Region
from worker.budget import BURST, ChangeBudget
from worker.load import LoadMeter
from worker.rung import Rung

#: Seconds between two changes of the rungs' priorities, or two closings of those that wait beside another.
REPRICE = 5.0
#: The changes that they leave for what matters more.
RESERVE = 10
# Seconds between two looks whether priorities are still true.
_LOOK = 0.5
# How wrong the priority of a rung abroad must be: it follows the device's own tasks, which come and go.
_COARSE = 4
# Rungs renewed at once: no more than can ever be paid for.
_RENEWED = int(BURST - RESERVE) // 2


class Prices:
    """The priorities of one ladder's rungs.

    Args:
        home: the device's region.
        slots: how many tasks run at once.
        speed: how fast the device runs the model.
        sound: whether it is in good standing.

    Attributes:
        load: what the device is under besides this model's own tasks, from 0.0 to 1.0.
        sound: whether it is in good standing.
    """

    def __init__(self, home: Region, slots: int, speed: float, *, sound: bool) -> None:
        self._home = home
        self._slots = slots
        self._speed = speed
        self.sound = sound
        self.load = 0.0
        self._occupancy = LoadMeter()
        self._look_at = 0.0

    def sample(self, running: int, now: float) -> None:
        """Take in how many tasks run."""
        self._occupancy.sample(running / self._slots, now)

    def price(self, rung: Rung) -> int:
        """Return the priority that a rung is to have."""
        own = rung.step / self._slots
        if not rung.home:  # nor do rungs abroad see the tasks from home
            own = max(own, self._occupancy.step)
        return priority(
            home=self._home,
            queue=rung.region,
            load=self.load + (1.0 - self.load) * own,
            speed=self._speed,
            sound=self.sound,
        )

    def are_due(self, now: float) -> bool:
        """Tell whether it is time to look which rungs are stale."""
        return now >= self._look_at

    def stale(self, rungs: Iterable[Rung], busy: Collection[Rung], budget: ChangeBudget, now: float) -> set[Rung]:
        """Return which of these open rungs to renew, because their priority is no longer true.

        One that is busy is let be until its task has ended, unless it is in the wrong band: a device that is never
        idle would else keep the band that it has lost. Of a ladder too long to be renewed at once they are those whose
        priority is wrong by most.
        """
        self._look_at = now + _LOOK
        wrong = {rung: abs(rung.priority - self.price(rung)) for rung in rungs}
        far = [rung for rung in wrong if self._is_far(rung, wrong[rung], rung in busy)]
        stale = sorted(far, key=lambda rung: -wrong[rung])[:_RENEWED]
        if not stale or not budget.allows(2 * len(stale) + RESERVE, now):
            return set()
        self._look_at = now + REPRICE
        return set(stale)

    def _is_far(self, rung: Rung, wrong: int, busy: bool) -> bool:
        if busy:
            return (rung.priority >= GOOD_STANDING) is not self.sound
        return wrong >= (1 if rung.home else _COARSE)
