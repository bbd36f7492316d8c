"""`starai serve` as a process, and a network with a small language model before which it may stand."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from models.catalogue import load_catalogue, own_models_file
from models.store import ModelStore
from tests.models.tiny_models import TINY

EMBEDS, CHATS = "all-minilm-l6-v2", "tiny-llama"
#: A text that goes on for as long as it may: a few seconds.
LONG = {
    "max_tokens": 2000,
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "long", "schema": {"type": "string", "minLength": 9000}},
    },
}
# With all files that the folder has: what they are is pinned at the first pull.
_OWN_MODEL = f"""[[model]]
name = "{CHATS}"
kind = "generate"
parameters = 145_000
weight_bytes = 700_000
kv_bytes_per_token = 1024
licence = "MIT"
source = {{ type = "folder", path = {str(TINY / CHATS)!r} }}
"""


class Server:
    """The process; what it says is in ``log``."""

    def __init__(self, log: Path, *arguments: str) -> None:
        self.log = log
        command = [sys.executable, "-P", "-m", "ops.cli", "serve", "--port", "0", *arguments]
        with log.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8")

    @property
    def url(self) -> str:
        """Where it serves, once it does."""
        until = time.monotonic() + 60
        while not (found := re.search(r"serve\.ready address=(\S+)", self.said)):
            assert self.process.poll() is None, self.said
            assert time.monotonic() < until, self.said
            time.sleep(0.05)
        return found[1]

    def end(self, number: signal.Signals = signal.SIGINT, seconds: float = 60) -> int:
        """Send it a signal and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


@contextmanager
def serving(log: Path, *arguments: str) -> Iterator[Server]:
    """Run it for as long as the block lasts."""
    server = Server(log, *arguments)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()


def fill(home: Path) -> None:
    """Put the models into the test's home: the catalogue's own, and a small language model of the owner's."""
    (home / "models").mkdir(mode=0o700, parents=True)
    chosen = os.environ.get("STARAI_TEST_MODELS")
    shared = Path(chosen) if chosen else platformdirs.user_cache_path("starai-test-models", appauthor=False)
    folder = ModelStore(shared).ensure(load_catalogue().get(EMBEDS))
    (home / "models" / EMBEDS).symlink_to(folder, target_is_directory=True)
    own_models_file().write_text(_OWN_MODEL, "utf-8")
