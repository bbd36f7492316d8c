"""A device that asks to join a registry of its own, and the platform's callables for it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import Session

from broker_config.proof import proof_key
from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.database import migrate, open_engine, session
from registry.deployments import Planned
from registry.owners import add_owner
from registry.tables import Measurement
from registry.tokens import issue_token, tokens_of
from tasks.enrolment import handle_join
from tasks.envelope import InvalidMessage
from tasks.joining import Accepted, JoinRefused, JoinRequest, Refusal, read_join_answer, write_join_request

NOW = datetime(2026, 5, 1, tzinfo=UTC)
PHI = Planned("phi3-3.8b", Tier.MEDIUM, slots=2, threads=4, tasks_per_second=20.0)
MINILM = Planned("all-minilm-l6-v2", Tier.TINY, slots=4)
MEASURED = {"cpu_model": "AMD EPYC", "gpus": [{"name": "RTX 3060"}, {"name": "RTX 3090"}], "gflops": 228.5}


class Device:
    """A device that has a token, and the platform's callables for it."""

    def __init__(self, registry: Session, uses: int = 1, owner: str = "ada") -> None:
        self.registry = registry
        self.token, secret = issue_token(registry, owner, Region.ASIA, NOW + timedelta(days=7), uses)
        self.key = proof_key(self.token, secret.get_secret_value())
        self.signing, self.sealing = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
        self.planned = [PHI, MINILM]
        self.users: list[str] = []
        self.broken: Exception | None = None

    def request(self, at: datetime = NOW, **changes) -> bytes:
        plain = {
            "token": self.token,
            "signing": self.signing.public_key().public_bytes_raw(),
            "sealing": self.sealing.public_key().public_bytes_raw(),
            "name": "the old laptop",
            "hardware_id": "ab" * 32,
            "measurement": MEASURED,
            "at": at.timestamp(),
        }
        return write_join_request(JoinRequest(**plain | changes), self.signing, self.key)

    def send(self, body: bytes, now: datetime = NOW) -> Accepted:
        answer = handle_join(self.registry, body, now, self.plan, self.make_user)
        return read_join_answer(answer, self.sealing, body, self.key)

    def refused(self, body: bytes, now: datetime = NOW) -> Refusal:
        with pytest.raises(JoinRefused) as caught:
            self.send(body, now)
        return caught.value.reason

    def uses_left(self) -> int:
        return next(token.uses_left for token in tokens_of(self.registry, "ada") if token.id == self.token)

    def plan(self, device, measurement):
        if "cpu_model" not in measurement:
            raise InvalidMessage("The measurement is none.")
        figures = {"physical_cores": 2, "threads": 4, "memory_bytes": measurement.get("memory", 2**34)}
        figures |= {"provider": "CPUExecutionProvider", "gflops_one_thread": 1.0, "gb_per_s_one_thread": 1.0}
        return Measurement(device_id=device, cpu_model=measurement["cpu_model"], **figures), self.planned

    def make_user(self, device, planned):
        if self.broken:
            raise self.broken
        assert list(planned) == self.planned
        self.users.append(device.id)
        return SecretStr(f"password-{len(self.users)}-of-{device.id}")


@pytest.fixture
def engine(tmp_path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'registry.db'}")
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def registry(engine) -> Iterator[Session]:
    with session(engine) as opened:
        add_owner(opened, "ada")
        add_owner(opened, "bob")
        yield opened


@pytest.fixture
def device(registry) -> Device:
    return Device(registry)


@pytest.fixture
def new_device(registry) -> Callable[..., Device]:
    """Return a function that makes another device, with a token of its own."""
    return partial(Device, registry)
