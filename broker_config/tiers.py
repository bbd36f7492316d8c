"""Tiers: models by size, so that a queue's name says what kind of device may read it."""

from enum import StrEnum


class Tier(StrEnum):
    """How large a model is, by its number of parameters."""

    LARGE = "large"
    MEDIUM = "medium"
    SMALL = "small"
    TINY = "tiny"


# Parameters above which a model belongs to the tier.
_FLOORS = ((Tier.LARGE, 15_000_000_000), (Tier.MEDIUM, 1_500_000_000), (Tier.SMALL, 100_000_000))


def tier_of(parameters: int) -> Tier:
    """Return the tier of a model with that many parameters."""
    return next((tier for tier, floor in _FLOORS if parameters > floor), Tier.TINY)
