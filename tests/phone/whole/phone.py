"""A phone: the page in a browser of a phone's size, and what can be done to it."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, TimeoutError

#: A device of Playwright's list: 412 by 839 points, a touch screen, Chrome on Android.
PROFILE = "Pixel 7"
# The first visit fetches and tries a model of 91 MB.
_JOINED_MS = 90_000


class Phone:
    """One phone. Its storage stays from one page to the next, as a browser's does.

    Args:
        playwright, browser: the real Chromium.
        say: a script that each page runs first, to say for the phone what this machine's browser cannot.
    """

    def __init__(self, playwright: Playwright, browser: Browser, say: str = "") -> None:
        self.context: BrowserContext = browser.new_context(**playwright.devices[PROFILE])
        self.context.add_init_script(say)
        self.noted: list[str] = []
        self.page: Page = self._new_page()

    def open(self, address: str) -> None:
        """Open the page, or a link to it."""
        self.page.goto(address)

    def join(self, link: str) -> None:
        """Open a link and join by it, and wait until it has joined."""
        self.open(link)
        self.page.get_by_role("button", name="Join").click()
        self._wait_for(self.page.get_by_role("switch", name="Serve tasks"), _JOINED_MS / 1000)

    def switch(self, *, on: bool) -> None:
        """Let it serve, or serve no more."""
        switch = self.page.get_by_role("switch", name="Serve tasks")
        if (switch.get_attribute("aria-checked") == "true") != on:
            switch.click()

    def serve(self, link: str) -> "Phone":
        """Join, say what this machine's browser cannot tell, begin to serve, and wait until it is ready for tasks."""
        self.join(link)
        self.page.get_by_role("checkbox", name="This connection is not metered").check()
        self.switch(on=True)
        self.wait_for("waiting")
        return self

    @property
    def doing(self) -> str:
        """What it does now, as `data-doing` has it."""
        return self.page.locator("#doing").get_attribute("data-doing") or ""

    def wait_for(self, *doing: str, seconds: float = 60) -> None:
        """Wait until it does one of these."""
        selector = ", ".join(f'#doing[data-doing="{one}"]' for one in doing)
        self._wait_for(self.page.locator(selector), seconds)

    @property
    def done(self) -> int:
        """How many tasks it says it has done."""
        return int(re.sub(r"\D", "", self.page.locator("#done").inner_text()) or 0)

    @property
    def error(self) -> str:
        """What it tells its owner of what went wrong, once it does."""
        alert = self.page.locator("#error")
        alert.wait_for()
        return alert.inner_text()

    def says(self, words: str) -> bool:
        """Tell whether these words are on the page."""
        return self.page.get_by_text(words).first.is_visible()

    def kill(self) -> None:
        """End the page as a system does that needs its memory: without a word to it."""
        crashed = self.page
        crashed.on("crash", lambda _: None)
        try:
            crashed.goto("chrome://crash", timeout=5000)
        except Exception as error:  # noqa: BLE001 - that it does not answer is what was asked for
            self.noted.append(f"crashed: {type(error).__name__}")

    def reopen(self, address: str) -> None:
        """Open the page anew in the same browser, in place of one that is gone."""
        self.page.close()
        self.page = self._new_page()
        self.open(address)

    def reload(self) -> None:
        """Load the page anew."""
        self.page.reload()

    def alter(self, pattern: str, change: Callable[[bytes], bytes], times: int) -> None:
        """Change what is fetched from such an address on its way, so many times."""

        def answer(route: Any) -> None:
            response = route.fetch()
            route.fulfill(response=response, body=change(response.body()))

        self.context.route(re.compile(pattern), answer, times=times)

    def close(self) -> None:
        """Switch the phone off."""
        self.context.close()

    def _wait_for(self, wanted: Locator, seconds: float) -> None:
        """Wait for it, or fail with what the phone says in place of it."""
        try:
            wanted.wait_for(timeout=1000 * seconds)
        except TimeoutError as error:
            shown, noted = self.page.locator("body").inner_text(), "\n".join(self.noted[-20:])
            raise AssertionError(f"not within {seconds:g} s; the page says:\n{shown}\n\nand noted:\n{noted}") from error

    def _new_page(self) -> Page:
        page = self.context.new_page()
        page.on("console", lambda message: self.noted.append(message.text))
        page.on("pageerror", lambda error: self.noted.append(f"error: {error}"))
        return page
