"""An empty ledger in memory."""

import pytest

from tests.registry.ledger_fold.recorded import Ledger


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()
