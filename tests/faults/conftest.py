"""One network for the tests of each group; each test begins when all is well."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from broker_config.home import private_folder
from soak.network import Network, Place
from starai import Client
from tests.faults.faulted import ASIA_1, ASIA_2, EUROPE, FAST, PARTS, Faulted
from tests.faults.real import FASTER, LEAKING, REAL, Real, furnish
from tests.models.conftest import StoredModel, minilm  # noqa: F401 - a fixture


@contextmanager
def network(folder: Path, places: Sequence[Place], health: Mapping[str, str]) -> Iterator[Network]:
    """A network that stands, but for what is to be done before it is started."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("STARAI_HOME", str(private_folder(folder / "home")))
        network = Network(folder, None, places, PARTS, health)
        try:
            yield network
        finally:
            network.stop()


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """The network of devices whose models are stand-ins."""
    with network(tmp_path_factory.mktemp("faults"), (ASIA_1, ASIA_2, EUROPE), FAST) as made:
        made.start()
        yield made


@pytest.fixture(scope="session")
def modelled(tmp_path_factory: pytest.TempPathFactory, minilm: StoredModel) -> Iterator[Network]:  # noqa: F811
    """The network of devices with the real model, whose processes can leak."""
    path = os.pathsep.join(filter(None, [str(LEAKING), os.environ.get("PYTHONPATH")]))
    with network(tmp_path_factory.mktemp("faults"), REAL, FASTER) as made, pytest.MonkeyPatch.context() as environment:
        furnish(made, minilm)
        environment.setenv("PYTHONPATH", path)
        made.start()
        yield made


@pytest.fixture
def faulted(whole: Network, until: Callable[..., None]) -> Iterator[Faulted]:
    """The network when all is well; what a test leaves broken is mended after it."""
    with Client(whole.submitter(f"ann-{secrets.token_hex(4)}"), region="asia") as client:
        faulted = Faulted(whole, client)
        until(lambda: faulted.is_well() and faulted.cycles() >= 1, 60)
        faulted.begin()
        yield faulted
    for place in whole.places:
        whole.ways[place.id].heal()
        if pid := whole.kept[place.id].pid:
            with suppress(psutil.NoSuchProcess):
                psutil.Process(pid).resume()
        whole.kept[place.id].start()


@pytest.fixture
def real(modelled: Network, until: Callable[..., None]) -> Iterator[Real]:
    """The network with the real model, when all is well; what a test leaves broken is mended after it."""
    with Client(modelled.submitter(f"ann-{secrets.token_hex(4)}"), region="asia") as client:
        real = Real(modelled, client)
        real.heal()
        until(lambda: real.is_calm() and real.cycles() >= 1, 120)
        real.begin()
        yield real
        real.heal()
