"""A phone's browser for each test, with the built page over a scripted device in it."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.phone.view.scripted import NEW, Scripted, Site

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A headless Chromium; `make chromium` installs it."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    # As root Chromium runs without its sandbox only. The pages are our own.
    with playwright.chromium.launch(executable_path=found, args=["--no-sandbox"]) as launched:
        yield launched


@pytest.fixture
def new_phone(playwright: Playwright, browser: Browser) -> Iterator[Callable[..., Scripted]]:
    """Return a function that takes a phone of 360 by 740 points; what its page throws fails the test."""
    phones: list[Scripted] = []

    def new(first: dict | None = NEW, init: str = "", **options: object) -> Scripted:
        profile = playwright.devices["Pixel 7"] | {"viewport": {"width": 360, "height": 740}} | options
        context = browser.new_context(**profile)
        context.add_init_script(init)
        phones.append(Scripted(context, Site(first)))
        return phones[-1]

    yield new
    for phone in phones:
        phone.page.context.close()
        phone.site.stop()
    assert [error for phone in phones for error in phone.errors] == []
