"""Seals bytes to an X25519 public key: only the holder of the private key can open them.

An ephemeral X25519 key agrees on a secret with the receiver's; HKDF-SHA256 (RFC 5869) makes of it an AES-256-GCM key,
naming the protocol and both public keys. A browser's WebCrypto has all of them. What travels is the ephemeral public
key (32 bytes), then ciphertext and tag. This hides and protects; it does not say who sealed: that is for ``aad``.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tasks.envelope import InvalidMessage

_PROTOCOL = b"starai sealed v1 X25519 HKDF-SHA256 AES-256-GCM"
# Each key is made for one message, so its nonce need not differ.
_NONCE = bytes(12)
_KEY = 32
_TAG = 16


def seal(public: bytes, plain: bytes, aad: bytes) -> bytes:
    """Return the bytes sealed to a public key (32 bytes), bound to ``aad``, which the opener must know.

    Raises:
        InvalidMessage: the key is one that agrees on the same secret with everybody (RFC 7748, section 6.1).
    """
    ephemeral = X25519PrivateKey.generate()
    own = ephemeral.public_key().public_bytes_raw()
    return own + AESGCM(_key(ephemeral, public, own, public)).encrypt(_NONCE, plain, aad)


def open_sealed(private: X25519PrivateKey, sealed: bytes, aad: bytes) -> bytes:
    """Return what was sealed.

    Raises:
        InvalidMessage: it was changed, sealed to another key, or bound to other ``aad``.
    """
    own, ciphertext = sealed[:_KEY], sealed[_KEY:]
    if len(ciphertext) < _TAG:
        raise InvalidMessage("The sealed message is too short to be one.")
    key = _key(private, own, own, private.public_key().public_bytes_raw())
    try:
        return AESGCM(key).decrypt(_NONCE, ciphertext, aad)
    except InvalidTag as error:
        raise InvalidMessage("The sealed message cannot be opened: it was changed, or is not for this key.") from error


def check_sealing_key(public: bytes) -> None:
    """Do nothing if something can be sealed to the key.

    Raises:
        InvalidMessage: it is of the wrong length, or one that agrees on the same secret with everybody.
    """
    _agreed(X25519PrivateKey.generate(), public)


def _key(private: X25519PrivateKey, public: bytes, ephemeral: bytes, receiver: bytes) -> bytes:
    info = _PROTOCOL + ephemeral + receiver
    return HKDF(SHA256(), 32, salt=None, info=info).derive(_agreed(private, public))


def _agreed(private: X25519PrivateKey, public: bytes) -> bytes:
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as error:
        raise InvalidMessage("The key to seal to is not one that can be used.") from error
