"""A device of ours, at work, is innocent."""

from broker_config import names
from broker_config.audit import Allowance, audit
from broker_config.regions import Region
from broker_config.tiers import Tier

QUEUES = frozenset(names.task_queue(region, Tier.TINY, "all-minilm-l6-v2") for region in Region)


def test_nothing_is_found_of_a_device_that_is_full_and_has_more_waiting(broker, start, ask, gates, until):
    device = start(broker, slots=2)
    jobs = [ask("gate open", region) for region in ("asia", "europe", "africa") for _ in range(4)]
    api = broker.node.api
    allowed = {device.id: Allowance(QUEUES, slots=2)}

    def held() -> int:
        return sum(c.get("messages_unacknowledged", 0) for c in api.channels(broker.vhost) if c["user"] == device.id)

    until(held)
    until(device.subscriptions)
    assert audit(api.consumers(broker.vhost), api.channels(broker.vhost), allowed) == []
    gates.open("open")
    [job.result(20) for job in jobs]
    assert audit(api.consumers(broker.vhost), api.channels(broker.vhost), allowed) == []
