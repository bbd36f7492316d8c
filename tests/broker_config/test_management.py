"""The client of the management API, at a real broker and at none."""

import http.server
import socket
import threading

import pytest

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


def test_a_virtual_host_and_a_user_come_and_go(node):
    node.api.put_vhost("passing")
    node.api.put_user("passing", "secret")

    node.api.delete_user("passing")
    node.api.delete_vhost("passing")

    with pytest.raises(BrokerError, match="404"):
        node.api.delete_user("passing")
    with pytest.raises(BrokerError, match="404"):
        node.api.delete_vhost("passing")
