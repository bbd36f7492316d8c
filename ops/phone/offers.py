"""The models that phones may have: each is fetched at the first request of it, and verified before it is given."""

import asyncio
import logging
import math
import threading
import time
from concurrent.futures import Future

from models.catalogue import Catalogue
from models.entry import CatalogueEntry
from models.store import ModelStore
from ops.phone.offer import Offer, is_for_phones, offer_of
from starai.errors import ModelCorrupt

log = logging.getLogger(__name__)

#: Seconds that a request waits for a model that is here and is only verified.
PATIENCE = 3.0
#: Seconds after which what could not be fetched is tried again.
RETRIED_AFTER = 60.0
_AGAIN = 5


class NotNow(Exception):
    """A model is not here, now.

    Args:
        reason: why, for people.
        seconds: after which to ask again.
    """

    def __init__(self, reason: str, seconds: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds


class Offers:
    """The models that phones may have. For one event loop.

    Args:
        store: where this machine keeps them.
        catalogue: which there are.
    """

    def __init__(self, store: ModelStore, catalogue: Catalogue) -> None:
        self._store = store
        self._entries = {entry.name: entry for entry in catalogue if is_for_phones(entry)}
        self._fetches: dict[str, _Fetch] = {}

    async def get(self, name: str) -> Offer | None:
        """Return a model; ``None``: phones have no such model.

        Raises:
            NotNow: it is not here yet, and is fetched, or could not be.
        """
        entry = self._entries.get(name)
        if entry is None:
            return None
        fetch = self._fetches.get(name)
        if fetch is None or fetch.is_over:
            fetch = self._fetches[name] = _Fetch(self._store, entry)
        return await fetch.offer()


class _Fetch:
    """One try to have a model here, on a thread of its own, for which nobody waits when the server ends."""

    def __init__(self, store: ModelStore, entry: CatalogueEntry) -> None:
        self._store = store
        self._entry = entry
        self._retried_at = math.inf
        self._result: Future[Offer | Exception] = Future()
        threading.Thread(target=self._run, name=f"fetch {entry.name}", daemon=True).start()

    @property
    def is_over(self) -> bool:
        """Whether to try anew: what came of it is altered or gone, or it failed long ago."""
        if not self._result.done():
            return False
        found = self._result.result()
        return not found.is_unchanged if isinstance(found, Offer) else time.monotonic() > self._retried_at

    async def offer(self) -> Offer:
        """Return the model; see :meth:`Offers.get`."""
        await asyncio.wait((asyncio.wrap_future(self._result),), timeout=PATIENCE)
        if not self._result.done():
            raise NotNow(f"The server fetches the model {self._entry.name}: ask again in a moment.", _AGAIN)
        found = self._result.result()
        if isinstance(found, Offer):
            return found
        raise NotNow(self._reason(found), max(1, math.ceil(self._retried_at - time.monotonic())))

    def _run(self) -> None:
        try:
            self._result.set_result(self._fetched())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is logged and told
            log.error("page.model", extra={"model": self._entry.name, "reason": str(error)})
            self._retried_at = time.monotonic() + RETRIED_AFTER
            self._result.set_result(error)

    def _fetched(self) -> Offer:
        folder = self._store.repair(self._entry)
        return offer_of(self._store.known(self._entry), folder)

    def _reason(self, error: Exception) -> str:
        """Say what is wrong; where on this machine, and at which source, is for its log alone."""
        if isinstance(error, ModelCorrupt):
            return f"What the server has of the model {self._entry.name} is not what it should be. Its log says more."
        return f"The server could not fetch the model {self._entry.name}. Its log says why."
