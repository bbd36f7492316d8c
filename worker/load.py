"""What a device is under besides a model's own tasks: one figure, smoothed, in steps of ten percent. No clock, no I/O.

A model's own tasks are not in it: the broker sees those by the ladder, at once and exactly.
"""

import math
from dataclasses import dataclass

#: Seconds in which the smoothed load covers 63 % of the way to a new one. A load that swings between nothing and
#: everything once in T seconds moves it by tanh(T / 4 / SMOOTHING): 5 % for 2 s, less than the 6 % that
#: :data:`HYSTERESIS` lets pass, so that the step comes to rest.
SMOOTHING = 10.0
#: How far the smoothed load may be from the step before the step follows. 0.05 would be no hysteresis at all. It
#: stays below 0.1, or nothing and everything could not be told from the steps beside them.
HYSTERESIS = 0.08
#: Seconds between two moves at least: each has all of the device's rungs opened anew.
REST = 5.0
#: The share of memory in use from which memory is tight. Below it, systems fill memory only because it is there.
TIGHT = 0.9

_STEPS = 10


@dataclass(frozen=True)
class Use:
    """What is used of the machine by all but a model and its device: shares from 0.0 to 1.0.

    Attributes:
        cpu: of all logical processors.
        memory: of the main memory that the model does not hold.
        gpu: of all GPUs' time, as for processors.
        gpu_memory: of the memory of the fullest GPU.
    """

    cpu: float = 0.0
    memory: float = 0.0
    gpu: float = 0.0
    gpu_memory: float = 0.0


def pressure(use: Use) -> float:
    """Return the load that such a use is, from 0.0 to 1.0: what is scarcest counts.

    Memory is no load while there is enough of it; from :data:`TIGHT` on it rises to 1.0, where the machine swaps.
    """
    return _share(max(use.cpu, use.gpu, _tightness(use.memory), _tightness(use.gpu_memory)))


class LoadMeter:
    """Turns samples of the load into a step that seldom moves.

    It begins at nothing, and so does not take the start of the device itself for a load.
    """

    def __init__(self) -> None:
        self._smoothed = 0.0
        self._tenths = 0
        self._sampled: float | None = None
        self._moved = -math.inf

    @property
    def step(self) -> float:
        """The load in tenths: 0.0, 0.1, ... 1.0. It moves once in :data:`REST` seconds at most."""
        return self._tenths / _STEPS

    @property
    def smoothed(self) -> float:
        """The load as it is smoothed, without steps."""
        return self._smoothed

    def sample(self, load: float, now: float) -> None:
        """Take in the load, from 0.0 to 1.0, since the last sample; the first one only starts the clock.

        Args:
            load: the share of the device that was in use.
            now: seconds on a clock that never goes back.
        """
        if self._sampled is not None:
            self._smoothed += (load - self._smoothed) * (1 - math.exp((self._sampled - now) / SMOOTHING))
        self._sampled = now
        followed = self._followed()
        if followed != self._tenths and now - self._moved >= REST:
            self._tenths, self._moved = followed, now

    def _followed(self) -> int:
        """Return the step that is within the hysteresis of the smoothed load: it follows no further than it must.

        Following to the step next to the load instead would let a swing smaller than the hysteresis move it for ever.
        """
        exact, slack = self._smoothed * _STEPS, HYSTERESIS * _STEPS
        return min(max(self._tenths, math.ceil(exact - slack)), math.floor(exact + slack))


def _tightness(memory: float) -> float:
    return max(memory - TIGHT, 0.0) / (1 - TIGHT)


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
