"""WebKit, the engine of every browser on an iPhone: Debian's, driven by W3C WebDriver on a screen that nobody sees."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

_STARTS_WITHIN = 20.0
# What WebDriver calls a reference to an element (W3C WebDriver, 12.1).
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class WebKit:
    """One window, with a storage of its own that ends with it."""

    def __init__(self, driver: str) -> None:
        self._http = httpx.Client(base_url=driver, timeout=60)
        options = {"binary": _mini_browser(), "args": ["--automation"]}
        asked = {"alwaysMatch": {"browserName": "MiniBrowser", "webkitgtk:browserOptions": options}}
        self._session = self._call("POST", "/session", {"capabilities": asked})["sessionId"]

    def open(self, address: str) -> None:
        """Open a page."""
        self._ask("POST", "url", {"url": address})

    def click(self, selector: str, within: float = 20.0) -> None:
        """Click what that selector finds, once it is there."""
        element = self._found(selector, within)
        self._ask("POST", f"element/{element}/click", {})

    def wait_for(self, selector: str, within: float = 60.0) -> None:
        """Wait until that selector finds something."""
        self._found(selector, within)

    def run(self, script: str) -> Any:
        """Run a script in the page, and return what it returns."""
        return self._ask("POST", "execute/sync", {"script": script, "args": []})

    def close(self) -> None:
        """Close the window."""
        with suppress(httpx.HTTPError):
            self._http.delete(f"/session/{self._session}")
        self._http.close()

    def _found(self, selector: str, within: float) -> str:
        deadline = time.monotonic() + within
        while not (found := self._ask("POST", "elements", {"using": "css selector", "value": selector})):
            assert time.monotonic() < deadline, f"no {selector} within {within:g} s: {self._text()}"
            time.sleep(0.1)
        return str(found[0][_ELEMENT])

    def _text(self) -> str:
        return str(self.run("return document.body.innerText"))

    def _ask(self, method: str, path: str, body: dict[str, Any]) -> Any:
        return self._call(method, f"/session/{self._session}/{path}", body)

    def _call(self, method: str, path: str, body: dict[str, Any]) -> Any:
        answer = self._http.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()["value"]


@contextmanager
def webkit() -> Iterator[WebKit]:
    """Start WebKit on a screen of its own, for as long as the context lasts."""
    with _screen() as display, _driver(display) as driver:
        window = WebKit(driver)
        try:
            yield window
        finally:
            window.close()


def is_installed() -> bool:
    """Tell whether there is a WebKit here that can be driven."""
    return bool(shutil.which("WebKitWebDriver") and shutil.which("Xvfb"))


@contextmanager
def _screen() -> Iterator[str]:
    """Start a screen, which says itself which number was free."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "500x900x24", "-nolisten", "tcp"]
    screen = subprocess.Popen(command, pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as told:
            yield f":{told.readline().strip()}"
    finally:
        screen.terminate()
        screen.wait(10)


@contextmanager
def _driver(display: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "DISPLAY": display}
    driver = subprocess.Popen(["WebKitWebDriver", f"--port={port}"], env=environment, stderr=subprocess.DEVNULL)
    try:
        _wait_until_it_answers(address := f"http://127.0.0.1:{port}")
        yield address
    finally:
        driver.terminate()
        driver.wait(10)


def _wait_until_it_answers(address: str) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN
    while True:
        with suppress(httpx.TransportError):
            httpx.get(f"{address}/status")
            return
        assert time.monotonic() < deadline, "WebKit's driver does not answer"
        time.sleep(0.1)


def _mini_browser() -> str:
    return str(next(Path("/usr/lib").glob("*/webkit2gtk-4*/MiniBrowser")))
