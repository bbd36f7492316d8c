"""Regions and how far they are apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_config.errors import InvalidName
from broker_config.regions import Region, distance, parse_region

REGIONS = st.sampled_from(Region)


@given(REGIONS, REGIONS)
def test_a_distance_is_the_same_both_ways_and_nothing_only_at_home(one, other):
    assert distance(one, other) == distance(other, one)
    assert 0.0 <= distance(one, other) <= 1.0
    assert (distance(one, other) == 0.0) == (one is other)


def test_the_farthest_pair_is_one_apart():
    assert max(distance(one, other) for one in Region for other in Region) == 1.0


@given(REGIONS)
def test_a_region_is_read_by_its_name(region):
    assert parse_region(str(region)) is region


@pytest.mark.parametrize("text", ["", "Asia", "atlantis", "asia ", "europe.tiny"])
def test_another_name_is_refused_with_the_list_of_regions(text):
    with pytest.raises(InvalidName, match="asia, europe, north-america, south-america, africa, oceania"):
        parse_region(text)
