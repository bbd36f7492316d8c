"""What each role may do, at a real broker."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker, ProbableAuthenticationError

from broker_config import names
from broker_config.address import parameters
from broker_config.errors import InvalidName
from broker_config.roles import Role
from broker_config.users import put_user

ACCESS_REFUSED, PRECONDITION_FAILED = 403, 406
OWN_QUEUE, FOREIGN_QUEUE = "inference.asia.tiny.all-minilm-l6-v2", "inference.europe.tiny.all-minilm-l6-v2"


@dataclass
class User:
    """A user at the broker, who tries things."""

    connection: pika.BlockingConnection

    def does(self, action: Callable[[BlockingChannel], object]) -> None:
        channel = self.connection.channel()
        channel.confirm_delivery()
        action(channel)
        channel.close()

    def is_refused(self, action: Callable[[BlockingChannel], object], code: int = ACCESS_REFUSED) -> bool:
        try:
            self.does(action)
        except ChannelClosedByBroker as closed:
            return closed.reply_code == code
        return False


def publish(exchange: str, key: str, **properties: object) -> Callable[[BlockingChannel], object]:
    return lambda channel: channel.basic_publish(exchange, key, b"{}", pika.BasicProperties(**properties))


def get(queue: str) -> Callable[[BlockingChannel], object]:
    return lambda channel: channel.basic_get(queue)


def declare(queue: str) -> Callable[[BlockingChannel], object]:
    return lambda channel: channel.queue_declare(queue, durable=True)


def bind(queue: str, exchange: str, key: str) -> Callable[[BlockingChannel], object]:
    return lambda channel: channel.queue_bind(queue, exchange, key)


@pytest.fixture
def device(broker) -> Iterator[User]:
    with pika.BlockingConnection(parameters(broker.device("d1", OWN_QUEUE))) as connection:
        broker.device("d2")
        yield User(connection)


@pytest.fixture
def ann(broker) -> Iterator[User]:
    with pika.BlockingConnection(parameters(broker.submitter("ann"))) as connection:
        yield User(connection)


def test_a_device_reads_its_own_queues_and_no_others(device):
    device.does(get(OWN_QUEUE))
    device.does(get("device.d1"))

    for other in (FOREIGN_QUEUE, "device.d2", names.REPORTS, names.UNPLACED, names.FAILED, names.REQUESTS_QUEUE):
        assert device.is_refused(get(other)), other


def test_a_device_writes_results_and_reports_and_nothing_else(device):
    device.does(publish(names.RESULTS, "reply.ann-1a.succeeded", user_id="d1"))
    device.does(publish(names.REPORTS, "clearance", user_id="d1"))

    others = (names.SUBMISSIONS, names.INFERENCE, names.REQUESTS, names.DEVICES, names.UNPLACED, names.PLATFORM)
    for exchange in (*others, names.ENROLMENT, names.FAILED, "amq.topic"):
        assert device.is_refused(publish(exchange, "key")), exchange


def test_a_device_may_not_use_the_default_exchange(device):
    assert device.is_refused(publish("", OWN_QUEUE))


def test_a_devices_results_go_to_reply_queues_only(device):
    for key in ("ledger", "reply.ann-1a", "reply.ann-1a.x.y", "other.ann-1a.succeeded", "#"):
        assert device.is_refused(publish(names.RESULTS, key)), key


def test_a_device_configures_nothing(device):
    assert device.is_refused(declare("mine"))
    assert device.is_refused(lambda channel: channel.queue_delete(OWN_QUEUE))
    assert device.is_refused(lambda channel: channel.exchange_declare("mine"))
    assert device.is_refused(bind(OWN_QUEUE, names.SUBMISSIONS, "#"))
    assert device.is_refused(bind(OWN_QUEUE, names.RESULTS, "#"))


def test_a_submitter_submits_asks_and_reads_its_own_replies(broker, ann):
    ann.does(publish(names.SUBMISSIONS, "asia.all-minilm-l6-v2", user_id="ann"))
    ann.does(publish(names.REQUESTS, "job.cancel", user_id="ann"))
    ann.does(declare("reply.ann-1a"))
    ann.does(bind("reply.ann-1a", names.RESULTS, "reply.ann-1a.*"))
    with broker.channel() as channel:
        channel.basic_publish(names.RESULTS, "reply.ann-1a.succeeded", b"vectors")

    ann.does(lambda channel: channel.queue_delete("reply.ann-1a", if_empty=False))
    assert broker.depth(OWN_QUEUE) == broker.depth(names.REQUESTS_QUEUE) == 1


def test_a_submitter_writes_nothing_else(ann):
    own = "reply.ann-1a"
    ann.does(declare(own))
    for exchange in (names.RESULTS, names.INFERENCE, names.REPORTS, names.DEVICES, names.PLATFORM, names.UNPLACED, ""):
        assert ann.is_refused(publish(exchange, own)), exchange


def test_a_submitter_reads_no_queue_of_the_network(ann):
    for queue in (OWN_QUEUE, names.REPORTS, names.REQUESTS_QUEUE, names.UNPLACED, names.FAILED):
        assert ann.is_refused(get(queue)), queue


def test_a_submitter_may_not_touch_anothers_reply_queue_whatever_its_name(broker, ann):
    for other in ("bob", "an", "ann-b", "ann-1a"):
        theirs = f"reply.{other}-2b"
        with pika.BlockingConnection(parameters(broker.submitter(other))) as connection:
            User(connection).does(declare(theirs))

        assert ann.is_refused(get(theirs)), theirs
        assert ann.is_refused(declare(theirs)), theirs
        assert ann.is_refused(lambda channel, theirs=theirs: channel.queue_purge(theirs)), theirs
        assert ann.is_refused(lambda channel, theirs=theirs: channel.queue_delete(theirs)), theirs


def test_a_submitter_may_not_bind_its_queue_to_other_keys_than_its_own(ann):
    ann.does(declare("reply.ann-1a"))

    wide = ("#", "*.*.*", "reply.#", "reply.*.*", "*.ann-1a.*", "reply.ann-1a", "reply.ann-1a.#", "reply.ann-1a.*.*")
    for key in (*wide, "reply.bob-2b.*", "reply.an-2b.*", "reply.ann-b-2b.*", "reply.ann-b-2b.started"):
        assert ann.is_refused(bind("reply.ann-1a", names.RESULTS, key)), key


def test_a_submitter_may_not_bind_its_queue_to_other_exchanges(ann):
    ann.does(declare("reply.ann-1a"))

    for exchange in (names.SUBMISSIONS, names.INFERENCE, names.REPORTS, names.REQUESTS, names.DEVICES):
        assert ann.is_refused(bind("reply.ann-1a", exchange, "#")), exchange


def test_a_submitter_may_not_hear_anothers_replies_through_an_exchange_of_its_own(ann):
    ann.does(lambda channel: channel.exchange_declare("reply.ann-2b", "topic"))

    assert ann.is_refused(lambda channel: channel.exchange_bind("reply.ann-2b", names.RESULTS, "reply.bob-2b.*"))


def test_a_forged_user_id_is_refused(device, ann):
    as_another = publish(names.RESULTS, "reply.ann-1a.succeeded", user_id="platform")

    assert device.is_refused(as_another, PRECONDITION_FAILED)
    assert ann.is_refused(publish(names.SUBMISSIONS, "asia.tiny", user_id="bob"), PRECONDITION_FAILED)


def test_a_users_role_and_password_can_be_changed(broker):
    old = broker.device("d1", OWN_QUEUE)
    put_user(broker.node.api, "d1", "another", Role(), broker.vhost)

    with pytest.raises(ProbableAuthenticationError):
        pika.BlockingConnection(parameters(old))
    with pika.BlockingConnection(parameters(broker.url("d1", "another"))) as connection:
        assert User(connection).is_refused(get(OWN_QUEUE))


@pytest.mark.parametrize("user", ["a.b", "A", "", "a b", "^$"])
def test_a_user_whose_queues_could_be_taken_for_anothers_is_refused(node, user):
    with pytest.raises(InvalidName):
        put_user(node.api, user, "secret", Role())
