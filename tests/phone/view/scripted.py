"""The built page over a stand-in for its device: a test says what the device says, and reads what it was asked.

What is served has the headers that the page ships with, and comes from a server of this process.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from playwright.sync_api import BrowserContext, Page

import ops
from ops.phone.protection import HEADERS

BUILT = Path(ops.__file__).parent / "phone" / "built"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
# What it is told over the channel it tells the page, and the other way round.
_DEVICE = """
const script = new BroadcastChannel("scripted");
script.onmessage = ({ data }) => postMessage(data);
onmessage = ({ data }) => script.postMessage(data);
const first = FIRST;
if (first) postMessage(first);
"""
#: Runs in the page before all else: notes what the device is asked, and what the page's policy refuses.
WATCH = """
window.asks = [];
window.refusals = [];
window.scripted = new BroadcastChannel("scripted");
scripted.onmessage = ({ data }) => asks.push(data);
addEventListener("securitypolicyviolation", (event) => refusals.push(`${event.violatedDirective} ${event.blockedURI}`));
"""

PREFERENCES: dict[str, Any] = {
    "onlyWhileCharging": False,
    "batteryAbove": 0.5,
    "notMetered": True,
    "ownerSaysPowered": False,
    "ownerSaysUnmetered": False,
    "hiddenMinutes": 10,
    "keepAwake": False,
    "threads": None,
}
STANDING: dict[str, Any] = {
    "owner": "ann",
    "state": "active",
    "trust": 0.97,
    "sound": True,
    "reason": None,
    "quarantinedUntil": None,
    "blacklistedUntil": None,
}
MODEL: dict[str, Any] = {"name": "all-minilm-l6-v2", "bytes": 91_300_000, "stored": True, "fault": None}
NEW: dict[str, Any] = {
    "phase": "new",
    "step": None,
    "progress": None,
    "error": None,
    "on": False,
    "doing": "off",
    "why": None,
    "device": None,
    "region": None,
    "models": [],
    "done": 0,
    "failed": 0,
    "lastTaskMs": None,
    "standing": None,
    "preferences": PREFERENCES,
}
JOINING = NEW | {"phase": "joining", "step": "fetching all-minilm-l6-v2"}
JOINED = NEW | {
    "phase": "joined",
    "device": "device-a37efa577578a787",
    "region": "africa",
    "models": [MODEL],
    "standing": STANDING,
}
SERVING = JOINED | {"on": True, "doing": "waiting", "done": 1284, "lastTaskMs": 182.4}


class Site:
    """The served page; ``first`` is what the device says when it starts."""

    def __init__(self, first: dict[str, Any] | None) -> None:
        self.files = BUILT
        self.first = first
        self.without: set[str] = set()
        self.fetched: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self._is_up = True

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://127.0.0.1:{self._server.server_port}/phone/"

    def body(self, name: str) -> bytes | None:
        """Return a file as it is served, if there is one."""
        self.fetched.append(name)
        if name in self.without:
            return None
        if name in ("device.js", "model.js"):
            return _DEVICE.replace("FIRST", json.dumps(self.first)).encode()
        file = self.files / (name or "index.html")
        return file.read_bytes() if file.is_file() else None

    def stop(self) -> None:
        """End: the page has no network from then on."""
        if self._is_up:
            self._is_up = False
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(10)


class Scripted:
    """The page in a phone's browser, over a device that says what the test says."""

    def __init__(self, context: BrowserContext, site: Site) -> None:
        context.add_init_script(WATCH)
        self.site = site
        self.page: Page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, fragment: str = "") -> "Scripted":
        """Open the page, and wait until it shows something."""
        self.page.goto(self.site.url + fragment)
        self.page.locator(".view").wait_for()
        return self

    def says(self, status: dict[str, Any]) -> None:
        """Let the device say how it is."""
        self.page.evaluate("(status) => scripted.postMessage(status)", status)

    def asked(self, kind: str) -> list[dict[str, Any]]:
        """Return what the device was asked of that kind, the first first."""
        found: list[dict[str, Any]] = self.page.evaluate("(kind) => asks.filter((ask) => ask.type === kind)", kind)
        return found

    @property
    def refusals(self) -> list[str]:
        """What the page's policy refused."""
        found: list[str] = self.page.evaluate("refusals")
        return found


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/phone/").partition("?")[0]
            body = site.body(name)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", _TYPES.get(Path(name or "index.html").suffix, "text/plain"))
            for header, value in HEADERS.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
