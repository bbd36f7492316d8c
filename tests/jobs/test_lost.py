"""A submitter whose reports were lost on their way: the ledger has them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pika
import pytest

from broker_config import names
from starai import Client
from tests.jobs.hand_device import MODEL, HandDevice


class Passage:
    """A port that leads to the broker's while it is open."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.is_open = True
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """Cut every connection, and let none through."""
        self.is_open = False
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.cut()
        self._server.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                if not self.is_open:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._to))
                self._sockets += near, far
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError), source, sink:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def passage(own_broker) -> Iterator[Passage]:
    passage = Passage(own_broker.node.file.amqp)
    yield passage
    passage.close()


@pytest.fixture
def through(own_broker, passage) -> str:
    """The address of the broker, for a submitter, through the passage."""
    address = urlsplit(own_broker.submitter("ann"))
    return address._replace(netloc=address.netloc.replace(f":{address.port}", f":{passage.port}")).geturl()


def test_results_that_a_crashed_broker_forgot_come_from_the_ledger(
    own_broker, serve, host, record, passage, through, crash, until
):
    serve(own_broker)
    host()
    record(own_broker)
    device = HandDevice(own_broker)
    with Client(through, region="asia", timeout=10) as client:
        jobs = [client.submit(MODEL, "a" * length) for length in range(1, 21)]
        passage.cut()
        until(lambda: not client._link.is_connected)
        for number in range(len(jobs)):
            device.end(run=f"run-{number}")
        until(lambda: own_broker.depth(client._replies.queue) == 2 * len(jobs))
        crash(own_broker.node)
        own_broker.node.start(lifeline=True)
        assert not any(job.done for job in jobs)

        passage.is_open = True

        assert [job.result(40).tolist() for job in jobs] == [[length] for length in range(1, 21)]
        assert not client._jobs


def test_an_answer_that_a_lost_connection_took_along_is_asked_for_again(own_broker, passage, through, until):
    with Client(through, region="asia", timeout=20) as client:
        listed: list[object] = []
        asking = threading.Thread(target=lambda: listed.append(client.jobs()))
        asking.start()
        until(lambda: own_broker.depth(names.REQUESTS_QUEUE) == 1)
        passage.cut()
        until(lambda: not client._link.is_connected)
        with own_broker.channel() as channel:
            channel.queue_purge(names.REQUESTS_QUEUE)

        passage.is_open = True
        until(lambda: own_broker.depth(names.REQUESTS_QUEUE) == 1)
        with own_broker.channel() as channel:
            _, properties, _ = channel.basic_get(names.REQUESTS_QUEUE, auto_ack=True)
            answer = pika.BasicProperties(correlation_id=properties.correlation_id, user_id=names.PLATFORM)
            channel.basic_publish("", properties.reply_to, b'{"jobs":[]}', answer)

        asking.join(20)
        assert listed == [[]]
