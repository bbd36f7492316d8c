"""What a device is judged by: what the platform asked it, and what came back."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Asked:
    """A probe that was sent to a device, and what the registry knew of the device then.

    Attributes:
        cycle, nonce, padding: the probe's.
        signing: the public key that the device signs with; ``None``: it has none, since ``starai up`` enrolled it.
        changed: other keys of its own that it got or gave up not long ago, and how many seconds ago when it answered.
        models: those that it hosts; ``slots``: how many tasks it runs at once, over all of them.
        gpu_name, gpu_driver, provider: as it was last measured; ``None`` where it never was, or has none.
    """

    device: str
    cycle: int
    nonce: str
    padding: bytes
    signing: bytes | None
    models: frozenset[str]
    slots: int
    gpu_name: str | None = None
    gpu_driver: str | None = None
    provider: str | None = None
    changed: Mapping[bytes, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Heard:
    """What came back, and when.

    Attributes:
        user: who sent it, as the broker validated; ``None``: it does not say.
        after: seconds from the probe's publication to the report's arrival.
        echo: the padding as it came back, and ``echo_after`` how many seconds after the report. Where it did not
            come back, ``echo_after`` is for how long it was waited for, if it was.
    """

    user: str | None
    body: bytes
    after: float
    echo: bytes | None = None
    echo_after: float | None = None
