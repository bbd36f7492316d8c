"""What one check finds of one device."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from registry.health_state import Check


class Verdict(StrEnum):
    """How a check came out. What could not be checked has not failed."""

    PASSED = "passed"
    FAILED = "failed"
    UNCHECKED = "unchecked"


@dataclass(frozen=True)
class Finding:
    """A verdict with its reason, for people, and the figures that it is made of.

    Attributes:
        reason: a sentence about the device where it failed or could not be checked; empty where it passed.
    """

    check: Check
    verdict: Verdict
    reason: str = ""
    figures: Mapping[str, float | int | str | None] = field(default_factory=dict)
