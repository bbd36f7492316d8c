"""The project's home folder and its private files."""

import stat
import sys
import threading
from pathlib import Path

import pytest

from broker_config.home import home, private_folder, write_private

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_home_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("STARAI_HOME", str(tmp_path / "here"))

    assert home() == tmp_path / "here"


def test_without_a_word_the_home_is_the_users_data_folder(monkeypatch):
    monkeypatch.delenv("STARAI_HOME")

    assert home().is_absolute()
    assert home().name == "starai"


@posix
def test_a_folder_and_those_above_it_are_their_owners_alone(tmp_path):
    private_folder(tmp_path / "a" / "b")

    assert mode(tmp_path / "a") == mode(tmp_path / "a" / "b") == 0o700


@posix
def test_a_private_file_stays_private_when_it_is_written_again(tmp_path):
    file = tmp_path / "new" / "secret.json"
    file.parent.mkdir()
    file.write_text("before")
    file.chmod(0o644)

    write_private(file, "after")

    assert (file.read_text(), mode(file)) == ("after", 0o600)
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_could_not_be_written_leaves_nothing_beside_it(tmp_path):
    (tmp_path / "in_the_way").mkdir()

    with pytest.raises(OSError, match="in_the_way"):
        write_private(tmp_path / "in_the_way", "text")

    assert list(tmp_path.iterdir()) == [tmp_path / "in_the_way"]


def test_a_file_that_many_write_at_once_is_whole_at_any_moment(tmp_path):
    file = tmp_path / "state.json"
    texts = {str(number) * 50_000 for number in range(8)}
    seen: set[str] = set()
    write_private(file, "0" * 50_000)
    writers = [threading.Thread(target=write_private, args=(file, text)) for text in texts]

    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        seen.add(file.read_text())

    assert {*seen, file.read_text()} <= texts
    assert list(tmp_path.glob(".state*")) == []
