"""What a client trusts, before it has connected."""

import logging
import ssl

import pytest

from broker_config.address import celery_tls, parameters
from broker_config.authority import Authority
from broker_config.errors import BrokerUntrusted, SettingError


@pytest.fixture
def ca(tmp_path) -> str:
    authority = Authority(tmp_path / "tls")
    authority.ensure()
    return authority.pem


@pytest.mark.parametrize(
    "host", ["broker.example", "192.168.1.4", "10.0.0.1", "[2001:db8::1]", "localhost.evil.example"]
)
def test_a_plain_connection_that_leaves_this_machine_is_refused(host):
    with pytest.raises(BrokerUntrusted, match=r"amqps://.*STARAI_BROKER_PLAIN=1") as refused:
        parameters(f"amqp://ann:secret@{host}/starai")
    assert "secret" not in str(refused.value)
    with pytest.raises(BrokerUntrusted):
        celery_tls(f"amqp://ann:secret@{host}/starai")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_a_plain_connection_within_this_machine_is_not(host):
    assert parameters(f"amqp://ann:secret@{host}/starai").ssl_options is None
    assert celery_tls(f"amqp://ann:secret@{host}/starai") is False


def test_a_plain_connection_that_was_allowed_is_told_of_in_the_log(monkeypatch, caplog):
    monkeypatch.setenv("STARAI_BROKER_PLAIN", "1")

    assert parameters("amqp://ann:secret@broker/starai").ssl_options is None
    assert [(r.levelno, r.message, r.broker) for r in caplog.records] == [
        (logging.WARNING, "broker.plain", "amqp://ann@broker/starai")
    ]


def test_an_encrypted_connection_checks_certificate_and_host_name_whatever_the_address_says(ca):
    options = parameters("amqps://broker/v?ssl_options={'ca_path':'.','server_hostname':'evil'}", ca).ssl_options

    assert options.context.verify_mode is ssl.CERT_REQUIRED
    assert options.context.check_hostname
    assert options.server_hostname == "broker"
    assert options.context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_the_networks_authority_is_trusted_and_no_other(ca):
    trusted = parameters("amqps://broker/v", ca).ssl_options.context.get_ca_certs(binary_form=True)

    assert trusted == [ssl.PEM_cert_to_DER_cert(ca)]


def test_the_authority_may_come_from_the_environment(ca, monkeypatch, tmp_path):
    (tmp_path / "ca.pem").write_text(ca)
    monkeypatch.setenv("STARAI_BROKER_CA", str(tmp_path / "ca.pem"))

    assert len(parameters("amqps://broker/v").ssl_options.context.get_ca_certs()) == 1
    assert celery_tls("amqps://broker/v") == {
        "server_hostname": "broker",
        "context": {"cadata": ca, "check_hostname": True},
    }


@pytest.mark.parametrize("content", [None, b"", b"nonsense", b"\xff"])
def test_an_authority_that_cannot_be_read_is_an_error_not_an_exception(content, monkeypatch, tmp_path):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("STARAI_BROKER_CA", str(file))

    with pytest.raises(SettingError, match=r"ca\.pem|PEM"):
        parameters("amqps://broker/v")


def test_a_setting_that_cannot_be_used_is_named(monkeypatch):
    monkeypatch.setenv("STARAI_BROKER_PLAIN", "perhaps")

    with pytest.raises(SettingError, match="STARAI_BROKER_PLAIN"):
        parameters("amqps://broker/v")
