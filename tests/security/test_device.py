"""What a device that turns on its network cannot do, and what becomes of what it can."""

import threading

import httpx
import pika
import pytest

from broker_config import names
from broker_config.enforce import narrow
from broker_config.errors import BrokerRefused, BrokerUnreachable
from broker_config.link import Link
from broker_config.management import Management
from broker_config.roles import device_role

CONNECTIONS = device_role("d1", ()).connections
TASKS = "inference.asia.tiny.all-minilm-l6-v2"
ELSEWHERE = (
    "device.d2",
    "inference.asia.medium.phi3-3-8b",
    "inference.europe.medium.phi3-3-8b",
    names.LEDGER,
    names.REPORTS,
    names.REQUESTS_QUEUE,
    names.HEALTH_QUEUE,
    names.ENROLMENT,
    names.UNPLACED,
    names.FAILED,
    names.PLATFORM,
    "reply.bob-1a",
)
EXCHANGES = (
    "",
    names.SUBMISSIONS,
    names.INFERENCE,
    names.DEVICES,
    names.REQUESTS,
    names.ENROLMENT,
    names.UNPLACED,
    names.FAILED,
    names.PLATFORM,
    "amq.direct",
    "amq.topic",
    "amq.fanout",
)


def publish(exchange, key, body=b"{}", **properties):
    return lambda channel: channel.basic_publish(exchange, key, body, pika.BasicProperties(**properties))


@pytest.mark.parametrize("queue", ELSEWHERE)
@pytest.mark.parametrize("how", ["get", "consume", "purge"])
def test_it_cannot_read_or_purge_a_queue_that_is_not_its_own(device, queue, how):
    deeds = {
        "get": lambda channel: channel.basic_get(queue),
        "consume": lambda channel: channel.basic_consume(queue, print),
        "purge": lambda channel: channel.queue_purge(queue),
    }
    assert device.is_refused(deeds[how])


@pytest.mark.parametrize("queue", ["mine", "", "device.d1", TASKS, names.LEDGER, "reply.bob-2b", "amq.gen-mine"])
def test_it_cannot_declare_or_delete_a_queue(device, queue):
    # Refused for what it is, or for how it differs; a queue that stands there as asked changes by it in nothing.
    assert device.is_refused(lambda channel: channel.queue_declare(queue, exclusive=not queue))
    assert device.is_refused(lambda channel: channel.queue_delete(queue or TASKS))


@pytest.mark.parametrize("exchange", ["mine", names.RESULTS, names.REPORTS, names.INFERENCE])
def test_it_cannot_declare_or_delete_an_exchange(device, exchange):
    assert device.is_refused(lambda channel: channel.exchange_declare(exchange, "topic", durable=True))
    assert device.is_refused(lambda channel: channel.exchange_delete(exchange))


@pytest.mark.parametrize("exchange", [names.RESULTS, names.SUBMISSIONS, names.INFERENCE, names.DEVICES])
@pytest.mark.parametrize("queue", [TASKS, "device.d1", "reply.bob-1a"])
def test_it_cannot_bind_or_unbind_a_queue(device, exchange, queue):
    assert device.is_refused(lambda channel: channel.queue_bind(queue, exchange, "#"))
    assert device.is_refused(lambda channel: channel.queue_unbind(queue, exchange, "#"))


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_it_cannot_publish_a_task_an_order_a_request_or_a_celery_task(device, exchange):
    assert device.is_refused(publish(exchange, TASKS if exchange == "" else "asia.all-minilm-l6-v2"))


@pytest.mark.parametrize("exchange", [names.RESULTS, names.REPORTS])
@pytest.mark.parametrize("header", ["CC", "BCC"])
def test_no_copy_header_makes_a_message_of_its_a_task_an_order_or_a_celery_task(device, network, exchange, header):
    targets = [TASKS, "asia.all-minilm-l6-v2", "device.d2", "d2", names.PLATFORM, "job.cancel"]
    key = "reply.bob-1a.succeeded" if exchange == names.RESULTS else "health"
    # 4.3 refuses the message because of the keys in its header; what 3.10 takes reaches no other exchange.
    device.is_refused(publish(exchange, key, headers={header: targets}))

    with network.platform() as channel:
        for queue in (TASKS, "device.d2", names.PLATFORM, names.REQUESTS_QUEUE):
            assert channel.queue_declare(queue, passive=True).method.message_count == 0, queue


@pytest.mark.parametrize("key", ["ledger", "#", "reply.bob-1a", "reply.bob-1a.succeeded.x", "x.bob-1a.succeeded", ""])
@pytest.mark.parametrize("end", ["", "\n"])
def test_its_results_have_the_key_of_a_reply(device, key, end):
    assert device.is_refused(publish(names.RESULTS, key + end))
    assert device.is_refused(publish(names.RESULTS, "reply.bob-1a.succeeded\n"))


@pytest.mark.parametrize("exchange", [names.RESULTS, names.REPORTS])
@pytest.mark.parametrize("another", ["d2", "ann", names.PLATFORM, "newcomers"])
def test_it_cannot_publish_as_another(device, exchange, another):
    key = "reply.bob-1a.succeeded"

    assert device.is_refused(publish(exchange, key, user_id=another), 406)


def test_what_a_copy_header_takes_past_topic_permissions_is_in_the_ledger_with_its_sender(device, network):
    # RabbitMQ 3.10 does not look for it there, 4.3 does. A key is therefore no proof: receivers go by ``user_id``.
    forged = publish(names.RESULTS, "reply.ann-9f.succeeded", b"forged", headers={"CC": ["no.reply"]}, user_id="d1")

    refused = device.is_refused(forged)

    with network.platform() as channel:
        _, properties, body = channel.basic_get(names.LEDGER, auto_ack=True)
    assert refused or (body, properties.user_id) == (b"forged", "d1")


def test_it_cannot_use_the_management_api(network, device):
    with pytest.raises(BrokerRefused):
        Management(network.node.api.url, device.name, "secret").version()


@pytest.mark.parametrize("path", ["whoami", "users", "queues", "connections", "definitions"])
def test_no_page_of_the_management_api_answers_it(network, device, path):
    url = f"{network.node.api.url}/api/{path}"

    assert httpx.get(url, auth=(device.name, "secret"), trust_env=False).status_code == 401


def test_it_has_no_more_connections_than_its_own_and_their_successors(device):
    opened = [device.connect() for _ in range(CONNECTIONS)]

    with pytest.raises(pika.exceptions.AMQPConnectionError, match="user connection limit"):
        device.connect()
    opened[0].close()
    device.connect()


def test_after_its_network_failed_it_connects_as_soon_as_the_broker_has_noticed(device):
    dead = [device.connect() for _ in range(CONNECTIONS)]
    link = Link(device.url, "d1 results")
    with pytest.raises(BrokerUnreachable, match="as many connections of this user as it may have"):
        Link(device.url, "too many").open(1)

    threading.Timer(0.5, dead[0].close).start()

    link.open(10)
    link.close()


def test_it_has_no_more_channels_than_it_needs(device):
    connection = device.connect()
    for _ in range(8):
        connection.channel()

    with pytest.raises(pika.exceptions.ConnectionClosedByBroker, match="maximum allowed"):
        connection.channel()


def test_what_it_may_read_it_may_also_purge_which_is_what_the_ledger_is_for(network, device):
    with network.platform() as channel:
        channel.basic_publish(names.SUBMISSIONS, "asia.all-minilm-l6-v2", b"task")

    assert device.does(lambda channel: channel.queue_purge(TASKS)).method.message_count == 1


def test_an_inactive_device_takes_no_task_by_any_way(network, device):
    narrow(network.node.api, "d1", network.vhost)

    assert device.is_refused(lambda channel: channel.basic_get(TASKS))
    assert device.is_refused(lambda channel: channel.basic_consume(TASKS, print))
    assert device.is_refused(lambda channel: channel.queue_purge(TASKS))
