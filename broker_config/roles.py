"""What each kind of user may do at the broker: the least that its work needs.

A permission is a regular expression over names of exchanges and queues, so every name in one is escaped and
every pattern anchored.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from broker_config import names

_NOTHING = "^$"


@dataclass(frozen=True)
class Role:
    """Permissions of one user; those named ``results_`` are topic permissions on ``results``."""

    configure: str = _NOTHING
    write: str = _NOTHING
    read: str = _NOTHING
    results_write: str = _NOTHING
    results_read: str = _NOTHING


def device_role(device: str, queues: Iterable[str]) -> Role:
    """A device: reads its own task queues and control queue, answers, reports, configures nothing."""
    return Role(
        write=_exactly(names.RESULTS, names.REPORTS),
        read=_exactly(names.device_queue(device), *queues),
        results_write=r"^reply\.[a-z0-9-]+\.[a-z]+$",
    )


def submitter_role(user: str) -> Role:
    """A submitter: submits, asks, and has reply queues of its own that see its own keys only.

    The topic permission for reading is what keeps it from binding its queue to another's replies.
    """
    own = rf"reply\.{re.escape(names.wire_name(user))}-[0-9a-f]+"
    return Role(
        configure=f"^{own}$",
        write=f"^(?:{names.SUBMISSIONS}|{names.REQUESTS}|{own})$",
        read=f"^(?:{names.RESULTS}|{own})$",
        results_read=rf"^{own}\.\*$",
    )


def _exactly(*allowed: str) -> str:
    return f"^(?:{'|'.join(re.escape(name) for name in allowed)})$"
