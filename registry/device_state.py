"""What state a device may be in, and what may follow: data."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class DeviceState(StrEnum):
    """Whether a device serves, and if not, by whose choice.

    Attributes:
        ACTIVE: it serves.
        INACTIVE: it does not until a check finds it healthy; so every device begins.
        OFFLINE: its owner chose so.
        BLACKLISTED: the network chose so.
    """

    ACTIVE = "active"
    INACTIVE = "inactive"
    OFFLINE = "offline"
    BLACKLISTED = "blacklisted"


#: The states that may follow each. One that comes back is checked before it serves again.
FOLLOWING: Mapping[DeviceState, frozenset[DeviceState]] = MappingProxyType(
    {
        DeviceState.ACTIVE: frozenset({DeviceState.INACTIVE, DeviceState.OFFLINE, DeviceState.BLACKLISTED}),
        DeviceState.INACTIVE: frozenset({DeviceState.ACTIVE, DeviceState.OFFLINE, DeviceState.BLACKLISTED}),
        DeviceState.OFFLINE: frozenset({DeviceState.INACTIVE, DeviceState.BLACKLISTED}),
        DeviceState.BLACKLISTED: frozenset({DeviceState.INACTIVE}),
    }
)
