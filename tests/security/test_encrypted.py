"""Connections between machines: who is let in, and what a client refuses to talk to, with real nodes."""

import contextlib
import datetime
import shutil
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pika
import pytest
from pydantic import SecretStr

from broker_config import names
from broker_config.apply import apply
from broker_config.authority import VALID, Authority
from broker_config.errors import BrokerUnreachable, BrokerUntrusted, NodeError
from broker_config.link import Link
from broker_config.node import Node
from broker_config.node_files import Tls
from broker_config.publication import Publication
from broker_config.regions import Region
from broker_config.tiers import Tier
from broker_config.tls import context, fetch_ca
from broker_config.topology import topology
from tasks.deployment import Deployment
from tests.stomp import Stomp
from worker.app import device_app
from worker.enrolment import Enrolment

pytestmark = pytest.mark.process

# Every address of 127.0.0.0/8 is this machine's on Linux alone.
ANOTHER_ADDRESS = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
# A way to write 127.0.0.1 that stands in no certificate.
ANOTHER_NAME = "127.1"


@pytest.fixture(scope="module")
def open_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node whose encrypted listener is open to other machines."""
    node = Node(tmp_path_factory.mktemp("node"))
    node.start(lifeline=True, tls=Tls(ANOTHER_ADDRESS))
    yield node
    node.stop()


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority of another network."""
    authority = Authority(tmp_path_factory.mktemp("stranger"))
    authority.ensure()
    return authority


@pytest.fixture
def expired(tmp_path: Path) -> Authority:
    """An authority whose certificate for its node has expired yesterday."""
    authority = Authority(tmp_path / "expired")
    authority.ensure(now=datetime.datetime.now(datetime.UTC) - VALID - datetime.timedelta(days=1))
    return authority


@pytest.fixture
def listening() -> Iterator[Callable[[Authority], int]]:
    """Return a function that has a port of this machine show an authority's certificate to whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen(authority: Authority) -> int:
            shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            shown.load_cert_chain(authority.certificate)
            threading.Thread(target=_shake_hands, args=(server, shown), daemon=True).start()
            return int(server.getsockname()[1])

        yield listen
        server.shutdown(socket.SHUT_RDWR)


def _shake_hands(server: socket.socket, context: ssl.SSLContext) -> None:
    with contextlib.suppress(OSError):  # the server is closed
        while True:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as sock:
                sock.recv(1024)


def open_link(url: str, ca: str | None = None) -> Link:
    link = Link(url, "test", ca=ca)
    link.open(10)
    return link


def celery_connects(url: str, ca: str | None = None) -> bool:
    deployment = Deployment(model="all-minilm-l6-v2", tier=Tier.TINY)
    enrolment = Enrolment(device="d1", region=Region.ASIA, url=SecretStr(url), deployments=[deployment], ca=ca)
    with device_app(enrolment, SimpleNamespace(id="d1"), None).connection() as connection:
        connection.connect()
        return bool(connection.connected)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", ANOTHER_ADDRESS])
def test_a_link_and_a_devices_celery_app_connect_by_every_name_of_the_certificate(open_node, host):
    url, ca = open_node.tls_url(host=host), open_node.authority.pem

    open_link(url, ca).close()
    assert celery_connects(url, ca)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", ANOTHER_ADDRESS])
def test_a_phone_connects_by_every_name_of_the_certificate(open_node, host):
    phone = Stomp(web_url(open_node, host), context(open_node.authority.pem))

    assert phone.login(names.VHOST, login=names.PLATFORM, passcode=open_node.file.password).command == "CONNECTED"
    phone.close()


@pytest.mark.parametrize("host", ["localhost", ANOTHER_NAME])
def test_a_phone_that_trusts_another_authority_or_says_another_name_does_not_connect(open_node, stranger, host):
    trusted = stranger if host == "localhost" else open_node.authority

    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        Stomp(web_url(open_node, host), context(trusted.pem))


def web_url(node: Node, host: str) -> str:
    return f"wss://{host}:{node.file.webs}/ws"


def test_messages_of_every_size_pass_an_encrypted_link_in_their_order(open_node):
    apply(open_node.url(), topology([]))
    link = open_link(open_node.tls_url(), open_node.authority.pem)
    bodies = [bytes([n % 256]) * (n * n) for n in range(0, 1500, 5)]

    confirmed = [link.publish(Publication(names.REPORTS, "clearance", body, pika.BasicProperties())) for body in bodies]
    [future.result(30) for future in confirmed]
    link.close()

    with pika.BlockingConnection(pika.URLParameters(open_node.url())) as connection:
        channel = connection.channel()
        assert [channel.basic_get(names.REPORTS, auto_ack=True)[2] for _ in bodies] == bodies


def test_the_authority_may_be_named_by_the_environment(open_node, monkeypatch):
    monkeypatch.setenv("STARAI_BROKER_CA", str(open_node.authority.file))

    open_link(open_node.tls_url()).close()
    assert celery_connects(open_node.tls_url())


@pytest.mark.parametrize("trusted", ["of the system", "of another network"])
def test_a_broker_of_another_authority_is_refused_at_once(open_node, stranger, trusted):
    ca = stranger.pem if trusted == "of another network" else None

    with pytest.raises(BrokerUntrusted, match=r"Set STARAI_BROKER_CA.*joins again"):
        open_link(open_node.tls_url(), ca)
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        celery_connects(open_node.tls_url(), ca)
    if ca is None:
        with pytest.raises(BrokerUntrusted, match="Set STARAI_BROKER_CA"):
            apply(open_node.tls_url(), topology([]))


def test_a_broker_by_a_name_that_is_not_in_its_certificate_is_refused(open_node):
    url, ca = open_node.tls_url(host=ANOTHER_NAME), open_node.authority.pem

    with pytest.raises(BrokerUntrusted, match=r"another host.*STARAI_BROKER_HOST"):
        open_link(url, ca)
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        celery_connects(url, ca)


def test_a_certificate_out_of_date_is_refused(expired, listening):
    url = f"amqps://ann:secret@127.0.0.1:{listening(expired)}/starai"

    with pytest.raises(BrokerUntrusted, match=r"out of date.*starting the private node again"):
        open_link(url, expired.pem)
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        celery_connects(url, expired.pem)


def test_a_node_renews_a_certificate_out_of_date_when_it_starts_and_keeps_its_authority(tmp_path, expired, crash):
    node = Node(tmp_path / "node")
    shutil.copytree(expired.folder, node.authority.folder)

    node.start(lifeline=True, tls=Tls())

    open_link(node.tls_url(), expired.pem).close()
    crash(node)
    node.stop()


def test_a_newcomer_gets_the_authority_that_its_token_names(open_node):
    authority = open_node.authority
    written = authority.fingerprint.upper()

    ca = fetch_ca("127.0.0.1", open_node.file.amqps, ":".join(written[n : n + 2] for n in range(0, 64, 2)))

    assert ca == authority.pem
    open_link(open_node.tls_url(), ca).close()


def test_a_newcomer_takes_no_other_authority(open_node, stranger):
    with pytest.raises(BrokerUntrusted, match="Ask for a new token"):
        fetch_ca("127.0.0.1", open_node.file.amqps, stranger.fingerprint)


def test_a_newcomer_is_told_that_a_port_does_not_speak_tls(open_node):
    with pytest.raises(BrokerUntrusted, match="Is this its port for amqps"):
        fetch_ca("127.0.0.1", open_node.file.amqp, "00" * 32)


def test_a_newcomer_is_told_that_nobody_is_there():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(BrokerUnreachable, match=f"127.0.0.1:{port}"):
        fetch_ca("127.0.0.1", port, "00" * 32)


def test_a_node_without_an_encrypted_listener_says_how_to_get_one(node):
    with pytest.raises(NodeError, match="STARAI_BROKER_TLS=1"):
        node.tls_url()
    with pytest.raises(NodeError, match="stop it, then start it with STARAI_BROKER_TLS=1"):
        Node(node.folder).start(tls=Tls())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have one loopback address")
def test_only_the_encrypted_listener_is_open_to_other_machines(open_node):
    opened = {open_node.file.amqps, open_node.file.webs}

    for port in opened:
        socket.create_connection((ANOTHER_ADDRESS, port), 5).close()
    for port in set(open_node.file.ports) - opened:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((ANOTHER_ADDRESS, port), 5)


@pytest.mark.parametrize(
    ("variables", "host", "asked"),
    [
        ({}, None, False),
        ({"STARAI_BROKER_TLS": "1"}, None, True),
        ({"STARAI_BROKER_HOST": "a.example"}, "a.example", True),
    ],
)
def test_the_environment_asks_for_an_encrypted_listener(monkeypatch, variables, host, asked):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    found = Tls.from_environment()

    assert bool(found) is asked
    assert (found.host if found else None) == host
