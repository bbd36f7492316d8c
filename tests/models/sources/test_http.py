"""Models from a web server that does what servers do."""

import pytest
from pydantic import ValidationError

from models.sources import patience
from starai.errors import ModelCorrupt, ModelUnavailable
from tests.models.sources.conftest import FILES, WEIGHTS, an_entry, content
from tests.models.sources.web import Fault

BIG = "model.onnx.data"
HALF = len(WEIGHTS) // 2


def test_a_model_is_fetched_whole_and_nothing_else_is_left(store, entry):
    assert content(store.ensure(entry)) == FILES
    assert sorted(path.name for path in store.folder.iterdir()) == [
        ".test-model.lock",
        ".test-model.verified",
        "test-model",
    ]


def test_files_and_folders_are_their_owners_alone(store, entry):
    folder = store.ensure(entry)
    assert all(path.stat().st_mode & 0o077 == 0 for path in (folder, *folder.rglob("*")))


def test_a_file_that_was_cut_off_is_gone_on_with_where_it_was(store, entry, web):
    web.faults[BIG] = [Fault(cut=HALF), Fault(cut=HALF // 2)]

    assert content(store.ensure(entry)) == FILES

    assert web.bytes_sent_for(BIG) == [None, f"bytes={HALF}-", f"bytes={HALF + HALF // 2}-"]
    assert web.asked[-1].if_range


def test_a_file_that_never_comes_whole_is_kept_for_the_next_try(store, entry, web):
    web.faults[BIG] = [Fault(cut=HALF)] + [Fault(status=503)] * patience.TRIES
    with pytest.raises(ModelUnavailable, match="has a failure of its own"):
        store.ensure(entry)
    assert store.names() == []

    web.asked.clear()
    assert content(store.ensure(entry)) == FILES
    assert [one.path for one in web.asked] == [f"/{BIG}"]
    assert web.bytes_sent_for(BIG) == [f"bytes={HALF}-"]


def test_a_server_that_minds_no_range_is_taken_from_the_beginning(store, entry, web):
    web.faults[BIG] = [Fault(cut=HALF), Fault(whole=True)]
    assert content(store.ensure(entry)) == FILES


def test_a_file_that_became_another_one_meanwhile_is_taken_from_the_beginning(store, entry, web, folder):
    web.faults[BIG] = [Fault(cut=HALF)]
    (folder / BIG).write_bytes(b"before" + WEIGHTS)
    entry = entry.model_copy(update={"files": an_entry({"type": "http", "url": web.url}, FILES).files})

    def change(done, _total):
        if done > HALF and (folder / BIG).stat().st_size != len(WEIGHTS):
            (folder / BIG).write_bytes(WEIGHTS)

    assert content(store.ensure(entry, change)) == FILES


def test_a_server_that_says_nothing_more_is_asked_again(store, entry, web, monkeypatch):
    monkeypatch.setattr("models.sources.download.PATIENCE", 0.3)
    web.faults[BIG] = [Fault(cut=HALF, stalls=True)]

    assert content(store.ensure(entry)) == FILES
    assert web.bytes_sent_for(BIG) == [None, f"bytes={HALF}-"]


def test_a_corrupt_file_is_fetched_once_more(store, entry, web):
    web.faults[BIG] = [Fault(altered=True)]

    assert content(store.ensure(entry)) == FILES
    assert web.bytes_sent_for(BIG) == [None, None]


def test_a_file_that_is_corrupt_twice_is_refused(store, entry, web):
    web.faults[BIG] = [Fault(altered=True)] * 2

    with pytest.raises(ModelCorrupt, match=r"model\.onnx\.data, as it came from its source, has the SHA-256"):
        store.ensure(entry)
    assert store.names() == []
    assert len(web.bytes_sent_for(BIG)) == 2


@pytest.mark.parametrize("size", [10, 3 * len(WEIGHTS)])
def test_a_file_of_another_size_is_refused(store, entry, web, folder, size):
    (folder / BIG).write_bytes(b"x" * size)
    with pytest.raises((ModelCorrupt, ModelUnavailable)):
        store.ensure(entry)
    assert store.names() == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_failure_that_passes_is_waited_for(store, entry, web, status):
    web.faults[BIG] = [Fault(status=status, headers=(("Retry-After", "0"),))] * 2
    assert content(store.ensure(entry)) == FILES


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, r"does not let you in \(401\)\. Look whether http"),
        (403, r"does not let you in \(403\)"),
        (404, r"has no such file \(404\)\. Look whether the address"),
        (418, "answered with 418"),
    ],
)
def test_a_refusal_is_told_at_once_with_what_to_do(store, entry, web, status, said):
    web.faults["genai_config.json"] = [Fault(status=status)] * 9
    with pytest.raises(ModelUnavailable, match=said):
        store.ensure(entry)
    assert len(web.asked) == 1


@pytest.mark.parametrize(("status", "said"), [(429, "asked too often"), (503, "failure of its own")])
def test_a_failure_that_does_not_pass_is_told_after_some_tries(store, entry, web, status, said):
    web.faults["genai_config.json"] = [Fault(status=status)] * 99
    with pytest.raises(ModelUnavailable, match=said):
        store.ensure(entry)
    assert len(web.asked) == patience.TRIES


def test_a_server_that_is_not_there_is_told_of(store):
    entry = an_entry({"type": "http", "url": "http://127.0.0.1:9/models"}, FILES)
    with pytest.raises(ModelUnavailable, match=r"127\.0\.0\.1:9 could not be reached.* Is there a network"):
        store.ensure(entry)


def test_a_web_server_lists_nothing_so_that_the_entry_has_to_name_the_files(store, web):
    with pytest.raises(ModelUnavailable, match=r"Name them in models\.toml"):
        store.ensure(an_entry({"type": "http", "url": web.url}))


@pytest.mark.parametrize("url", ["ftp://host/x", "host/x", "https://ann:secret@host/x", "https://host/x?signed=1"])
def test_an_address_is_of_a_folder_and_holds_no_secret(url):
    with pytest.raises(ValidationError, match="the address must"):
        an_entry({"type": "http", "url": url})


def test_progress_begins_with_what_is_here_and_ends_with_all_of_it(store, entry, web):
    web.faults[BIG] = [Fault(cut=HALF)] + [Fault(status=503)] * patience.TRIES
    with pytest.raises(ModelUnavailable):
        store.ensure(entry)
    seen = []

    store.ensure(entry, lambda done, total: seen.append((done, total)))

    total = sum(map(len, FILES.values()))
    assert seen[0] == (total - len(WEIGHTS) + HALF, total)
    assert seen[-1] == (total, total)
