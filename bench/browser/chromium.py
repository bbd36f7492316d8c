"""This machine's own Chromium, without a window."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from playwright.sync_api import Browser, sync_playwright

from bench.errors import BenchError

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start it, and end it.

    Raises:
        BenchError: there is none.
    """
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise BenchError("There is no Chromium here. Install it: make chromium")
    with ExitStack() as until_end:
        browsers = until_end.enter_context(sync_playwright()).chromium
        # As root Chromium runs without its sandbox only. The page is our own.
        yield until_end.enter_context(browsers.launch(executable_path=found, args=["--no-sandbox"]))
