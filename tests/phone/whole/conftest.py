"""One network for the tests of each module; each test brings its own phones."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from broker_config.home import private_folder
from broker_config.regions import Region
from broker_config.topology import Limits
from ops.platform_processes import PLATFORM
from registry.columns import now
from soak.load import MODELS
from soak.network import Network, Place
from starai import Client
from tests.faults.faulted import FAST
from tests.models.conftest import StoredModel, minilm  # noqa: F401 - a fixture
from tests.phone.whole.network import PhoneNetwork
from tests.phone.whole.phone import Phone

_PARTS = [part for part in PLATFORM if part.name != "flower"]


@pytest.fixture(scope="module")
def phone_network(
    tmp_path_factory: pytest.TempPathFactory,
    minilm: StoredModel,  # noqa: F811
) -> Iterator[PhoneNetwork]:
    """The network without any device."""
    folder = tmp_path_factory.mktemp("phones")
    home = private_folder(folder / "home")
    (home / "models").symlink_to(minilm.folder.parent.resolve(), target_is_directory=True)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("STARAI_HOME", str(home))
        for name in ("STARAI_BROKER_URL", "STARAI_DATABASE_URL", "STARAI_REGION"):
            environment.delenv(name, raising=False)
        network = Network(folder, None, (), _PARTS, FAST, Limits())
        try:
            network.start()
            yield PhoneNetwork(network)
        finally:
            network.stop()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The machine's own Chromium."""
    path = next(filter(Path.exists, map(Path, ("/usr/bin/chromium", "/usr/bin/chromium-browser"))))
    with playwright.chromium.launch(executable_path=path, args=["--no-sandbox"]) as launched:
        yield launched


@pytest.fixture
def network(
    phone_network: PhoneNetwork, monkeypatch: pytest.MonkeyPatch, until: Callable[..., None]
) -> Iterator[PhoneNetwork]:
    """The network, its page served, as the one that this test's commands find."""
    monkeypatch.setenv("STARAI_HOME", str(phone_network.network.folder / "home"))
    until(lambda: "page.ready" in phone_network.log("page"), 60)
    phone_network.since = now()
    yield phone_network
    for way in phone_network.ways:
        way.stop()
    phone_network.ways.clear()


@pytest.fixture
def new_phone(playwright: Playwright, browser: Browser, until: Callable[..., None]) -> Iterator[Callable[..., Phone]]:
    """Return a function that takes a phone out of its box."""
    phones: list[Phone] = []

    def new(say: str = "") -> Phone:
        phones.append(Phone(playwright, browser, say))
        return phones[-1]

    yield new
    for phone in phones:
        with suppress(Exception):
            phone.close()


@pytest.fixture
def client(network: PhoneNetwork) -> Iterator[Client]:
    """A submitter in Asia."""
    with Client(network.network.submitter(f"ann-{secrets.token_hex(4)}"), region="asia") as client:
        yield client


class Pc:
    """A device with the real model that is no phone, in Asia."""

    id = "device-pc"

    def __init__(self, network: Network) -> None:
        self._network = network

    def start(self) -> None:
        """Let it serve."""
        self._network.add(Place(self.id, "ada", Region.ASIA, MODELS[:1], MODELS[:1]))

    def stop(self) -> None:
        """Let it go."""
        if kept := self._network.kept.get(self.id):
            kept.stop()


@pytest.fixture
def pc(network: PhoneNetwork, minilm: StoredModel) -> Iterator[Pc]:  # noqa: F811
    """A PC that does not serve yet."""
    home = private_folder(network.network.folder / "devices" / Pc.id)
    (home / "models").symlink_to(minilm.folder.parent.resolve(), target_is_directory=True)
    pc = Pc(network.network)
    yield pc
    pc.stop()
