"""Reports of tasks that nobody submitted, as far as is known: put back once, because a report may overtake its task."""

from collections import OrderedDict
from collections.abc import Iterable

from registry.ledger_entries import Reported

# Far more than can be on their way back to their queue at once.
_REMEMBERED = 50_000


class Orphans:
    """Remembers which reports were put back. The broker's own word for that does not do: it says ``redelivered`` of
    all that a reader held which was killed, also of what nobody has looked at yet.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, ...], None] = OrderedDict()

    def to_put_back(self, orphans: Iterable[Reported]) -> list[Reported]:
        """Return those that were not put back before."""
        return [orphan for orphan in orphans if self._is_new(orphan)]

    def _is_new(self, orphan: Reported) -> bool:
        name = (orphan.submitter, orphan.task, orphan.state, orphan.device or "", orphan.run or "")
        if name in self._seen:
            del self._seen[name]
            return False
        self._seen[name] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True
