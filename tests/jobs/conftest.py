"""A submitter's jobs, at a real broker with the platform and the recorder; devices are played by hand."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import Engine

from broker_config.regions import Region
from broker_config.tiers import Tier
from registry.database import open_engine, session
from registry.deployments import Planned, deploy
from registry.devices import enrol_device
from registry.owners import add_owner
from starai import Client
from tasks.platform import Platform
from tasks.recorder import Recorder
from tests.jobs.hand_device import MODEL, HandDevice


@pytest.fixture
def host() -> Iterator[Callable[[], Engine]]:
    """Return a function that opens the registry and lets the device host the model."""
    engines: list[Engine] = []

    def opened() -> Engine:
        engines.append(open_engine())
        with session(engines[-1]) as registry:
            add_owner(registry, "ada")
            enrol_device(registry, "device-1", "ada", Region.ASIA)
            deploy(registry, "device-1", [Planned(MODEL, Tier.TINY)])
        return engines[-1]

    yield opened
    for engine in engines:
        engine.dispose()


@pytest.fixture
def serve(monkeypatch) -> Iterator[Callable[..., Platform]]:
    """Return a function that starts the platform at a broker."""
    platforms: list[Platform] = []

    def started(broker) -> Platform:
        monkeypatch.setenv("STARAI_BROKER_URL", broker.url())
        platforms.append(Platform())
        platforms[-1].open()
        return platforms[-1]

    yield started
    for platform in platforms:
        platform.close()


@pytest.fixture
def record() -> Iterator[Callable[..., Recorder]]:
    """Return a function that starts the recorder at a broker."""
    with ExitStack() as stack:

        def started(broker) -> Recorder:
            engine = open_engine()
            stack.callback(engine.dispose)
            recorder = Recorder(broker.url(), engine)
            stack.callback(recorder.close)
            recorder.open()
            return recorder

        yield started


@pytest.fixture
def engine(broker, serve, host) -> Engine:
    """The registry of a network whose platform answers, and nobody records."""
    serve(broker)
    return host()


@pytest.fixture
def recorder(broker, engine, record) -> Recorder:
    return record(broker)


@pytest.fixture
def device(broker) -> HandDevice:
    return HandDevice(broker)


@pytest.fixture
def connect(broker) -> Iterator[Callable[..., Client]]:
    """Return a function that makes a client, of the submitter ann unless told otherwise."""
    clients: list[Client] = []

    def connected(name: str = "ann", **options: object) -> Client:
        clients.append(Client(broker.submitter(name), **{"region": "asia", "timeout": 10.0} | options))
        return clients[-1]

    yield connected
    for client in clients:
        client.close()


@pytest.fixture
def is_known() -> Callable[[Client, str], bool]:
    """Return a function that tells whether the ledger has a task."""
    return lambda client, task: task in [job.id for job in client.jobs()]
