"""Room for one model more: what goes, what stays, what is said when there is none."""

import os
import shutil
from types import SimpleNamespace

import pytest

from models.room import Room, Stored, to_remove
from models.store import ModelStore
from starai.errors import ModelUnavailable
from tests.models.sources.conftest import FILES, an_entry

GB = 10**9
SIZE = sum(map(len, FILES.values()))


def room(*stored, lent=None, free=100 * GB):
    return Room(lent, free, stored, "/models")


OLD, NEW, KEPT = Stored("old", 4 * GB, 1), Stored("new", 4 * GB, 2), Stored("kept", 4 * GB, 0, is_kept=True)


def test_where_there_is_room_nothing_goes():
    assert to_remove(room(OLD, NEW, KEPT), "wanted", 4 * GB, 4 * GB) == []


def test_what_was_not_used_for_longest_goes_first():
    assert to_remove(room(NEW, OLD, KEPT, lent=14 * GB), "wanted", 4 * GB, 4 * GB) == ["old"]
    assert to_remove(room(NEW, OLD, KEPT, lent=8 * GB), "wanted", 4 * GB, 4 * GB) == ["old", "new"]


def test_what_is_hosted_or_in_use_never_goes_and_the_error_has_the_figures():
    with pytest.raises(ModelUnavailable, match=r"takes 4\.00 GB, and of the 7\.00 GB .* 4\.00 GB are taken"):
        to_remove(room(NEW, OLD, KEPT, lent=7 * GB), "wanted", 4 * GB, 4 * GB)


def test_a_disk_that_is_full_is_told_with_what_is_needed_and_what_is_free():
    with pytest.raises(ModelUnavailable, match=r"4\.00 GB are needed in /models, and 3\.00 GB are free"):
        to_remove(room(lent=100 * GB, free=3 * GB), "wanted", 8 * GB, 4 * GB)


def test_without_a_word_of_the_owner_half_of_what_is_free_is_lent_whatever_is_there():
    assert room(free=20 * GB).most == room(OLD, NEW, free=12 * GB).most == 10 * GB


@pytest.fixture
def others(store):
    """Two models that were used long ago."""
    for age, name in enumerate(("first", "second")):
        (store.folder / name).mkdir(parents=True)
        (store.folder / name / "weights").write_bytes(b"x" * SIZE)
        os.utime(store.folder / name, (age, age))
    return store


def lent(store, count, hosted=()):
    return ModelStore(store.folder, lent=count * SIZE, hosted=hosted)


def test_the_store_removes_what_was_not_used_for_longest(others, entry):
    lent(others, 2).ensure(entry)
    assert others.names() == ["second", "test-model"]


def test_the_store_removes_nothing_that_is_hosted(others, entry):
    lent(others, 2, hosted=["first"]).ensure(entry)
    assert others.names() == ["first", "test-model"]


def test_the_store_removes_nothing_that_is_in_use(others, entry):
    with others.using(an_entry({"type": "http", "url": "http://x"}).model_copy(update={"name": "first"})):
        lent(others, 2).ensure(entry)
    assert others.names() == ["first", "test-model"]


def test_where_removing_all_would_not_suffice_nothing_goes_and_nothing_is_fetched(others, entry, web):
    with pytest.raises(ModelUnavailable, match="Lend more"):
        ModelStore(others.folder, lent=SIZE - 1).ensure(entry)
    assert others.names() == ["first", "second"]
    assert web.asked == []


def test_a_use_is_noted(others, entry):
    others.ensure(entry)
    os.utime(others.folder / "test-model", (5, 5))
    with others.using(entry):
        pass
    assert {one.name: one.last_used > 5 for one in others.room().stored}["test-model"]


def test_a_full_disk_is_found_before_anything_is_fetched(store, entry, web, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(ModelUnavailable, match=r"1\.0 MB are needed in .*, and 0\.0 MB are free"):
        store.ensure(entry)
    assert web.asked == []
