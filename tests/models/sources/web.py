"""A web server with a folder, and a Hugging Face hub of one repository; both may do whatever servers do wrong."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "5c0ffee" + "0" * 33
REPOSITORY = "someone/small-onnx"


@dataclass(frozen=True)
class Fault:
    """What one answer has that is wrong.

    Attributes:
        status: in place of 200, with these headers.
        cut: bytes after which the connection ends.
        stalls: nothing more comes after ``cut`` bytes, until the server ends.
        altered: the first byte is another one.
        whole: a range that is asked for is not minded.
    """

    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    cut: int | None = None
    stalls: bool = False
    altered: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    path: str
    range: str | None
    if_range: str | None
    authorization: str | None


@dataclass
class Web:
    """What is served, and what was asked for.

    Attributes:
        folder: what lies under ``/`` and, for the hub, in its repository.
        faults: for a file's path, those of the next answers, in order.
        token: what the hub wants to be shown.
        reached: set when a connection stalls.
    """

    folder: Path
    port: int = 0
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    token: str | None = None
    lfs: frozenset[str] = frozenset({"model.onnx", "cpu/model.onnx.data"})
    reached: threading.Event = field(default_factory=threading.Event)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def bytes_sent_for(self, path: str) -> list[str | None]:
        """Return the ranges in which a file was asked for."""
        return [one.range for one in self.asked if one.path.endswith(f"/{path}")]

    def fault(self, path: str) -> Fault:
        planned = next((faults for end, faults in self.faults.items() if path.endswith(f"/{end}")), [])
        return planned.pop(0) if planned else Fault()

    def listing(self) -> bytes:
        """Return what the hub says of its repository."""
        siblings = []
        for path in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            name, content = path.relative_to(self.folder).as_posix(), path.read_bytes()
            sibling: dict[str, object] = {"rfilename": name, "size": len(content)}
            blob = b"blob %d\0" % len(content) + content
            sibling["blobId"] = hashlib.sha1(blob, usedforsecurity=False).hexdigest()
            if name in self.lfs:
                sha = hashlib.sha256(content).hexdigest()
                sibling["lfs"] = {"sha256": sha, "size": len(content), "pointerSize": 130}
            siblings.append(sibling)
        return json.dumps({"id": REPOSITORY, "sha": COMMIT, "siblings": siblings}).encode()


@contextmanager
def serving(folder: Path) -> Iterator[Web]:
    """Serve a folder on a loopback address."""
    web = Web(folder)
    handler = type("Bound", (_Handler,), {"web": web})
    with _Server(("127.0.0.1", 0), handler) as server:
        web.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield web
        web.closing.set()
        server.shutdown()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    web: Web

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        get = self.headers.get
        self.web.asked.append(Asked(path, get("range"), get("if-range"), get("authorization")))
        fault = self.web.fault(path)
        if fault.status:
            self._answer(fault.status, b"{}", dict(fault.headers))
        elif path.startswith(("/api/", f"/{REPOSITORY}/")) and not self._may_enter():
            self._answer(401, b"{}", {"X-Error-Code": "GatedRepo"})
        elif path == f"/api/models/{REPOSITORY}/revision/main":
            self._answer(200, self.web.listing(), {"Content-Type": "application/json"})
        elif path.startswith(prefix := f"/{REPOSITORY}/resolve/{COMMIT}/"):
            # As the hub does: the content is at another host, where the token has no business.
            there = f"http://localhost:{self.web.port}/{path.removeprefix(prefix)}"
            self._answer(302, b"", {"Location": there})
        else:
            self._file(self.web.folder / path.lstrip("/"), fault)

    def _may_enter(self) -> bool:
        return self.web.token is None or self.headers.get("authorization") == f"Bearer {self.web.token}"

    def _file(self, file: Path, fault: Fault) -> None:
        if not file.is_file():
            self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        content = file.read_bytes()
        if fault.altered:
            content = bytes([content[0] ^ 1]) + content[1:]
        etag = f'"{hashlib.sha256(file.read_bytes()).hexdigest()}"'
        begin = self._begin(etag, fault)
        if begin >= len(content):
            self._answer(416, b"", {})
            return
        headers = {"ETag": etag}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        self._answer(206 if begin else 200, content[begin:], headers, fault)

    def _begin(self, etag: str, fault: Fault) -> int:
        asked, condition = self.headers.get("range"), self.headers.get("if-range")
        if asked is None or fault.whole or condition not in (None, etag):
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def _answer(self, status: int, body: bytes, headers: dict[str, str], fault: Fault | None = None) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        cut = fault.cut if fault else None
        self.wfile.write(body if cut is None else body[:cut])
        self.wfile.flush()
        if fault and fault.stalls:
            self.web.reached.set()
            self.web.closing.wait(60)
        if cut is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass
