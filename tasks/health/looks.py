"""Looks at what devices do at the broker, once a cycle, at a cost that does not grow with the fleet."""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine

from broker_config import names
from broker_config.errors import BrokerError, NotAtBroker
from broker_config.management import Management
from broker_config.sample import CHANNELS, Sample
from registry.database import reading
from tasks.allowances import Enrolled, enrolled
from tasks.health.sight import Claims, Look, Sight, seen_of, sights_of
from tasks.health.workload import Seen, claim_of
from tasks.probe import Readings

log = logging.getLogger(__name__)

#: Queues whose consumers one look asks for, as long as all channels fit on one page: four models in all regions. With
#: the pages grows what each queue has to tell, so that a look asks for fewer.
QUEUES = 24
#: Looks at the same part before the next one's turn: that many show what stood (``tasks/health/sight.py``).
LOOKS = 3
#: Seconds between two looks that count as two: the broker renews its figures every five.
APART = 6.0


class Looks:
    """Looks at a small network whole each time, at a large one a part at a time, and remembers the last looks.

    A part is one page of channels, and the consumers of some queues.

    Args:
        engine: the registry's.
        management: the broker's management API.
        vhost: the network's virtual host.
        clock: tells seconds that never go back.
    """

    def __init__(
        self,
        engine: Engine,
        management: Management,
        vhost: str = names.VHOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._management = management
        self._vhost = vhost
        self._clock = clock
        self._turn = 0
        self._part = (0, 0)
        self._looks: deque[Look] = deque(maxlen=LOOKS)
        self._claims: Claims | None = None
        self._told_at: float | None = None
        self._seen: Mapping[str, Seen] = {}

    def look(self) -> Mapping[str, Seen]:
        """Return what is seen of each device. Those that are not in it could not be looked at this time.

        A look so soon after the last that the broker has nothing new to tell returns what that one did.

        Raises:
            RegistryError: the registry could not be reached, or refused.
        """
        at = self._clock()
        if self._looks and at - self._looks[-1].at < APART:
            return self._seen
        with reading(self._engine) as registry:
            known = enrolled(registry)
        queues = sorted({queue for one in known.values() for queue in one.allowance.queues})
        try:
            sample, whole = self._sample(queues)
        except BrokerError as error:
            log.warning("looks.failed", extra={"reason": str(error)})
            self._looks.clear()
            self._seen = {}
        else:
            self._seen = self._compare(at, sample, known, whole)
        return self._seen

    def told(self, readings: Mapping[str, Readings]) -> None:
        """Take in what devices said of themselves in a cycle, after its look: later ones are compared with it."""
        at = self._clock()
        if self._told_at is not None:
            self._claims = Claims(self._told_at, at, {device: claim_of(one) for device, one in readings.items()})
        self._told_at = at

    def _sample(self, queues: Sequence[str]) -> tuple[Sample, bool]:
        """Look at the part whose turn it is; tell whether it is the whole."""
        pages = self._management.channel_pages(CHANNELS)
        size = max(QUEUES // pages, 1)
        pieces = [queues[start : start + size] for start in range(0, len(queues), size)] or [()]
        parts = max(pages, len(pieces))
        part = self._turn // LOOKS % parts
        if (part, parts) != self._part:
            self._looks.clear()
        self._part, self._turn = (part, parts), self._turn + 1
        channels = self._management.channels(self._vhost, 1 + part % pages, CHANNELS)
        consumers = [one for queue in pieces[part % len(pieces)] for one in self._consumers(queue)]
        return Sample(consumers, channels), parts == 1

    def _consumers(self, queue: str) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = self._management.queue(self._vhost, queue).get("consumer_details", [])
        except NotAtBroker:  # it has gone meanwhile
            return []
        return found

    def _compare(self, at: float, sample: Sample, known: Mapping[str, Enrolled], whole: bool) -> dict[str, Seen]:
        sights = sights_of(sample, {device: one.allowance for device, one in known.items()})
        if whole:  # who is not to be seen has nothing there
            sights = {device: sights.get(device, Sight()) for device in known}
        self._looks.append(Look(at, sights))
        return {
            device: seen_of(device, self._looks, self._claims, known[device].home, known[device].allowance.slots)
            for device in sights
        }
