"""How the operator's commands find the network: by the environment, else the private node, encrypted or not."""

import json

import pika
import pytest

from broker_config import names
from broker_config.address import parameters
from broker_config.apply import apply
from broker_config.authority import Authority
from broker_config.errors import BrokerUntrusted, NodeError, SettingError
from broker_config.join_token import parse
from broker_config.node import Node
from broker_config.node_files import Tls
from broker_config.settings import BrokerSettings
from broker_config.tls import fetch_ca
from broker_config.topology import QueueType, network_topology
from ops.access import BrokerAddress, open_access

pytestmark = pytest.mark.process

ISSUE = ("tokens", "issue", "--owner", "ada", "--region", "asia", "--json")


@pytest.fixture(scope="module")
def encrypted_home(tmp_path_factory):
    """A home whose node has an encrypted listener for other machines."""
    home = tmp_path_factory.mktemp("encrypted")
    node = Node(home / "broker")
    node.start(lifeline=True, tls=Tls("127.0.0.1"))
    apply(node.url(), network_topology(BrokerSettings().queue_type))
    yield home
    node.stop()


@pytest.fixture
def encrypted(encrypted_home, monkeypatch, tmp_path):
    """That node, as the one of this home, with an empty registry in which is the owner ada."""
    monkeypatch.setenv("STARAI_HOME", str(encrypted_home))
    monkeypatch.setenv("STARAI_DATABASE_URL", f"sqlite:///{tmp_path / 'registry.db'}")
    return Node()


@pytest.fixture
def named(node, monkeypatch):
    """A node that the environment names, and not the home."""
    monkeypatch.setenv("STARAI_BROKER_URL", node.url())
    monkeypatch.setenv("STARAI_MANAGEMENT_URL", f"http://127.0.0.1:{node.file.management}")
    return node


def issued(run):
    run("owners", "add", "ada")
    result = run(*ISSUE)
    assert result.exit_code == 0, result.output
    return parse(json.loads(result.stdout)["token"])


@pytest.mark.parametrize(
    "command", [("tokens", "issue", "--owner", "ada", "--region", "asia"), ("submitters", "add", "ann")]
)
def test_without_a_network_one_error_says_how_to_start_it(run, command):
    result = run(*command)

    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1
    assert "`starai up` or `starai broker start`" in result.output


def test_the_private_node_is_reached_as_it_runs(operated):
    with open_access() as access:
        assert access.management.version()
        assert access.address == BrokerAddress("127.0.0.1", operated.file.amqp, names.VHOST, web=operated.file.web)
        assert access.queue_type is BrokerSettings().queue_type
        assert access.url.get_secret_value() == operated.url()
        assert operated.file.password not in repr(access)


def test_the_queue_type_is_the_environments(operated, monkeypatch):
    monkeypatch.setenv("STARAI_QUEUE_TYPE", "classic")

    with open_access() as access:
        assert access.queue_type is QueueType.CLASSIC


def test_a_broker_that_the_environment_names_comes_first(named):
    with open_access() as access:
        assert access.management.version()
        assert access.address == BrokerAddress("127.0.0.1", named.file.amqp, names.VHOST)
        assert access.url.get_secret_value() == named.url()


def test_the_web_stomp_of_a_broker_that_the_environment_names_is_named_too(named, run, monkeypatch):
    assert issued(run).web is None
    monkeypatch.setenv("STARAI_BROKER_WEB_PORT", "15673")

    with open_access() as access:
        assert access.address.web == 15673


@pytest.mark.parametrize("port", ["0", "65536", "wss"])
def test_a_port_of_web_stomp_that_is_none_is_refused(named, monkeypatch, port):
    monkeypatch.setenv("STARAI_BROKER_WEB_PORT", port)

    with pytest.raises(SettingError, match="STARAI_BROKER_WEB_PORT"), open_access():
        pass


@pytest.mark.parametrize("there", ["STARAI_BROKER_URL", "STARAI_MANAGEMENT_URL"])
def test_half_a_broker_is_refused_rather_than_another_one_operated(named, monkeypatch, there):
    missing = {"STARAI_BROKER_URL", "STARAI_MANAGEMENT_URL"} - {there}
    monkeypatch.delenv(missing.pop())

    with pytest.raises(SettingError, match=rf"{there} is set.*set both"), open_access():
        pass


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:15672",
        "ftp://a",
        "http://",
        "http://root:hun/ter2@a:1",
        "http://root:1/ter2@a:1",
        "http://a:99999",
    ],
)
def test_a_management_address_that_cannot_be_read_is_refused_and_not_repeated(named, monkeypatch, url):
    monkeypatch.setenv("STARAI_MANAGEMENT_URL", url or "?")

    with pytest.raises(SettingError, match="STARAI_MANAGEMENT_URL looks like") as refused, open_access():
        pass
    assert "hun" not in str(refused.value)


def test_a_management_address_in_the_clear_stays_on_this_machine(named, monkeypatch):
    monkeypatch.setenv("STARAI_MANAGEMENT_URL", "http://broker.example:15672")

    with pytest.raises(BrokerUntrusted, match="Use https://"), open_access():
        pass


def test_a_setting_that_cannot_be_used_is_named(named, monkeypatch):
    monkeypatch.setenv("STARAI_QUEUE_TYPE", "fast")

    with pytest.raises(SettingError, match="STARAI_QUEUE_TYPE"), open_access():
        pass


def test_a_token_of_an_encrypted_node_lets_a_newcomer_in_by_its_fingerprint_alone(encrypted, run, monkeypatch):
    monkeypatch.setenv("STARAI_BROKER_HOST", "127.0.0.1")

    token = issued(run)

    assert (token.tls, token.ca, token.port) == (True, encrypted.authority.fingerprint, encrypted.file.amqps)
    assert token.web == encrypted.file.webs
    ca = fetch_ca(token.host, token.port, token.ca)
    with pika.BlockingConnection(parameters(token.bootstrap_address(), ca)) as connection:
        connection.channel().basic_publish(names.ENROLMENT, "join", b"{}")


def test_without_a_host_the_addresses_of_an_encrypted_node_are_for_this_machine(encrypted, run):
    assert issued(run).host == "localhost"


def test_a_submitter_of_an_encrypted_node_is_told_whom_to_trust(encrypted, run):
    result = run("submitters", "add", "ann")

    told = dict(line.strip().split("=", 1) for line in result.stdout.splitlines() if line.startswith("  STARAI"))
    run("submitters", "remove", "ann", "--yes")
    assert told["STARAI_BROKER_URL"].startswith("amqps://ann:")
    assert told["STARAI_BROKER_CA"] == str(encrypted.authority.file)


def test_a_submitter_elsewhere_is_sent_a_copy_of_the_authority(encrypted, run, monkeypatch):
    monkeypatch.setenv("STARAI_BROKER_HOST", "broker.example")

    result, data = run("submitters", "add", "ann"), run("submitters", "add", "bob", "--json")

    for name in ("ann", "bob"):
        run("submitters", "remove", name, "--yes")
    assert "STARAI_BROKER_CA=starai-ca.pem" in result.stdout
    assert encrypted.authority.fingerprint in result.stdout
    assert json.loads(data.stdout)["ca_sha256"] == encrypted.authority.fingerprint
    assert "@broker.example:" in json.loads(data.stdout)["url"]


def test_a_node_without_an_encrypted_listener_is_not_named_to_other_machines(operated, monkeypatch):
    monkeypatch.setenv("STARAI_BROKER_HOST", "broker.example")

    with pytest.raises(NodeError, match="no encrypted listener: stop it, then start it"), open_access():
        pass


def test_an_encrypted_broker_that_the_environment_names_needs_its_authority_for_tokens(
    encrypted, run, monkeypatch, tmp_path
):
    run("owners", "add", "ada")
    monkeypatch.setenv("STARAI_BROKER_URL", encrypted.tls_url())
    monkeypatch.setenv("STARAI_MANAGEMENT_URL", f"http://127.0.0.1:{encrypted.file.management}")

    without = run(*ISSUE)
    monkeypatch.setenv("STARAI_BROKER_CA", str(encrypted.authority.file))
    token = issued(run)

    assert without.exit_code == 1
    assert "STARAI_BROKER_CA" in without.output
    assert (token.host, token.ca) == ("localhost", encrypted.authority.fingerprint)


def test_a_file_with_two_authorities_does_not_say_which_is_the_brokers(encrypted, monkeypatch, tmp_path):
    other = Authority(tmp_path / "other")
    other.ensure()
    both = tmp_path / "both.pem"
    both.write_text(encrypted.authority.pem + other.pem)
    monkeypatch.setenv("STARAI_BROKER_URL", encrypted.tls_url())
    monkeypatch.setenv("STARAI_MANAGEMENT_URL", f"http://127.0.0.1:{encrypted.file.management}")
    monkeypatch.setenv("STARAI_BROKER_CA", str(both))

    with pytest.raises(SettingError, match="several certificates"), open_access():
        pass


def test_an_address_holds_any_host_and_login():
    address = BrokerAddress("::1", 5671, "a/b", tls=True)

    found = parameters(address.url("ann", "p/w@d"))

    assert (found.host, found.port, found.virtual_host) == ("::1", 5671, "a/b")
    assert (found.credentials.username, found.credentials.password) == ("ann", "p/w@d")
