"""What over web STOMP nobody may: each attempt is refused, and has changed nothing."""

import pytest

from broker_config import names
from broker_config.enforce import narrow

TASKS = "inference.asia.tiny.all-minilm-l6-v2"
QUEUES = (
    "device.d2",
    "inference.asia.medium.phi3-3-8b",
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
OWN = ("device.d1", TASKS)
EXCHANGES = {
    "amq.default",
    "amq.direct",
    "amq.topic",
    "amq.fanout",
    "amq.headers",
    names.SUBMISSIONS,
    names.INFERENCE,
    names.RESULTS,
    names.REPORTS,
    names.DEVICES,
    names.REQUESTS,
    names.ENROLMENT,
    names.UNPLACED,
    names.FAILED,
    names.PLATFORM,
    names.EVENTS,
}
WRITES = {
    "d1": {names.RESULTS, names.REPORTS},
    "ann": {names.SUBMISSIONS, names.REQUESTS},
    "newcomers": {names.ENROLMENT},
}
# Where STOMP would declare a queue, and bind it.
DECLARING = (
    "/queue/mine",
    f"/queue/{TASKS}",
    "/queue/device.d1",
    "/queue/reply.bob-1a",
    "/topic/reply.bob-1a",
    "/temp-queue/mine",
    "/exchange/results",
    "/exchange/results/#",
    "/exchange/results/reply.bob-1a.*",
    "/exchange/submissions/#",
    "/exchange/devices/d2",
    "/exchange/inference/#",
    "/exchange/reports/#",
    "/exchange/celeryev/#",
)
DECLARED = (
    {"durable": "true"},
    {"persistent": "true"},
    {"auto_delete": "false", "exclusive": "false"},
    {"exclusive": "true"},
    {"x_queue_name": "mine"},
    {"x_queue_name": "device.d1"},
    {"x_queue_name": TASKS},
    {"x_queue_name": "reply.bob-1a", "durable": "true"},
    {"x_queue_name": "mine", "x_queue_type": "quorum"},
    {"x_queue_name": "device.d1", "x_dead_letter_exchange": "platform", "x_message_ttl": "0"},
)
WRITTEN = [(names.RESULTS, "reply.bob-1a.succeeded"), (names.REPORTS, "health")]


@pytest.fixture
def users(network, device, ann, newcomer):
    """Who may log in."""
    return {"d1": device, "ann": ann, "newcomers": newcomer}


@pytest.fixture
def refuses(network, users):
    """Return a function that tells whether a role is refused what it does; all there is must stay as it was."""
    before = network.all_there_is()
    yield lambda role, deed: network.refuses(users[role], deed)
    assert network.all_there_is() == before


def hear(destination, **headers):
    return lambda phone: phone.do("SUBSCRIBE", destination=destination, id="heard", **headers)


def send(destination, **headers):
    return lambda phone: phone.do("SEND", b"{}", destination=destination, **headers)


@pytest.mark.parametrize("role", WRITES)
@pytest.mark.parametrize("queue", [*QUEUES, *OWN])
def test_a_queue_is_read_by_whom_it_belongs_to(refuses, role, queue):
    for prefix in ("/amq/queue/", "/reply-queue/"):
        is_own = role == "d1" and queue in OWN
        assert refuses(role, hear(f"{prefix}{queue}", ack="client-individual", prefetch_count=1)) is not is_own


@pytest.mark.parametrize("role", WRITES)
def test_no_subscription_declares_a_queue(refuses, role):
    for destination in DECLARING:
        assert refuses(role, hear(destination)), destination


@pytest.mark.parametrize("destination", ["/exchange/results/#", "/topic/x", "/queue/mine"])
def test_no_header_of_a_subscription_makes_it_one_that_may(refuses, destination):
    for headers in DECLARED:
        assert refuses("d1", hear(destination, **headers)), headers


@pytest.mark.parametrize("role", WRITES)
def test_an_exchange_is_written_to_by_who_may(refuses, role):
    for exchange in sorted(EXCHANGES - WRITES[role]):
        key = "" if exchange == "amq.default" else "/asia.all-minilm-l6-v2"
        assert refuses(role, send(f"/exchange/{exchange}{key}")), exchange


@pytest.mark.parametrize("prefix", ["/queue/", "/amq/queue/", "/reply-queue/", "/topic/", "/temp-queue/"])
@pytest.mark.parametrize("role", WRITES)
def test_nobody_puts_a_message_into_a_queue(refuses, role, prefix):
    for queue in (TASKS, "device.d1", "device.d2", "reply.bob-1a", names.PLATFORM, names.LEDGER, "mine"):
        assert refuses(role, send(f"{prefix}{queue}")), queue


def test_a_result_has_the_key_of_a_reply(refuses):
    for key in ("ledger", "#", "reply.bob-1a", "reply.bob-1a.succeeded.x", "x.bob-1a.succeeded", "reply.bob-1a.x\n"):
        assert refuses("d1", send(f"/exchange/results/{key}")), key
    assert refuses("d1", send("/exchange/results"))


@pytest.mark.parametrize(("exchange", "key"), WRITTEN)
def test_nobody_publishes_as_another(refuses, exchange, key):
    for another in ("d2", "ann", names.PLATFORM, "newcomers"):
        assert refuses("d1", send(f"/exchange/{exchange}/{key}", user_id=another)), another


@pytest.mark.parametrize(("exchange", "key"), WRITTEN)
@pytest.mark.parametrize("header", ["CC", "BCC"])
def test_no_message_has_copies(refuses, exchange, key, header):
    assert refuses("d1", send(f"/exchange/{exchange}/{key}", **{header: TASKS}))


def test_no_answer_goes_to_a_queue_that_asking_made(refuses):
    assert refuses("d1", send("/exchange/reports/hello", user_id="d1", reply_to="/temp-queue/mine"))


def test_a_transaction_may_what_its_parts_may(refuses):
    def commit(phone):
        phone.do("BEGIN", transaction="t")
        phone.tell("SEND", b"{}", destination=f"/exchange/{names.SUBMISSIONS}/asia.tiny", transaction="t")
        phone.do("COMMIT", transaction="t")
        phone.do("BEGIN", transaction="another")  # what the broker refuses after it said that it was committed

    assert refuses("d1", commit)


def test_an_inactive_phone_takes_no_task(network, refuses, device):
    narrow(network.node.api, "d1", network.vhost)

    assert refuses("d1", hear(f"/amq/queue/{TASKS}"))
    assert not refuses("d1", hear("/amq/queue/device.d1"))


def test_a_submitters_own_reply_queue_hears_no_others_replies(network, ann, refuses):
    own = {"x_queue_name": "reply.ann-1a", "durable": "true", "auto_delete": "false"}

    for destination in ("/exchange/results/#", "/exchange/results/reply.bob-1a.*", "/topic/x", "/exchange/inference/#"):
        assert refuses("ann", hear(destination, **own)), destination
