"""Takes the pictures of Flower in docs/images, from a network that runs and works: `make screenshots`.

It starts `starai up` in a home of its own, sends it tasks, kills one device and puts another out of work.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

from ops.flower.login import announced_address, kept_login
from starai import Client
from starai.errors import StarAIError

_IMAGES = Path(__file__).parent / "images"
_MODEL = "all-minilm-l6-v2"
_SENTENCES = "The old harbour smells of tar and rope. Every boat has a name and a story that somebody still tells."
_REGIONS = ("asia", "europe", "north-america")
_STARAI = [sys.executable, "-P", "-m", "ops.cli"]
_WORKS_SECONDS = 30.0
_PAGES = {"flower-fleet": "/fleet", "flower-workers": "/workers", "flower-device": "/worker/local-europe-2"}


def main() -> None:
    """Take them all."""
    chromium = next(filter(Path.exists, map(Path, ("/usr/bin/chromium", "/usr/bin/chromium-browser"))))
    regions = [word for region in _REGIONS for word in ("--region", region)]
    with network("--devices", "6", *regions) as pid, _work(), sync_playwright() as playwright:
        time.sleep(_WORKS_SECONDS / 3)
        _upset(pid)
        time.sleep(_WORKS_SECONDS)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        login = kept_login()
        page = browser.new_page(
            base_url=announced_address(),
            http_credentials={"username": login.user, "password": login.password.get_secret_value()},
            viewport={"width": 1360, "height": 800},
        )
        for name, path in _PAGES.items():
            _take(page, name, path)
        _take(page, "flower-tasks", "/tasks")
        browser.close()


def _take(page: Page, name: str, path: str) -> None:
    page.goto(path, wait_until="networkidle" if path != "/workers" else "load")
    page.wait_for_selector("tbody td")
    page.wait_for_timeout(2500)
    page.screenshot(path=_IMAGES / f"{name}.png", full_page=name == "flower-device")


@contextlib.contextmanager
def network(*options: str) -> Iterator[int]:
    """Run `starai up` in a home of its own for as long as the context lasts, and give its process id."""
    with tempfile.TemporaryDirectory(prefix="starai-") as folder:
        os.environ["STARAI_HOME"] = folder
        with Path(folder, "up.log").open("w+b") as log:
            running = subprocess.Popen([*_STARAI, "up", *options], stdout=log, stderr=log)
            try:
                _wait(lambda: b"Ctrl-C stops it" in Path(log.name).read_bytes() or running.poll() is not None)
                yield running.pid
            finally:
                running.send_signal(signal.SIGINT)
                running.wait(60)


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("The network did not start.")
        time.sleep(0.2)


@contextlib.contextmanager
def _work() -> Iterator[None]:
    """Send tasks from everywhere for as long as the context lasts."""
    over = threading.Event()
    senders = [threading.Thread(target=_send, args=(region, over)) for region in _REGIONS]
    for sender in senders:
        sender.start()
    try:
        yield
    finally:
        over.set()
        for sender in senders:
            sender.join()


def _send(region: str, over: threading.Event) -> None:
    with Client(region=region) as client:
        while not over.wait(0.5):
            jobs = [client.submit(_MODEL, [_SENTENCES] * 8) for _ in range(6)]
            jobs.append(client.submit(_MODEL, [_SENTENCES * 400]))
            for job in jobs:
                with contextlib.suppress(StarAIError):
                    job.result(60)


def _upset(running: int) -> None:
    for process in psutil.Process(running).children(recursive=True):
        if "local-asia-2" in " ".join(process.cmdline()):
            process.kill()
    subprocess.run([*_STARAI, "devices", "deactivate", "local-north-america-2", "--grace", "1"], check=True)


if __name__ == "__main__":
    main()
