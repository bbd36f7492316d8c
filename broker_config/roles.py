"""What each kind of user may do at the broker: the least that its work needs.

A permission is a regular expression over names of exchanges and queues, so every name in one is escaped and
every pattern anchored: by ``\\A`` and ``\\z``, because ``$`` also matches before a line's end.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from broker_config import names

_NOTHING = r"\A\z"


@dataclass(frozen=True)
class Role:
    """Permissions of one user; those named ``results_`` are topic permissions on ``results``.

    Attributes:
        connections: how many the user may have open at once, over all virtual hosts.
        channels: how many channels, over all its connections.
    """

    configure: str = _NOTHING
    write: str = _NOTHING
    read: str = _NOTHING
    results_write: str = _NOTHING
    results_read: str = _NOTHING
    connections: int = 1
    channels: int = 1


def device_role(device: str, queues: Iterable[str]) -> Role:
    """A device: reads its own task queues and control queue, answers, reports, configures nothing.

    Without queues it is inactive: it hears orders, and may still say how its last tasks ended.
    """
    # It has two connections, for what it says and for its tasks; a page in a browser has one more, for tasks from
    # abroad. When its network fails all come back at once, and the broker notices only by their missing heartbeats that
    # the old ones are dead.
    return Role(
        write=_exactly(names.RESULTS, names.REPORTS),
        read=_exactly(names.device_queue(device), *queues),
        results_write=r"\Areply\.[a-z0-9-]{1,63}-[0-9a-f]{1,32}\.[a-z]{1,16}\z",
        connections=6,
        channels=8,
    )


def submitter_role(user: str) -> Role:
    """A submitter: submits, asks, and has reply queues of its own that see its own keys only.

    The topic permission for reading is what keeps it from binding its queue to another's replies.
    """
    own = rf"reply\.{re.escape(names.wire_name(user))}-[0-9a-f]+"
    return Role(
        configure=rf"\A{own}\z",
        write=rf"\A(?:{names.SUBMISSIONS}|{names.REQUESTS}|{own})\z",
        read=rf"\A(?:{names.RESULTS}|{own})\z",
        results_read=rf"\A{own}\.\*\z",
        connections=20,
        channels=100,
    )


def bootstrap_role() -> Role:
    """The user of join tokens: writes to ``enrolment`` and nothing else.

    The answer comes by direct reply-to (``amq.rabbitmq.reply-to``), which needs no permission: it is bound to the
    channel that asked, so that newcomers do not hear one another.
    """
    # All newcomers share it; each is connected for seconds.
    return Role(write=_exactly(names.ENROLMENT), connections=50, channels=100)


def _exactly(*allowed: str) -> str:
    return rf"\A(?:{'|'.join(re.escape(name) for name in allowed)})\z"
