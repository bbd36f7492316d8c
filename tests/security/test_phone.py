"""A phone does over web STOMP what a device does, and the broker vouches for it."""

import pytest

from broker_config import names
from broker_config.roles import device_role
from tests.stomp import Refused

TASKS = "inference.asia.tiny.all-minilm-l6-v2"
REPLY_TO = "amq.rabbitmq.reply-to"
ANSWER = (names.RESULTS, "reply.bob-1a.succeeded")


@pytest.fixture
def phone(network, device):
    """A phone that is a device in work."""
    return network.phone(device)


def submit(network, body=b"task"):
    with network.platform() as channel:
        channel.basic_publish(names.SUBMISSIONS, "asia.all-minilm-l6-v2", body)


def answer(network, queue):
    """Answer the next question of a queue as the platform does, and return its sender."""
    with network.platform() as channel:
        _, asked, body = next(channel.consume(queue, auto_ack=True, inactivity_timeout=20))
        channel.cancel()
        channel.basic_publish("", asked.reply_to, b"answer to " + body)
    return asked.user_id


def test_it_takes_the_tasks_of_its_queue_one_at_a_time_and_acknowledges_them(network, phone):
    for body in (b"one", b"two"):
        submit(network, body)
    phone.subscribe(TASKS)

    first = phone.message()
    phone.is_silent()
    phone.ack(first)
    second = phone.message()
    phone.ack(second)

    assert (first.body, second.body) == (b"one", b"two")
    phone.close()
    assert network.take(TASKS) is None


def test_what_it_gives_back_goes_to_whoever_listens(network, phone):
    submit(network)
    phone.subscribe(TASKS)
    phone.nack(phone.message())

    again = phone.message()

    assert (again.body, again.headers["redelivered"]) == (b"task", "true")


def test_what_it_holds_goes_back_when_its_connection_ends(network, phone, until):
    submit(network)
    phone.subscribe(TASKS)
    phone.message()

    phone.vanish()

    until(lambda: network.take(TASKS) == b"task")


def test_it_hears_its_orders(network, phone):
    phone.subscribe("device.d1")
    with network.platform() as channel:
        channel.basic_publish(names.DEVICES, "d1", b"rest")

    assert phone.message().body == b"rest"


def test_it_answers_a_submitter_and_the_broker_vouches_for_it(network, phone):
    phone.publish(*ANSWER, b"vectors", user_id="d1", correlation_id="t1")

    with network.platform() as channel:
        _, properties, body = channel.basic_get("reply.bob-1a", auto_ack=True)
    assert (properties.user_id, properties.correlation_id, body) == ("d1", "t1", b"vectors")


def test_a_result_as_large_as_any_arrives_and_one_that_is_too_large_does_not(network, device, phone):
    phone.publish(*ANSWER, b"x" * (8 << 20), user_id="d1")
    assert len(network.take("reply.bob-1a") or b"") == 8 << 20

    assert network.refuses(device, lambda phone: phone.publish(*ANSWER, b"x" * (17 << 20), user_id="d1"))
    assert network.take("reply.bob-1a") is None


@pytest.mark.parametrize(("role", "exchange", "key"), [("d1", "reports", "hello"), ("newcomers", "enrolment", "join")])
def test_a_question_is_answered_on_the_very_connection_that_asked(network, device, newcomer, role, exchange, key):
    user = {"d1": device, "newcomers": newcomer}[role]
    asking, another = network.phone(user), network.phone(user)
    for connection in (asking, another):
        connection.do("SUBSCRIBE", destination=f"/amq/queue/{REPLY_TO}", id="answers", ack="auto")

    asking.publish(exchange, key, b"me", user_id=role, reply_to=REPLY_TO, persistent="false")

    assert answer(network, exchange) == role
    assert asking.message().body == b"answer to me"
    another.is_silent()


def test_over_both_ways_in_it_has_no_more_connections_than_it_may(network, device, until):
    most = device_role("d1", ()).connections
    phones = [network.phone(device) for _ in range(most // 2)]
    for _ in range(most - most // 2):
        device.connect()

    with pytest.raises(Refused, match="access denied"):
        network.phone(device)
    phones[0].close()
    until(lambda: lets_in(network, device))


def lets_in(network, user):
    try:
        network.phone(user)
    except Refused:
        return False
    return True


def test_a_network_is_closed_to_the_devices_of_another(network, device, node):
    node.api.put_vhost("another")
    connection = network.way_in()

    with pytest.raises(Refused, match="access denied"):
        connection.login("another", login="d1", passcode="secret")
    node.api.delete_vhost("another")
