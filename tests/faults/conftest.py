"""One network for all tests of this folder; each begins when all is well."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest

from broker_config.home import private_folder
from soak.network import Network
from starai import Client
from tests.faults.faulted import ASIA_1, ASIA_2, EUROPE, FAST, PARTS, Faulted


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """The network."""
    folder = tmp_path_factory.mktemp("faults")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("STARAI_HOME", str(private_folder(folder / "home")))
        network = Network(folder, None, (ASIA_1, ASIA_2, EUROPE), PARTS, FAST)
        try:
            network.start()
            yield network
        finally:
            network.stop()


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
