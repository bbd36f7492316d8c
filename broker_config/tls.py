"""Encrypted connections: whom a client trusts, and what to do about a certificate that it does not."""

import hashlib
import ipaddress
import logging
import socket
import ssl
import sys
from typing import Any

from pydantic import ValidationError

from broker_config.errors import BrokerUnreachable, BrokerUntrusted, SettingError
from broker_config.settings import TrustSettings

log = logging.getLogger(__name__)

# OpenSSL's numbers (x509_vfy.h): not valid yet or no longer, another host's name, another address.
_TIME = (9, 10)
_HOST = (62, 64)


def context(ca: str | None = None) -> ssl.SSLContext:
    """Return what checks a broker's certificate, its host name included.

    Args:
        ca: the authority to trust and no other, as PEM text; by default the one that ``STARAI_BROKER_CA`` names,
            and without that those of this system.

    Raises:
        SettingError: the authority cannot be read.
    """
    pem = authority(ca)
    try:
        if pem is not None and not pem.strip():  # for which Python would trust those of this system
            raise ValueError("empty")
        found = ssl.create_default_context(cadata=pem)
    except (ssl.SSLError, ValueError) as error:
        raise SettingError("The certificate of the authority is no PEM text. Fetch it again.") from error
    found.minimum_version = ssl.TLSVersion.TLSv1_2  # some systems' default is whatever OpenSSL can
    return found


def authority(ca: str | None = None) -> str | None:
    """Return the authority to trust, as PEM text, or nothing for those of this system. See :func:`context`."""
    path = _settings().broker_ca
    if ca is not None or path is None:
        return ca
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"STARAI_BROKER_CA names {path}, which cannot be read as a PEM file.") from error


def check_plain(host: str, address: str) -> None:
    """Make sure that a connection which is not encrypted stays on this machine, or was allowed to leave it.

    Raises:
        BrokerUntrusted: it would leave.
    """
    if _is_loopback(host):
        return
    if not _settings().broker_plain:
        raise BrokerUntrusted(
            f"{address} would send the password and everything else in the clear. Use amqps://, or in a network that "
            "you trust set STARAI_BROKER_PLAIN=1."
        )
    log.warning("broker.plain", extra={"broker": address})


def untrusted(error: BaseException, address: str) -> BrokerUntrusted | None:
    """Return what an error of TLS means and what to do about it, or nothing for another error."""
    if not isinstance(error, ssl.SSLError):
        return None
    found = BrokerUntrusted(f"The broker at {address} {_what_is_wrong(error)}")
    found.__cause__ = error
    return found


def fingerprint(pem: str) -> str:
    """Return the SHA-256 of a certificate, in hexadecimal."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def fetch_ca(host: str, port: int, expected: str, timeout: float = 10.0) -> str:
    """Return the authority of the broker there, as PEM text: the one with the expected fingerprint and no other.

    Nothing is sent, and nothing else is trusted: whoever answers can only hand over the right certificate, and
    must prove by it later to be the broker.

    Raises:
        BrokerUnreachable: nobody answers there.
        BrokerUntrusted: what answers has no such authority, or does not speak TLS.
    """
    try:
        chain = _received_chain(host, port, timeout)
    except ssl.SSLError as error:
        raise BrokerUntrusted(f"The broker at {host}:{port} {_what_is_wrong(error)}") from error
    except OSError as error:
        raise BrokerUnreachable(f"No broker answers at {host}:{port} ({type(error).__name__}).") from error
    wanted = expected.replace(":", "").lower()
    for pem in chain:
        if fingerprint(pem) == wanted:
            return pem
    raise BrokerUntrusted(
        f"The broker at {host}:{port} does not have the authority that the token names: the token is old, or someone "
        "stands between. Ask for a new token; if that is refused as well, do not join from this network."
    )


def _received_chain(host: str, port: int, timeout: float) -> list[str]:
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((host, port), timeout) as plain,
        trusting.wrap_socket(plain, server_hostname=host) as sock,
    ):
        return _chain(sock)


def _chain(sock: Any) -> list[str]:
    if sys.version_info >= (3, 13):
        return [ssl.DER_cert_to_PEM_cert(der) for der in sock.get_unverified_chain()]
    return [certificate.public_bytes() for certificate in sock._sslobj.get_unverified_chain()]


def _what_is_wrong(error: ssl.SSLError) -> str:
    code = getattr(error, "verify_code", None)
    if code is None:
        return f"does not speak TLS as it should ({error.reason or type(error).__name__}). Is this its port for amqps?"
    reason = getattr(error, "verify_message", "")
    if code in _TIME:
        return (
            f"has a certificate that is out of date ({reason}). Whoever runs the broker renews it by starting the "
            "private node again; is this machine's clock right?"
        )
    if code in _HOST:
        return (
            f"has a certificate for another host ({reason}). Use a name that is in it; whoever runs the broker adds "
            "one with STARAI_BROKER_HOST."
        )
    return (
        f"has a certificate of an authority that is not trusted here ({reason}). Set STARAI_BROKER_CA to the PEM file "
        "of the network's authority; a device joins again."
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _settings() -> TrustSettings:
    try:
        return TrustSettings()
    except ValidationError as error:
        wrong = ", ".join(f"STARAI_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise SettingError(f"The environment has a setting that cannot be used: {wrong}.") from error
