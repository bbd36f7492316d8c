"""The topology at a real broker."""

import pytest

from broker_config import names
from broker_config.apply import apply
from broker_config.check import differences
from broker_config.errors import BrokerRefused, BrokerUnreachable, TopologyMismatch
from broker_config.settings import BrokerSettings
from broker_config.topology import Limits, Queue, Topology, topology

KIND = BrokerSettings().queue_type


def test_a_broker_that_had_the_topology_applied_does_not_differ(broker, hosted):
    wanted = topology([hosted], KIND)

    assert differences(wanted, broker.node.api.definitions(broker.vhost)) == []


def test_applying_it_again_changes_nothing(broker):
    before = broker.node.api.definitions(broker.vhost)

    broker.apply()

    assert broker.node.api.definitions(broker.vhost) == before


def test_the_check_names_what_is_missing_and_what_has_other_arguments(broker, hosted):
    with broker.channel() as channel:
        channel.exchange_delete(names.REQUESTS)
        channel.queue_delete(names.FAILED)
        channel.queue_unbind(names.REPORTS, names.REPORTS, "clearance")
    wanted = topology([hosted], KIND, Limits(queue_length=5))

    found = differences(wanted, broker.node.api.definitions(broker.vhost))

    assert "exchange requests: missing" in found
    assert "queue failed: missing" in found
    assert "binding reports -> reports (clearance): missing" in found
    assert "queue unplaced: x-max-length is 100000, should be 5" in found


def test_a_queue_that_stands_with_other_arguments_is_an_error_that_names_the_remedy(broker):
    other = Topology((), (Queue(names.FAILED, {"x-queue-type": str(KIND), "x-max-length": 7}),), ())

    with pytest.raises(TopologyMismatch, match="starai broker check"):
        apply(broker.url(), other)


def test_a_refused_login_is_no_unreachable_broker(broker):
    for url in (broker.url(password="wrong-secret"), broker.node.url(vhost="no-such-vhost")):
        with pytest.raises(BrokerRefused, match="refused the login or the virtual host") as refused:
            apply(url, topology([]))
        assert "wrong-secret" not in str(refused.value)


def test_a_user_that_may_not_declare_is_refused(broker):
    with pytest.raises(BrokerRefused, match="ACCESS_REFUSED"):
        apply(broker.submitter(), topology([]))


@pytest.mark.parametrize("host", ["no-such-host.invalid", "127.0.0.1:9"])
def test_nobody_there_is_unreachable_and_named_without_the_password(host):
    with pytest.raises(BrokerUnreachable, match=f"platform@{host}") as unreachable:
        apply(f"amqps://platform:secret@{host}/starai", topology([]))
    assert "secret" not in str(unreachable.value)


def test_what_is_sent_for_a_hosted_model_reaches_its_regions_queue(broker):
    with broker.channel() as channel:
        channel.basic_publish(names.SUBMISSIONS, "asia.all-minilm-l6-v2", b"task")
        channel.basic_publish(names.SUBMISSIONS, "asia.tiny", b"task for the tier's default")

    assert broker.depth("inference.asia.tiny.all-minilm-l6-v2") == 2


def test_what_no_device_hosts_is_unplaced(broker):
    with broker.channel() as channel:
        channel.basic_publish(names.SUBMISSIONS, "asia.llama3-70b", b"task")

    assert broker.depth(names.UNPLACED) == 1
