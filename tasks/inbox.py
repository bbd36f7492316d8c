"""An inbox between the thread that reads from the broker and the one that writes to the database: bounded."""

import threading
from collections import deque

from pika.channel import Channel

from tasks.ledger_message import Delivery

# What a message occupies beside its body, about.
_OVERHEAD = 2048


class Inbox:
    """Deliveries of one channel in their order.

    Args:
        capacity: bytes that may wait; who puts more waits as well.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._condition = threading.Condition()
        self._waiting: deque[Delivery] = deque()
        self._bytes = 0
        self._channel: Channel | None = None
        self._closed = False

    def reset(self, channel: Channel) -> None:
        """Begin anew with that channel. What came over the one before comes again, so it is dropped."""
        with self._condition:
            self._waiting.clear()
            self._bytes, self._channel = 0, channel
            self._condition.notify_all()

    def put(self, delivery: Delivery) -> None:
        """Add a delivery of the present channel, waiting until there is room."""
        with self._condition:
            if self._is_full():
                self._condition.wait_for(lambda: not self._is_full() or self._closed)
            self._waiting.append(delivery)
            self._bytes += len(delivery.body) + _OVERHEAD
            if len(self._waiting) == 1:
                self._condition.notify_all()

    def take(self, most: int, gather: float) -> tuple[Channel | None, list[Delivery]]:
        """Return what waits, at most so many, with the channel that it came over; nothing once the inbox is closed.

        Args:
            most: deliveries.
            gather: seconds that others get to come after the first.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._waiting or self._closed)
            self._condition.wait_for(lambda: len(self._waiting) >= most or self._is_full() or self._closed, gather)
            taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
            self._bytes -= sum(len(delivery.body) + _OVERHEAD for delivery in taken)
            self._condition.notify_all()
            return self._channel, taken

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def _is_full(self) -> bool:
        return self._bytes >= self._capacity
