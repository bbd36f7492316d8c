"""Orders as they travel: only the platform's count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from broker_config import names
from tasks.cancellation_message import MOST_CANCELLED, Cancellation, read_cancelled, write_cancelled
from tasks.envelope import InvalidMessage
from tasks.order import Duty, Order, order_publication, read_order
from tasks.probe import MOST_PADDING

LONGEST = Cancellation("s" * 63, "t" * 64, 1_800_000_000.123456)


def sent(order: Order) -> bytes:
    return order_publication("device-1", order, names.PLATFORM).body


@pytest.mark.parametrize(
    "order", [Order(duty=Duty.REST), Order(cancel=(LONGEST,) * 20), Order(duty=Duty.SERVE, cancel=(LONGEST,))]
)
def test_an_order_arrives_as_it_was_given(order):
    assert read_order(names.PLATFORM, sent(order)) == order


@pytest.mark.parametrize("user", [None, "ann", "device-1"])
def test_nobody_but_the_platform_gives_orders(user):
    assert read_order(user, sent(Order(cancel=(LONGEST,)))) is None


@given(st.binary(max_size=100))
def test_any_bytes_are_an_order_or_none(body):
    assert read_order(names.PLATFORM, body) is None


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"cancel":[]}',
        b'{"cancel":[["ann"]]}',
        b'{"cancel":[["ann","t1","soon"]]}',
        b'{"cancel":[["%s","t1",1]]}' % (b"a" * 64),
        b'{"duty":"rest","more":1}',
        b'{"cancel":[%s]}' % b",".join([b'["a","b",1]'] * 21),
        b'{"duty":"rest"' + b" " * 2 * MOST_PADDING + b"}",
    ],
    ids=range(8),
)
def test_what_is_no_order_or_too_large_is_dropped(body):
    assert read_order(names.PLATFORM, body) is None


def test_an_order_that_asks_for_nothing_cannot_be_made():
    with pytest.raises(ValidationError, match="the order is empty"):
        Order()


def test_as_many_cancelled_tasks_as_may_be_told_arrive():
    cancelled = [LONGEST] * MOST_CANCELLED

    assert read_cancelled(write_cancelled(cancelled)) == cancelled


def test_more_cancelled_tasks_than_may_be_told_are_refused():
    body = b'{"cancelled":[%s]}' % b",".join([b'["a","b",1]'] * (MOST_CANCELLED + 1))

    with pytest.raises(InvalidMessage):
        read_cancelled(body)
