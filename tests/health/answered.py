"""A probe and its answer, as a test wants them."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tasks.health.evidence import Asked, Heard
from tasks.probe import HealthReport, digest, write_report
from tests.health.hand_device import MODEL, readings

DEVICE, NONCE = "device-1", "ab" * 16
KEY = Ed25519PrivateKey.generate()


def asked(**changes: Any) -> Asked:
    """Return a probe of a device that signs, hosts one model and has no GPU."""
    plain: dict[str, Any] = {
        "device": DEVICE,
        "cycle": 7,
        "nonce": NONCE,
        "padding": b"",
        "signing": KEY.public_key().public_bytes_raw(),
        "models": frozenset({MODEL}),
        "slots": 2,
        "provider": "CPUExecutionProvider",
    }
    return Asked(**plain | changes)


def report(padding: bytes = b"", **changes: Any) -> HealthReport:
    """Return what a device answers to that probe that is well."""
    plain: dict[str, Any] = {
        "device": DEVICE,
        "cycle": 7,
        "nonce": NONCE,
        "at": 0.0,
        "digest": digest(padding),
        "readings": readings(),
    }
    return HealthReport(**plain | changes)


def heard(told: HealthReport | None = None, key: Ed25519PrivateKey | None = KEY, **changes: Any) -> Heard:
    """Return the answer as it came, after 0.1 s, from the device itself."""
    plain: dict[str, Any] = {"user": DEVICE, "body": write_report(told or report(), key), "after": 0.1}
    return Heard(**plain | changes)
