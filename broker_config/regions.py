"""Regions and the distance between each two: data, used by names, topology and priority."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from broker_config.errors import InvalidName


class Region(StrEnum):
    """Where a device stands or a submitter asks from."""

    ASIA = "asia"
    EUROPE = "europe"
    NORTH_AMERICA = "north-america"
    SOUTH_AMERICA = "south-america"
    AFRICA = "africa"
    OCEANIA = "oceania"


# Round-trip times in ms between well-connected sites of two regions, rounded to 10. They rank regions by
# distance; no code depends on their absolute size.
_ROUND_TRIPS: Mapping[frozenset[Region], int] = MappingProxyType(
    {
        frozenset((Region.ASIA, Region.EUROPE)): 160,
        frozenset((Region.ASIA, Region.NORTH_AMERICA)): 170,
        frozenset((Region.ASIA, Region.SOUTH_AMERICA)): 300,
        frozenset((Region.ASIA, Region.AFRICA)): 230,
        frozenset((Region.ASIA, Region.OCEANIA)): 110,
        frozenset((Region.EUROPE, Region.NORTH_AMERICA)): 90,
        frozenset((Region.EUROPE, Region.SOUTH_AMERICA)): 190,
        frozenset((Region.EUROPE, Region.AFRICA)): 120,
        frozenset((Region.EUROPE, Region.OCEANIA)): 260,
        frozenset((Region.NORTH_AMERICA, Region.SOUTH_AMERICA)): 130,
        frozenset((Region.NORTH_AMERICA, Region.AFRICA)): 210,
        frozenset((Region.NORTH_AMERICA, Region.OCEANIA)): 170,
        frozenset((Region.SOUTH_AMERICA, Region.AFRICA)): 290,
        frozenset((Region.SOUTH_AMERICA, Region.OCEANIA)): 300,
        frozenset((Region.AFRICA, Region.OCEANIA)): 300,
    }
)


def distance(one: Region, other: Region) -> float:
    """Return how far two regions are apart, from 0.0 (the same) to 1.0 (the farthest pair)."""
    if one is other:
        return 0.0
    return _ROUND_TRIPS[frozenset((one, other))] / max(_ROUND_TRIPS.values())


def parse_region(text: str) -> Region:
    """Return the region of that name.

    Raises:
        InvalidName: it is none; the message lists those there are.
    """
    try:
        return Region(text)
    except ValueError as error:
        raise InvalidName(f"There is no region {text!r}. Use one of: {', '.join(Region)}.") from error
