"""The certificate authority of a private node: it signs the node's own certificate and nothing else.

Clients trust the authority, not the certificate, so that the node can renew that without a word to anyone. The
authority's fingerprint is what a join token carries.
"""

import datetime
import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from broker_config.errors import NodeError
from broker_config.home import write_private
from broker_config.tls import fingerprint

#: How long a certificate is valid, and when it is renewed before it ends.
VALID = datetime.timedelta(days=730)
RENEWED_BEFORE = datetime.timedelta(days=30)
_AUTHORITY_VALID = datetime.timedelta(days=20 * 365)
# Of a clock that is behind the node's.
_TOLERANCE = datetime.timedelta(hours=1)
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Authority:
    """The authority in a folder, made at its first use; its keys are readable by their owner alone."""

    folder: Path

    @property
    def file(self) -> Path:
        """The authority's own certificate, which clients need."""
        return self.folder / "ca.pem"

    @property
    def certificate(self) -> Path:
        """The node's key and certificate, followed by the authority's, which the node hands to newcomers.

        One file, so that the node never finds a key beside the certificate of another.
        """
        return self.folder / "node.pem"

    @property
    def pem(self) -> str:
        """The authority's own certificate as PEM text."""
        return self.file.read_text("ascii")

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the authority's own certificate, in hexadecimal."""
        return fingerprint(self.pem)

    def ensure(self, hosts: Iterable[str] = (), now: datetime.datetime | None = None) -> bool:
        """Make sure that the node has a certificate that is valid for another month, for this machine and these hosts.

        Returns whether it was made anew. A node that runs takes it up by itself within minutes.

        Args:
            hosts: names and addresses of the node beside ``localhost``.
            now: the time from which it is valid.

        Raises:
            NodeError: what is in the folder cannot be read.
        """
        now = now or datetime.datetime.now(datetime.UTC)
        names = tuple(dict.fromkeys((*_LOCAL, *hosts)))
        try:
            if not self.file.exists():
                self._found(now)
            if self.certificate.exists() and self._serves(names, now):
                return False
            self._issue(names, now)
        except (OSError, ValueError, ssl.SSLError) as error:
            raise NodeError(
                f"The authority in {self.folder} cannot be read. Remove the folder to begin with a new one; every "
                "device then has to join again."
            ) from error
        return True

    def _found(self, now: datetime.datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"StarAI network {x509.random_serial_number():x}"[:40])
        made = (
            _certificate(name, name, key.public_key(), now, _AUTHORITY_VALID)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_private(self.folder / "ca.key", _pem_of(key))
        write_private(self.file, _pem(made))

    def _issue(self, names: Iterable[str], now: datetime.datetime) -> None:
        authority = x509.load_pem_x509_certificate(self.file.read_bytes())
        kept = (self.folder / "ca.key").read_bytes()
        signer = cast("ec.EllipticCurvePrivateKey", serialization.load_pem_private_key(kept, None))
        key = ec.generate_private_key(ec.SECP256R1())
        made = (
            _certificate(_name("StarAI broker"), authority.subject, key.public_key(), now, VALID)
            .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .sign(signer, hashes.SHA256())
        )
        write_private(self.certificate, _pem_of(key) + _pem(made) + _pem(authority))

    def _serves(self, names: Iterable[str], now: datetime.datetime) -> bool:
        found = x509.load_pem_x509_certificates(self.certificate.read_bytes())[0]
        in_it = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return set(map(_general, names)) <= set(in_it) and found.not_valid_after_utc - now > RENEWED_BEFORE


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime.datetime,
    valid: datetime.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _TOLERANCE)
        .not_valid_after(now + valid)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _pem_of(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
