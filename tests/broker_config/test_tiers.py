"""Tiers by a model's size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_config.tiers import Tier, tier_of

BIG_TO_SMALL = [Tier.LARGE, Tier.MEDIUM, Tier.SMALL, Tier.TINY]


@pytest.mark.parametrize(
    ("parameters", "tier"),
    [
        (70_600_000_000, Tier.LARGE),  # llama3-70b
        (15_000_000_000, Tier.MEDIUM),
        (8_000_000_000, Tier.MEDIUM),  # llama3-8b
        (3_800_000_000, Tier.MEDIUM),  # phi3-3.8b
        (494_000_000, Tier.SMALL),  # qwen2.5-0.5b
        (22_700_000, Tier.TINY),  # all-minilm-l6-v2
    ],
)
def test_a_model_belongs_to_the_tier_of_its_size(parameters, tier):
    assert tier_of(parameters) is tier


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_a_larger_model_is_never_in_a_smaller_tier(one, other):
    small, large = sorted((one, other))

    assert BIG_TO_SMALL.index(tier_of(large)) <= BIG_TO_SMALL.index(tier_of(small))
