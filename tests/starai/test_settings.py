"""Where the library finds the network."""

import pytest

from broker_config.regions import Region
from starai import Client
from starai.errors import BrokerUnreachable, InvalidName, SettingError
from starai.settings import announce_network, find_network, forget_network, network_file

HERE, THERE = "amqp://ann:secret@127.0.0.1:9/here", "amqp://ann:secret@127.0.0.1:9/there"


def test_what_the_program_says_comes_before_the_environment(monkeypatch):
    monkeypatch.setenv("STARAI_BROKER_URL", THERE)
    monkeypatch.setenv("STARAI_REGION", "africa")

    assert find_network(HERE, "asia") == (HERE, Region.ASIA)
    assert find_network(None, None) == (THERE, Region.AFRICA)


def test_the_environment_comes_before_the_local_network(monkeypatch):
    announce_network(HERE, Region.OCEANIA)
    assert find_network(None, None) == (HERE, Region.OCEANIA)

    monkeypatch.setenv("STARAI_BROKER_URL", THERE)
    assert find_network(None, None) == (THERE, Region.EUROPE)


def test_a_region_may_be_chosen_for_the_local_network(monkeypatch):
    announce_network(HERE, Region.OCEANIA)
    assert find_network(None, "asia") == (HERE, Region.ASIA)

    monkeypatch.setenv("STARAI_REGION", "africa")
    assert find_network(None, None) == (HERE, Region.AFRICA)


def test_without_a_network_the_error_says_what_to_do():
    with pytest.raises(SettingError, match=r"`starai up`, or set STARAI_BROKER_URL"):
        Client()


def test_a_network_that_stopped_is_forgotten():
    announce_network(HERE, Region.ASIA)
    forget_network()
    forget_network()

    with pytest.raises(SettingError, match="No network is known"):
        find_network(None, None)


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b"{}", b'{"url": 5}', b'{"url": "amqp://ann:secret@h", "region": 1}']
)
def test_a_local_network_that_cannot_be_read_is_named_without_its_password(content):
    network_file().parent.mkdir(parents=True)
    network_file().write_bytes(content)

    with pytest.raises(SettingError, match=r"network\.json cannot be read") as wrong:
        find_network(None, None)
    assert "secret" not in f"{wrong.value} {wrong.value.__cause__}"


def test_a_region_that_is_none_is_refused(monkeypatch):
    with pytest.raises(InvalidName, match="atlantis"):
        find_network(HERE, "atlantis")

    monkeypatch.setenv("STARAI_REGION", "atlantis")
    with pytest.raises(SettingError, match="STARAI_REGION"):
        find_network(HERE, None)


def test_a_client_without_arguments_asks_the_environment_then_the_local_network(broker, monkeypatch):
    announce_network(HERE, Region.ASIA)
    with pytest.raises(BrokerUnreachable, match=r"127\.0\.0\.1:9/here"):
        Client(timeout=0.2)

    announce_network(broker.submitter("ann"), Region.ASIA)
    with Client() as client:
        assert client.region is Region.ASIA

    monkeypatch.setenv("STARAI_BROKER_URL", broker.submitter("bob"))
    with Client(region="africa") as client:
        assert client.region is Region.AFRICA
