"""The store against real pip and real wheels: small ones that the tests make, in a folder or behind a small server."""

import hashlib
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from models.entry import CatalogueEntry
from models.store import ModelStore
from starai.errors import ModelCorrupt, ModelUnavailable

pytestmark = pytest.mark.process

WHEEL = "starai_test_model-1.0-py3-none-any.whl"
#: What is in the store once it has the model.
LEFT = [".test-model.lock", ".test-model.verified", "test-model"]
FILES = {"weights.bin": bytes(range(256)) * 4000, "part/config.json": b'{"layers": 1}'}


def known(path: str, content: bytes) -> dict[str, object]:
    return {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the model's wheel, the only place where pip looks. The wheel needs a package that nobody has."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        metadata = "Metadata-Version: 2.1\nName: starai-test-model\nVersion: 1.0\nRequires-Dist: starai-no-such-thing\n"
        wheel.writestr("starai_test_model-1.0.dist-info/METADATA", metadata)
        wheel.writestr("starai_test_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("starai_test_model-1.0.dist-info/RECORD", "")
        wheel.writestr("starai_test_model/other.bin", b"not wanted")
        for path, content in FILES.items():
            wheel.writestr(f"starai_test_model/{path}", content)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null" if sys.platform != "win32" else "nul")
    return folder


@pytest.fixture
def entry(shelf: Path) -> CatalogueEntry:
    return CatalogueEntry.model_validate(
        {
            "name": "test-model",
            "kind": "embed",
            "parameters": 1,
            "weight_bytes": 1,
            "licence": "MIT",
            "files": [known(path, content) for path, content in FILES.items()],
            "source": {
                "type": "pypi",
                "package": "starai-test-model",
                "version": "1.0",
                "folder": "starai_test_model",
                "wheel": known(WHEEL, (shelf / WHEEL).read_bytes()),
            },
        }
    )


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "store")


@pytest.fixture
def in_process(entry: CatalogueEntry, store: ModelStore) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start processes that ensure the model as a device would, and log to standard error."""
    code = (
        "import sys; from pathlib import Path; from broker_config.logs import log_to_stderr; log_to_stderr()\n"
        "from models.entry import CatalogueEntry; from models.store import ModelStore\n"
        "print(ModelStore(Path(sys.argv[1])).ensure(CatalogueEntry.model_validate_json(sys.argv[2])))"
    )
    command = [sys.executable, "-c", code, str(store.folder), entry.model_dump_json()]
    started: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_model_that_is_absent_is_fetched_and_only_its_files_are_kept(store: ModelStore, entry: CatalogueEntry):
    folder = store.ensure(entry)
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found == FILES


def test_a_model_that_is_there_needs_no_source(store: ModelStore, entry: CatalogueEntry, shelf: Path):
    first = store.ensure(entry)
    (shelf / WHEEL).unlink()
    assert store.ensure(entry) == first


def test_nothing_but_the_model_is_left_in_the_store(store: ModelStore, entry: CatalogueEntry):
    store.ensure(entry)
    assert sorted(path.name for path in store.folder.iterdir()) == LEFT


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_files_and_folders_are_their_owners_alone(store: ModelStore, entry: CatalogueEntry):
    folder = store.ensure(entry)
    for path in (store.folder, folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("name", FILES)
def test_a_corrupt_model_is_fetched_anew_where_it_is_to_be_repaired(
    store: ModelStore, entry: CatalogueEntry, name: str
):
    folder = store.ensure(entry)
    (folder / name).write_bytes(b"junk")
    assert store.repair(entry) == folder
    assert (folder / name).read_bytes() == FILES[name]


def test_a_sound_model_is_not_fetched_anew(store: ModelStore, entry: CatalogueEntry, shelf: Path):
    store.ensure(entry)
    (shelf / WHEEL).unlink()
    assert store.repair(entry).is_dir()


def test_a_corrupt_model_whose_source_is_gone_is_unavailable(store: ModelStore, entry: CatalogueEntry, shelf: Path):
    (store.ensure(entry) / "weights.bin").unlink()
    (shelf / WHEEL).unlink()
    with pytest.raises(ModelUnavailable):
        store.repair(entry)


def test_the_store_is_in_the_projects_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STARAI_HOME", str(tmp_path / "elsewhere"))
    assert ModelStore().folder == tmp_path / "elsewhere" / "models"


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def alter(file: Path) -> None:
    file.write_bytes(b"\xff" + file.read_bytes()[1:])


@pytest.mark.parametrize("harm", [truncate, alter, Path.unlink])
def test_a_file_that_is_not_what_it_was_is_refused(
    store: ModelStore, entry: CatalogueEntry, harm: Callable[[Path], None]
):
    folder = store.ensure(entry)
    harm(folder / "weights.bin")
    with pytest.raises(ModelCorrupt, match=r"weights\.bin .* Delete the folder .*test-model"):
        store.ensure(entry)


def test_a_refused_model_is_fetched_anew_after_its_folder_was_deleted(store: ModelStore, entry: CatalogueEntry):
    folder = store.ensure(entry)
    truncate(folder / "weights.bin")
    folder.rename(folder.with_name("deleted"))
    assert (store.ensure(entry) / "weights.bin").read_bytes() == FILES["weights.bin"]


@pytest.mark.parametrize("harm", [truncate, alter])
def test_another_package_under_the_same_name_is_not_kept(
    store: ModelStore, entry: CatalogueEntry, shelf: Path, harm: Callable[[Path], None]
):
    harm(shelf / WHEEL)
    with pytest.raises((ModelCorrupt, ModelUnavailable)):  # pip itself refuses a file that is no archive
        store.ensure(entry)
    assert [path.name for path in store.folder.iterdir()] == [".test-model.lock"]


def test_a_sound_package_with_another_content_is_refused(store: ModelStore, entry: CatalogueEntry, shelf: Path):
    with zipfile.ZipFile(shelf / WHEEL, "a") as wheel:
        wheel.writestr("starai_test_model/surprise.py", "")
    with pytest.raises(ModelCorrupt, match="the file that pip fetched"):
        store.ensure(entry)


def test_without_a_source_the_reason_is_pips(store: ModelStore, entry: CatalogueEntry, shelf: Path):
    (shelf / WHEEL).unlink()
    with pytest.raises(
        ModelUnavailable, match=r"No matching distribution found for starai-test-model==1\.0\. Is there"
    ):
        store.ensure(entry)
    assert [path.name for path in store.folder.iterdir()] == [".test-model.lock"]


def test_a_store_that_cannot_be_written_to_says_what_to_do(tmp_path: Path, entry: CatalogueEntry):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelUnavailable, match="set STARAI_HOME"):
        ModelStore(tmp_path / "file").ensure(entry)


def test_processes_that_ask_at_once_fetch_once(in_process: Callable[[], "subprocess.Popen[str]"]):
    outputs = [process.communicate() for process in [in_process() for _ in range(3)]]
    assert len({out for out, _ in outputs}) == 1
    assert sum(err.count("model.fetched") for _, err in outputs) == 1


@pytest.fixture
def stalled(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A package index that gives half the wheel and then nothing more; the event tells that it got that far."""
    content = (shelf / WHEEL).read_bytes()
    reached, closing = threading.Event(), threading.Event()

    class Index(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = f'<a href="/{WHEEL}">{WHEEL}</a>'.encode()
            body = content if self.path.endswith(".whl") else page
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream" if body is content else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if body is content:
                self.wfile.write(body[: len(body) // 2])
                reached.set()
                closing.wait(60)
            else:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with monkeypatch.context() as patch:
            patch.delenv("PIP_NO_INDEX")
            patch.delenv("PIP_FIND_LINKS")
            patch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
            yield reached
        closing.set()
        server.shutdown()


def test_a_fetch_that_was_killed_leaves_nothing_half_made(
    stalled: threading.Event,
    in_process: Callable[[], "subprocess.Popen[str]"],
    store: ModelStore,
    entry: CatalogueEntry,
    shelf: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    fetching = in_process()
    assert stalled.wait(30)
    pip = psutil.Process(fetching.pid).children(recursive=True)
    for process in (psutil.Process(fetching.pid), *pip):
        process.kill()
    fetching.wait()
    assert not (store.folder / "test-model").exists()
    assert list((store.folder / ".test-model.fetch").iterdir())

    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    store.ensure(entry)
    assert sorted(path.name for path in store.folder.iterdir()) == LEFT
