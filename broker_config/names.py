"""Every name that goes over the wire: exchanges, queues, keys, users.

A wire name has no dots, because a dot separates the words of a routing key: ``phi3-3.8b`` is ``phi3-3-8b``.
"""

import re
import secrets

from broker_config.errors import InvalidName
from broker_config.regions import Region
from broker_config.tiers import Tier

VHOST = "starai"

SUBMISSIONS = "submissions"
INFERENCE = "inference"
RESULTS = "results"
DEVICES = "devices"
REPORTS = "reports"
REQUESTS = "requests"
ENROLMENT = "enrolment"
UNPLACED = "unplaced"
FAILED = "failed"
LEDGER = "ledger"
PLATFORM = "platform"

#: Celery's own name for the exchange of its events, by which Flower hears of devices and tasks.
EVENTS = "celeryev"

#: The queue of ``REQUESTS``. Not of its exchange's name: a permission is for both, and who may write to the queue
#: ``requests`` could bind it to ``results``, which submitters have to be able to read.
REQUESTS_QUEUE = "platform.requests"

#: The queue of what devices answer to health probes: apart from ``REPORTS``, because nobody answers it, and it may be
#: dropped once its cycle is over.
HEALTH_QUEUE = "platform.health"

#: The one Celery task that submitters name and devices run.
INFERENCE_TASK = "starai.inference"

_NUMBER = re.compile(r"[0-9a-f]{1,32}")
_WIRE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def wire_name(name: str) -> str:
    """Return the form of a model's or user's name that stands in keys, queues and users.

    Raises:
        InvalidName: the name has other characters than a-z, 0-9, ``-``, ``.``, or over 63 of them.
    """
    wire = name.replace(".", "-")
    if not _WIRE.fullmatch(wire):
        raise InvalidName(
            f"{name[:80]!r} cannot be a name here: use 1 to 63 of a-z, 0-9, '-' and '.', "
            "beginning and ending with a letter or digit."
        )
    return wire


def task_queues(tier: Tier, model: str) -> list[str]:
    """Return the queues of a model in every region."""
    return [task_queue(region, tier, model) for region in Region]


def submission_key(region: Region, target: str) -> str:
    """Return the routing key of a task for a model, or for a tier's default model."""
    return f"{region}.{wire_name(target)}"


def task_queue(region: Region, tier: Tier, model: str) -> str:
    """Return the queue in which a region's tasks for a model wait."""
    return f"{INFERENCE}.{region}.{tier}.{wire_name(model)}"


def device_queue(device: str) -> str:
    """Return the control queue of one device."""
    return f"device.{wire_name(device)}"


def new_reply_queue(user: str) -> str:
    """Return a reply queue's name that nobody else has; only that user may read it."""
    return f"reply.{wire_name(user)}-{secrets.token_hex(8)}"


def result_key(reply_to: str, state: str) -> str:
    """Return the routing key under which a task's state goes back to who asked."""
    return f"{reply_to}.{state}"


def is_reply_queue(name: str, user: str) -> bool:
    """Tell whether a message's reply address is one of its sender's own.

    Without this a submitter could have the answers to its tasks sent into another's reply queue.
    """
    return reply_user(name) == user


def reply_user(name: str) -> str | None:
    """Return the user whose reply queue that would be, or nothing when it is no reply queue's name."""
    owner, _, number = name.removeprefix("reply.").rpartition("-")
    return owner if name.startswith("reply.") and _WIRE.fullmatch(owner) and _NUMBER.fullmatch(number) else None
