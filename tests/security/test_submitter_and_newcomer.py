"""What a submitter, and whoever holds a join token, cannot do."""

import httpx
import pika
import pytest

from broker_config import names
from broker_config.check import differences
from broker_config.tiers import Tier
from broker_config.topology import HostedModel, topology

MODEL = HostedModel("all-minilm-l6-v2", Tier.TINY, is_default=True)
TASKS = "inference.asia.tiny.all-minilm-l6-v2"
QUEUES = (
    TASKS,
    "device.d1",
    "reply.bob-1a",
    names.LEDGER,
    names.REPORTS,
    names.REQUESTS_QUEUE,
    names.HEALTH_QUEUE,
    names.ENROLMENT,
    names.UNPLACED,
    names.FAILED,
    names.PLATFORM,
)
EXCHANGES = {
    "",
    names.SUBMISSIONS,
    names.REQUESTS,
    names.INFERENCE,
    names.RESULTS,
    names.REPORTS,
    names.DEVICES,
    names.ENROLMENT,
    names.UNPLACED,
    names.FAILED,
    names.PLATFORM,
    "amq.direct",
    "amq.topic",
    "amq.fanout",
    "amq.headers",
}
WRITES = {"ann": {names.SUBMISSIONS, names.REQUESTS}, "newcomers": {names.ENROLMENT}}
REFUSED = [(who, exchange) for who, allowed in WRITES.items() for exchange in sorted(EXCHANGES - allowed)]


def publish(exchange, key, body=b"{}", **properties):
    return lambda channel: channel.basic_publish(exchange, key, body, pika.BasicProperties(**properties))


@pytest.fixture
def strangers(ann, newcomer):
    return {"ann": ann, "newcomers": newcomer}


@pytest.mark.parametrize("who", WRITES)
@pytest.mark.parametrize("queue", QUEUES)
def test_neither_reads_purges_deletes_or_binds_a_queue_of_the_network(strangers, who, queue):
    user = strangers[who]

    assert user.is_refused(lambda channel: channel.basic_get(queue))
    assert user.is_refused(lambda channel: channel.basic_consume(queue, print))
    assert user.is_refused(lambda channel: channel.queue_purge(queue))
    assert user.is_refused(lambda channel: channel.queue_delete(queue))
    assert user.is_refused(lambda channel: channel.queue_bind(queue, names.RESULTS, "reply.ann-1a.*"))


@pytest.mark.parametrize(("who", "exchange"), REFUSED)
def test_neither_publishes_where_it_has_no_business(strangers, who, exchange):
    assert strangers[who].is_refused(publish(exchange, TASKS if exchange == "" else "asia.tiny"))


@pytest.mark.parametrize(("who", "exchange"), [("ann", names.SUBMISSIONS), ("newcomers", names.ENROLMENT)])
def test_neither_publishes_as_another(strangers, who, exchange):
    assert strangers[who].is_refused(publish(exchange, "join", user_id=names.PLATFORM), 406)


@pytest.mark.parametrize("who", WRITES)
def test_neither_declares_or_deletes_an_exchange_or_a_queue_of_another_name(strangers, who):
    user = strangers[who]

    for name in ("mine", "reply.bob-2b", names.LEDGER, ""):
        assert user.is_refused(lambda channel, name=name: channel.queue_declare(name, exclusive=not name)), name
    for name in ("mine", names.RESULTS):
        assert user.is_refused(lambda channel, name=name: channel.exchange_declare(name, "topic", durable=True)), name
        assert user.is_refused(lambda channel, name=name: channel.exchange_delete(name)), name


@pytest.mark.parametrize("who", WRITES)
def test_neither_uses_the_management_api(network, strangers, who):
    url = f"{network.node.api.url}/api/whoami"

    assert httpx.get(url, auth=(strangers[who].name, "secret"), trust_env=False).status_code == 401


@pytest.mark.parametrize(("who", "most"), [("ann", 20), ("newcomers", 50)])
def test_neither_has_more_connections_than_its_role_allows(strangers, who, most):
    for _ in range(most):
        strangers[who].connect()

    with pytest.raises(pika.exceptions.AMQPConnectionError, match="user connection limit"):
        strangers[who].connect()


def test_a_submitter_hears_of_no_reply_but_its_own(ann, network):
    ann.does(lambda channel: channel.queue_declare("reply.ann-1a", durable=True))
    for key in ("#", "reply.*.*", "reply.bob-1a.*", "*.ann-1a.*", "reply.ann-1a.#", "reply.ann-1a.*\n"):
        assert ann.is_refused(lambda channel, key=key: channel.queue_bind("reply.ann-1a", names.RESULTS, key)), key
    ann.does(lambda channel: channel.queue_bind("reply.ann-1a", names.RESULTS, "reply.ann-1a.*"))
    with network.platform() as channel:
        channel.basic_publish(names.RESULTS, "reply.bob-1a.succeeded", b"bob's")
        channel.basic_publish(names.RESULTS, "reply.ann-1a.succeeded", b"ann's")

    assert network.take("reply.ann-1a") == b"ann's"
    assert network.take("reply.ann-1a") is None
    ann.does(lambda channel: channel.queue_delete("reply.ann-1a"))


@pytest.mark.parametrize("header", ["CC", "BCC"])
def test_no_copy_header_takes_a_task_past_the_exchange_that_it_was_sent_to(ann, network, header):
    targets = [TASKS, "reply.bob-1a.succeeded", "reply.bob-1a", names.PLATFORM, names.LEDGER]

    ann.does(publish(names.SUBMISSIONS, "asia.no-such-model", headers={header: targets}))

    assert [network.take(queue) for queue in (TASKS, "reply.bob-1a", names.PLATFORM)] == [None] * 3
    assert network.take(names.UNPLACED) == b"{}"


@pytest.mark.parametrize("exchange", [names.SUBMISSIONS, names.REQUESTS])
def test_a_submitter_can_bind_its_replies_to_where_it_may_write_and_they_are_known_by_their_key(ann, network, exchange):
    # Who may publish to an exchange may bind it, and a submitter has to be able to read its replies.
    ann.does(lambda channel: channel.exchange_bind(exchange, names.RESULTS, "reply.ann-1a.*"))
    with network.platform() as channel:
        channel.basic_publish(names.RESULTS, "reply.ann-1a.succeeded", b"reply")

    assert network.take(names.REQUESTS_QUEUE) is network.take(TASKS) is None
    if exchange == names.SUBMISSIONS:
        with network.platform() as channel:
            assert channel.basic_get(names.UNPLACED, auto_ack=True)[0].routing_key == "reply.ann-1a.succeeded"
    found = differences(topology([MODEL]), network.node.api.definitions(network.vhost))
    assert found == [f"binding results -> {exchange} (reply.ann-1a.*): should not be there"]
    ann.does(lambda channel: channel.exchange_unbind(exchange, names.RESULTS, "reply.ann-1a.*"))


def test_a_submitters_dead_letters_keep_their_first_sender_and_are_known_by_their_header(ann, network):
    dead = {"x-dead-letter-exchange": names.SUBMISSIONS, "x-dead-letter-routing-key": "asia.tiny", "x-message-ttl": 0}
    ann.does(lambda channel: channel.queue_declare("reply.ann-1a", durable=True, arguments=dead))
    ann.does(lambda channel: channel.queue_bind("reply.ann-1a", names.RESULTS, "reply.ann-1a.*"))
    with network.platform() as channel:
        channel.basic_publish(names.RESULTS, "reply.ann-1a.failed", b"reply", pika.BasicProperties(user_id="platform"))
        _, properties, _ = next(channel.consume(TASKS, auto_ack=True, inactivity_timeout=10))

    assert (properties.user_id, properties.headers["x-death"][0]["queue"]) == ("platform", "reply.ann-1a")
    ann.does(lambda channel: channel.queue_delete("reply.ann-1a"))


def test_a_newcomer_asks_to_join_and_is_answered_on_its_own_channel_alone(newcomer, network):
    another = newcomer.connect().channel()
    another.basic_consume("amq.rabbitmq.reply-to", lambda *_: pytest.fail("heard another's answer"), auto_ack=True)
    channel, heard = newcomer.connect().channel(), []
    channel.basic_consume("amq.rabbitmq.reply-to", lambda *got: heard.append(got[3]), auto_ack=True)
    channel.basic_publish(
        names.ENROLMENT, "join", b"me", pika.BasicProperties(reply_to="amq.rabbitmq.reply-to", user_id="newcomers")
    )
    with network.platform() as platform:
        asked = next(message for message in platform.consume(names.ENROLMENT, auto_ack=True))
        platform.cancel()
        platform.basic_publish("", asked[1].reply_to, b"welcome")
        while not heard:
            channel.connection.process_data_events(0.1)

    another.connection.process_data_events(0)
    assert (asked[2], asked[1].user_id, heard) == (b"me", "newcomers", [b"welcome"])


def test_a_newcomers_copies_reach_no_other_queue(newcomer, network):
    newcomer.does(publish(names.ENROLMENT, "x", headers={"CC": [TASKS, names.PLATFORM, "device.d1", "reply.bob-1a"]}))

    with network.platform() as channel:
        for queue in (TASKS, names.PLATFORM, "device.d1", "reply.bob-1a"):
            assert channel.queue_declare(queue, passive=True).method.message_count == 0, queue
