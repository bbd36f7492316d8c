"""Looks at a real broker find of a phone what they find of any device, though it speaks STOMP."""

import secrets
from contextlib import ExitStack, suppress

import pytest

from broker_config import names
from broker_config.audit import Kind
from broker_config.priority import GOOD_STANDING
from broker_config.regions import Region
from broker_config.tiers import Tier
from models.browser import BROWSER
from registry.database import session
from registry.deployments import Planned, deploy
from registry.device_state import DeviceState
from registry.devices import enrol_device
from registry.states import set_state
from tasks.health.finding import Verdict
from tasks.health.workload import check_workload
from tests.health.answered import asked
from tests.health.hand_device import MODEL, readings
from tests.stomp import Refused, Stomp

HOME, ABROAD = (names.task_queue(region, Tier.TINY, MODEL) for region in (Region.ASIA, Region.EUROPE))
PERIOD = 60.0


class Phone:
    """One slot, one connection for its orders, one for tasks at home, and one for those abroad, as it likes."""

    def __init__(self, network, stack):
        self.id = f"phone-{secrets.token_hex(4)}"
        self._network, self._stack = network, stack
        with session(network.engine) as registry:
            enrol_device(registry, self.id, "owner", Region.ASIA)
            deploy(registry, self.id, [Planned(MODEL, Tier.TINY, slots=1)])
            set_state(registry, self.id, DeviceState.ACTIVE, "it joined")
        network.broker.device(self.id, *names.task_queues(Tier.TINY, MODEL))
        self.control, self.home = self.connect(), self.connect()
        self.control.subscribe(names.device_queue(self.id))
        self.abroad = None

    def connect(self):
        connection = Stomp(f"ws://127.0.0.1:{self._network.broker.node.file.web}/ws")
        self._stack.callback(connection.close)
        connection.login(self._network.broker.vhost, login=self.id, passcode=f"secret-of-{self.id}")
        return connection

    def listen(self, connection, queue, priority, **more):
        connection.subscribe(queue, id=secrets.token_hex(4), x_priority=priority, **more)
        return connection

    def beat(self):
        for connection in filter(None, (self.control, self.home, self.abroad)):
            with suppress(Refused):
                connection.write(b"\n")

    def goes_abroad(self):
        """Listen abroad over a connection of its own, and no more over the one before."""
        if self.abroad:
            self.abroad.close()
        self.abroad = self.listen(self.connect(), ABROAD, 90)


@pytest.fixture
def phone(network):
    with ExitStack() as stack:
        yield Phone(network, stack)


@pytest.fixture
def settled(network, until):
    """Return a function that waits until the broker's figures show so many consumers of tasks and messages."""

    def wait(phone, consumers, held=0):
        api, vhost = network.broker.node.api, network.broker.vhost

        def shows():
            phone.beat()
            channels = [one for one in api.channels(vhost) if one["user"] == phone.id]
            there = [one for queue in (HOME, ABROAD) for one in api.queue(vhost, queue).get("consumer_details", [])]
            mine = [one for one in there if (one["channel_details"] or {}).get("user") == phone.id]
            given = sum((one.get("message_stats") or {}).get("deliver_get", 0) for one in channels)
            return len(mine) == consumers and given == held == sum(
                c.get("messages_unacknowledged", 0) for c in channels
            )

        until(shows, 60)

    return wait


def checked(seen, phone, **said):
    """Return what the fifth check finds of a phone that says so."""
    told = readings(**{"provider": BROWSER, "processor": None, "memory_left": None} | said)
    return check_workload(asked(device=phone.id, provider=BROWSER, slots=1), told, seen[phone.id])


def test_an_honest_phone_is_never_taken_for_a_liar_whatever_its_broker_knows_of_priorities(
    looks, clock, phone, settled, node
):
    phone.listen(phone.home, HOME, 100)
    for _ in range(3):
        phone.goes_abroad()
        settled(phone, consumers=2)
        clock.now += PERIOD - 10
        seen = looks.look()
        clock.now += 10
        looks.told({phone.id: readings(consumers=2, load=0.3)})

        assert checked(seen, phone, consumers=2, load=0.3).verdict is Verdict.PASSED

    stood = seen[phone.id].stood
    assert (seen[phone.id].connections, stood.consumers) == (3, 1)
    knows = node.api.version() >= "4"
    assert stood.prices == ((100 - GOOD_STANDING,) if knows else (0,))


def test_a_phone_that_takes_more_at_once_than_it_may_is_found_by_the_second_look(looks, clock, phone, settled):
    phone.listen(phone.home, HOME, 100, prefetch_count=10)
    settled(phone, consumers=1)
    looks.look()
    clock.now += PERIOD
    seen = looks.look()

    assert [finding.kind for finding in seen[phone.id].findings] == [Kind.PREFETCH]
    assert checked(seen, phone).verdict is Verdict.FAILED


def test_a_phone_that_hides_what_it_holds_is_found_by_the_third_look(network, looks, clock, phone, settled):
    with network.broker.channel() as channel:
        channel.basic_publish("", HOME, b"{}")
    phone.listen(phone.home, HOME, 100)
    settled(phone, consumers=1, held=1)
    for _ in range(3):
        clock.now += PERIOD - 10
        seen = looks.look()
        clock.now += 10
        looks.told({phone.id: readings(consumers=1)})

    assert checked(seen, phone, consumers=1).reason.startswith("It holds 1 tasks at the broker and says 0.")
    assert checked(seen, phone, consumers=1, running=1).verdict is Verdict.PASSED
