"""What the tests of the broker's configuration share."""

import pytest

from broker_config.tiers import Tier
from broker_config.topology import HostedModel


@pytest.fixture
def hosted() -> HostedModel:
    """The model whose queues the fixture ``broker`` declares."""
    return HostedModel("all-minilm-l6-v2", Tier.TINY, is_default=True)
