"""The authority of a private node: what it signs, and when anew."""

import datetime
import stat
import sys
from pathlib import Path

import pytest
from cryptography import x509

from broker_config.authority import RENEWED_BEFORE, VALID, Authority
from broker_config.errors import NodeError
from broker_config.tls import fingerprint

NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    authority = Authority(tmp_path / "tls")
    authority.ensure(now=NOW)
    return authority


def signed(authority: Authority) -> x509.Certificate:
    return x509.load_pem_x509_certificates(authority.certificate.read_bytes())[0]


def test_the_nodes_certificate_is_for_this_machine_and_the_hosts_that_were_named(authority):
    authority.ensure(["broker.example", "192.0.2.7"], NOW)

    names = signed(authority).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "broker.example"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1", "192.0.2.7"]


def test_a_certificate_lasts_two_years_and_comes_with_its_authority(authority):
    leaf, above = x509.load_pem_x509_certificates(authority.certificate.read_bytes())

    leaf.verify_directly_issued_by(above)
    assert leaf.not_valid_after_utc == NOW + VALID
    assert authority.fingerprint == fingerprint(authority.pem)


def test_it_is_renewed_in_its_last_month_and_not_before_and_the_authority_stays(authority):
    before, trusted = signed(authority), authority.fingerprint
    last_month = before.not_valid_after_utc - RENEWED_BEFORE

    assert not authority.ensure(now=last_month - datetime.timedelta(minutes=1))
    assert signed(authority) == before
    assert authority.ensure(now=last_month)
    assert signed(authority).not_valid_after_utc == last_month + VALID
    assert authority.fingerprint == trusted


def test_an_authority_may_sign_no_other_authority(authority):
    above = x509.load_pem_x509_certificate(authority.pem.encode())

    limits = above.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (limits.ca, limits.path_length) == (True, 0)
    assert not signed(authority).extensions.get_extension_for_class(x509.BasicConstraints).value.ca


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
def test_its_keys_are_their_owners_alone(authority):
    modes = {stat.S_IMODE(path.stat().st_mode) for path in authority.folder.iterdir()}

    assert (modes, stat.S_IMODE(authority.folder.stat().st_mode)) == ({0o600}, 0o700)


@pytest.mark.parametrize("file", ["ca.pem", "ca.key", "node.pem"])
def test_a_file_that_cannot_be_read_says_what_to_do(authority, file):
    (authority.folder / file).write_text("nonsense")

    with pytest.raises(NodeError, match="Remove the folder"):
        authority.ensure(["another.example"], NOW)
