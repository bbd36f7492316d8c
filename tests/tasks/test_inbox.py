import threading
from datetime import UTC, datetime
from typing import Any, cast

import pika
import pytest

from tasks.inbox import Inbox
from tasks.ledger_message import Delivery

CHANNEL, OTHER = cast(Any, "channel"), cast(Any, "other")


def delivery(tag: int, size: int = 10) -> Delivery:
    return Delivery(tag, "ledger", "", "", pika.BasicProperties(), b"x" * size, size, datetime.now(UTC))


@pytest.fixture
def inbox() -> Inbox:
    inbox = Inbox(100_000)
    inbox.reset(CHANNEL)
    return inbox


def tags(taken: tuple[Any, list[Delivery]]) -> list[int]:
    return [delivery.tag for delivery in taken[1]]


def test_what_is_put_is_taken_in_its_order(inbox):
    for tag in range(5):
        inbox.put(delivery(tag))
    assert tags(inbox.take(3, 0)) == [0, 1, 2]
    assert tags(inbox.take(3, 0)) == [3, 4]


def test_who_takes_waits_for_the_first_and_gathers_more(inbox):
    def put():
        inbox.put(delivery(1))
        inbox.put(delivery(2))

    threading.Timer(0.05, put).start()
    assert tags(inbox.take(2, 20)) == [1, 2]


def test_who_puts_too_much_waits_until_some_is_taken(inbox, until):
    inbox.put(delivery(1, 200_000))
    putting = threading.Thread(target=inbox.put, args=[delivery(2)])
    putting.start()
    putting.join(0.1)
    assert putting.is_alive()
    assert tags(inbox.take(9, 20)) == [1]
    putting.join(20)
    assert tags(inbox.take(9, 0)) == [2]


def test_a_new_channel_forgets_what_came_over_the_old_one(inbox):
    inbox.put(delivery(1, 200_000))
    inbox.reset(OTHER)
    inbox.put(delivery(1))
    assert inbox.take(9, 0)[0] == OTHER


def test_nobody_waits_for_an_inbox_that_is_closed(inbox):
    inbox.put(delivery(1, 200_000))
    inbox.take(9, 0)
    inbox.close()
    assert tags(inbox.take(9, 20)) == []
    inbox.put(delivery(2, 200_000))
    inbox.put(delivery(3))
