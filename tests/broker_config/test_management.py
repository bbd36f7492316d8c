"""The client of the management API, at a real broker and at none."""

import http.server
import socket
import threading
import time

import pika
import pytest

from broker_config.address import parameters
from broker_config.errors import BrokerError, BrokerRefused, BrokerUnreachable
from broker_config.management import Management


def test_it_tells_the_version_and_whether_the_broker_works(broker):
    assert broker.node.api.version().startswith(("3.", "4."))
    assert broker.node.api.is_alive(broker.vhost)


def test_a_wrong_password_is_refused_and_not_repeated(node):
    with pytest.raises(BrokerRefused, match="refused GET overview") as refused:
        Management(node.api.url, "platform", "wrong-secret").version()
    assert "wrong-secret" not in str(refused.value)


def test_what_is_not_there_is_an_error_in_rabbitmqs_words(broker):
    with pytest.raises(BrokerError, match="404"):
        broker.node.api.queue(broker.vhost, "no-such-queue")


def test_nobody_there_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(BrokerUnreachable, match=f"127.0.0.1:{port}"):
        Management(f"http://127.0.0.1:{port}", "platform", "secret").version()


def test_another_server_at_the_address_is_named_as_such():
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: object) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.handle_request).start()
        with pytest.raises(BrokerError, match="not RabbitMQ's management API"):
            Management(f"http://127.0.0.1:{server.server_port}", "platform", "secret").version()


def test_it_tells_how_many_messages_the_queues_of_a_kind_have(broker, until):
    with broker.channel() as channel:
        for _ in range(3):
            channel.basic_publish("inference", "asia.tiny", b"x")
    asia = "inference.asia.tiny.all-minilm-l6-v2"

    until(lambda: broker.node.api.queue_lengths(broker.vhost, ["inference.", "failed"]).get(asia) == 3)

    found = broker.node.api.queue_lengths(broker.vhost, ["inference.", "failed"])
    assert {name.partition(".")[0] for name in found} <= {"inference", "failed"}
    assert broker.node.api.queue_lengths(broker.vhost, ["ference"]) == {}


def test_it_tells_of_a_users_connections_what_they_call_themselves_and_when_they_began(broker, until):
    wanted = parameters(broker.submitter("ann"))
    wanted.client_properties = {"connection_name": "ann's"}
    seen: list[dict] = []

    def is_told() -> bool:
        """Of a connection that is new the broker has no details yet."""
        seen[:] = broker.node.api.connections_of("ann")
        return bool(seen) and {"connected_at", "client_properties"} <= seen[0].keys()

    with pika.BlockingConnection(wanted):
        until(is_told)
    [found] = seen

    assert found["client_properties"]["connection_name"] == "ann's"
    assert abs(found["connected_at"] / 1000 - time.time()) < 60


def test_it_tells_how_long_the_broker_has_run(node):
    assert 0 < node.api.uptime() < 86_400


def test_a_virtual_host_and_a_user_come_and_go(node):
    node.api.put_vhost("passing")
    node.api.put_user("passing", "secret")

    node.api.delete_user("passing")
    node.api.delete_vhost("passing")

    with pytest.raises(BrokerError, match="404"):
        node.api.delete_user("passing")
    with pytest.raises(BrokerError, match="404"):
        node.api.delete_vhost("passing")
