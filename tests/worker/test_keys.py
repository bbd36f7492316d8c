"""A device's keys: made once, kept for this user alone, never shown."""

import logging
import subprocess
import sys
import threading

import pytest

from broker_config import base64url
from starai.errors import SettingError
from worker.keys import DeviceKeys, begin_rotation, finish_rotation, keys_file, load_keys, load_or_make_keys, new_keys

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps access in lists, not in a mode")


def publics(keys: DeviceKeys) -> tuple[bytes, bytes]:
    return keys.public_signing, keys.public_sealing


def secrets_of(keys: DeviceKeys) -> list[str]:
    raw = [keys.signing.private_bytes_raw(), keys.sealing.private_bytes_raw()]
    return [text for key in raw for text in (base64url.encode(key), key.hex(), repr(key))]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "home" / "keys.json"


def test_keys_are_made_once(file):
    made = load_or_make_keys(file)

    assert publics(load_or_make_keys(file)) == publics(load_keys(file)) == publics(made)


def test_they_are_kept_in_the_devices_home(tmp_path):
    assert keys_file() == tmp_path / "home" / "keys.json"


def test_devices_differ():
    assert not set(publics(new_keys())) & set(publics(new_keys()))


@posix
def test_only_this_user_may_read_them(file):
    load_or_make_keys(file)
    begin_rotation(file)

    assert {path.stat().st_mode & 0o777 for path in file.parent.iterdir()} == {0o600}
    assert file.parent.stat().st_mode & 0o777 == 0o700


@posix
def test_keys_that_others_may_read_are_refused(file):
    load_or_make_keys(file)
    file.chmod(0o644)

    with pytest.raises(SettingError, match=r"may be read by others.*chmod 600"):
        load_keys(file)


def test_threads_that_make_them_at_once_get_the_same(file):
    found: list[tuple[bytes, bytes]] = []
    threads = [threading.Thread(target=lambda: found.append(publics(load_or_make_keys(file)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(found) == 8
    assert len(set(found)) == 1


@pytest.mark.process
def test_processes_that_make_them_at_once_get_the_same(file):
    imports = "import sys, pathlib; from worker.keys import load_or_make_keys"
    code = "print(load_or_make_keys(pathlib.Path(sys.argv[1])).public_signing)"
    command = [sys.executable, "-c", f"{imports}; {code}", str(file)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]

    assert len({process.communicate(timeout=60)[0] for process in running}) == 1
    assert [process.returncode for process in running] == [0] * 3


def test_they_are_never_shown(file, caplog):
    keys = load_or_make_keys(file)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("keys", extra={"keys": keys})

    shown = f"{keys!r} {keys} {[keys]} {vars(caplog.records[0])}"
    assert not any(secret in shown for secret in secrets_of(keys))


WRONG = {
    "empty": b"",
    "not JSON": b"{",
    "a list": b"[]",
    "no sealing key": b'{"signing": "' + b"A" * 43 + b'"}',
    "a short key": b'{"signing": "AAAA", "sealing": "AAAA"}',
    "a number": b'{"signing": 1, "sealing": 2}',
    "not UTF-8": b"\xff\xfe\xff",
    "nested too deeply": b"[" * 100_000,
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG.keys())
def test_a_file_that_holds_none_is_an_error_that_shows_nothing_of_it(file, content):
    load_or_make_keys(file)
    file.write_bytes(content)

    with pytest.raises(SettingError, match="does not hold a device's keys") as caught:
        load_or_make_keys(file)
    assert caught.value.__context__ is None


def test_no_file_means_that_the_device_has_none(file):
    with pytest.raises(SettingError, match="has no keys"):
        load_keys(file)


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(SettingError, match="cannot be written"):
        load_or_make_keys(tmp_path / "file" / "keys.json")


def test_both_pairs_are_kept_until_the_rotation_is_finished(file):
    old = load_or_make_keys(file)
    new = begin_rotation(file)

    assert publics(load_keys(file)) == publics(old) != publics(new)
    assert publics(begin_rotation(file)) == publics(new)
    assert publics(finish_rotation(file)) == publics(load_keys(file)) == publics(new)


def test_the_next_rotation_brings_other_keys(file):
    load_or_make_keys(file)
    first = begin_rotation(file)
    finish_rotation(file)

    assert publics(begin_rotation(file)) != publics(first)


def test_a_rotation_that_was_not_begun_cannot_be_finished(file):
    load_or_make_keys(file)

    with pytest.raises(SettingError, match="next-keys"):
        finish_rotation(file)
