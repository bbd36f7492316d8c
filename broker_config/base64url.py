"""Bytes as text that survives URLs, shells and JSON: base64url without padding (RFC 4648, section 5)."""

import base64
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def encode(data: bytes) -> str:
    """Return the bytes as text."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Return the bytes of a text, which has exactly one spelling.

    Raises:
        ValueError: the text is not what :func:`encode` makes; the message does not repeat it.
    """
    if not _ALPHABET.fullmatch(text) or len(text) % 4 == 1:
        raise ValueError("not base64url without padding")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # The last character may have bits that no byte uses; another spelling of the same bytes is a changed message.
    if encode(data) != text:
        raise ValueError("not base64url in its one spelling")
    return data
