"""The processes of the platform in a local network, as data: how each is started, and when it is ready."""

from collections.abc import Collection
from dataclasses import dataclass

from broker_config import names
from ops.process import Process


@dataclass(frozen=True)
class PlatformProcess:
    """One process of the platform.

    Attributes:
        name: what it is called, in the log's name too.
        command: the module, and its arguments; it ends with its lifeline.
        consumes: the queue that it reads once it is ready.
        says: the event in its log by which it is known to be ready, where it reads no queue.
    """

    name: str
    command: tuple[str, ...]
    consumes: str | None = None
    says: str | None = None

    def is_ready(self, process: Process, consumed: Collection[str]) -> bool:
        """Tell whether it is ready, given the queues that somebody reads."""
        return self.consumes in consumed if self.consumes else process.has_said(self.says or "")


#: All are started at once, and stopped together but for the first one: the recorder goes last, so that it writes down
#: what the others still said.
PLATFORM = (
    PlatformProcess("recorder", ("ops.cli", "record", "--lifeline"), consumes=names.LEDGER),
    PlatformProcess("platform", ("ops.platform_worker",), consumes=names.PLATFORM),
    PlatformProcess("beat", ("ops.platform_beat",), says="beat.ready"),
    PlatformProcess("flower", ("ops.cli", "flower", "--lifeline"), says="flower.ready"),
    PlatformProcess("page", ("ops.cli", "phones", "--lifeline"), says="page.ready"),
)
