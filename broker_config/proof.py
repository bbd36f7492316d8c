"""Proves that somebody holds a join token's secret, which itself is never sent.

The platform keeps a key that was derived from the secret (HKDF-SHA256, RFC 5869), not the secret: whoever reads the
registry cannot write down the token. A secret has 256 random bits, so that a slow derivation would add nothing.
"""

import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def proof_key(token: str, secret: str) -> bytes:
    """Return the 32 bytes with which proofs by the token of that id are made and checked."""
    return HKDF(SHA256(), 32, salt=None, info=b"starai join proof v1 " + token.encode()).derive(secret.encode())


def proof(key: bytes, purpose: str, content: bytes) -> bytes:
    """Return the proof, an HMAC-SHA256, that a holder of the key made this content for this purpose."""
    return hmac.digest(key, purpose.encode() + b"\0" + content, "sha256")


def is_proof(given: bytes, key: bytes, purpose: str, content: bytes) -> bool:
    """Tell whether the proof is right, in a time that says nothing of how far it is."""
    return hmac.compare_digest(given, proof(key, purpose, content))
