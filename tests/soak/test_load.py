"""What submitters ask for: the same for the same seed, and within what the network takes."""

import random

from broker_config.regions import Region
from soak.load import LONGEST_DEADLINE, LONGEST_LEASE, wish
from starai.submission import submission


def drawn(seed, count=2000):
    chosen = random.Random(seed)
    return [wish(chosen, Region.ASIA) for _ in range(count)]


def test_the_same_seed_asks_for_the_same():
    assert drawn(1) == drawn(1) != drawn(2)


def test_everything_that_is_asked_for_can_be_submitted():
    for one in drawn(3):
        assert submission(one.model, one.inputs, one.region, one.deadline, one.lease)
        assert one.deadline <= LONGEST_DEADLINE
        assert one.lease <= LONGEST_LEASE


def test_there_is_some_of_everything():
    wishes = drawn(4)

    assert any(one.cancel_after is not None for one in wishes)
    assert any(isinstance(one.inputs, list) for one in wishes)
    assert {one.region for one in wishes} > {Region.ASIA, Region.EUROPE}
    assert {one.inputs for one in wishes if isinstance(one.inputs, str)} > {"crash", "refuse"}
    assert {one.model for one in wishes} > {"tiny", "nobody-hosts-this"}
