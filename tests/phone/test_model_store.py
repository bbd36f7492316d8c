"""A phone's models: downloads that are cut off, go wrong or find no room, in a real browser's storage."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bench.browser.site import site
from models.catalogue import Catalogue
from models.store import ModelStore
from ops.phone.assets import Asset
from tests.phone.model_page import MIB, SMALL, WEIGHTS, Cut, Line, ModelPage, small_model

pytestmark = pytest.mark.process

ENSURE = f"await store.ensure('{SMALL}', () => {{}});"


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def page(assets: Mapping[str, Asset], browser: Browser, tmp_path: Path, line: Line) -> Iterator[ModelPage]:
    """A page in a browser that has no models yet."""
    model = small_model(tmp_path / "source")
    with site(assets, ModelStore(tmp_path / "models"), Catalogue((model,)), line) as url:
        page = ModelPage(browser, url)
        yield page
        page.close()


def pieces(page: ModelPage) -> int:
    """How many pieces of files are in the browser's storage."""
    return int(page.do("return (await inStorage('readonly', (pieces) => pieces.count()))"))


def is_stored(page: ModelPage) -> bool:
    return bool(page.do("return store.has(given)", SMALL))


def test_a_model_that_was_fetched_is_whole_and_is_not_fetched_again(page: ModelPage, line: Line):
    assert not is_stored(page)
    assert page.fault(ENSURE + ENSURE) == ""
    assert is_stored(page)
    assert line.asked == [""]


def test_progress_is_told_in_bytes_of_the_whole_model(page: ModelPage):
    told = page.do("const told = []; await store.ensure(given, (progress) => told.push(progress)); return told", SMALL)
    [kept] = page.do("return store.list()")
    assert kept["bytes"] == kept["total"] > len(WEIGHTS)
    assert {one["total"] for one in told} == {kept["total"]}
    assert told[-1]["done"] == kept["total"]
    assert [one["done"] for one in told] == sorted(one["done"] for one in told)


def test_a_download_that_is_cut_off_goes_on_where_it_was(page: ModelPage, line: Line, until: Callable[..., None]):
    first, second = line.cuts = [Cut(2 * MIB + 5000), Cut(MIB + 5000)]
    begin(page)
    for cut, whole in ((first, 2), (second, 3)):
        until(lambda whole=whole: came(page) > whole * MIB, 60)
        cut.is_due = True
    assert page.do("return fetching") == ""
    assert line.asked == ["", f"bytes={2 * MIB}-", f"bytes={3 * MIB}-"]


def test_a_download_goes_on_where_it_was_after_the_page_was_closed(
    page: ModelPage, line: Line, until: Callable[..., None]
):
    line.cuts = [Cut(2 * MIB + 5000)]
    begin(page)
    until(lambda: came(page) > 2 * MIB, 60)
    page.page.reload()
    assert not is_stored(page)
    assert page.fault(ENSURE) == ""
    assert line.asked == ["", f"bytes={2 * MIB}-"]


def test_a_download_that_is_stopped_keeps_what_came(page: ModelPage, line: Line, until: Callable[..., None]):
    line.cuts = [Cut(2 * MIB + 5000)]
    begin(page)
    until(lambda: came(page) > 2 * MIB, 60)
    assert page.do("stop.abort(); return fetching").startswith("Cancelled: ")
    assert page.fault(ENSURE) == ""
    assert line.asked == ["", f"bytes={2 * MIB}-"]


def begin(page: ModelPage) -> None:
    """Begin to fetch the model."""
    page.do("globalThis.stop = new AbortController();")
    page.do("globalThis.fetching = faultOf(store.ensure(given, () => {}, stop.signal)); return null", SMALL)


def came(page: ModelPage) -> int:
    """How many bytes of the model are kept."""
    return int(page.do("return (await store.list())[0]?.bytes ?? 0"))


def test_a_download_that_brings_nothing_again_and_again_ends(page: ModelPage, line: Line):
    line.cuts = [Cut(5000, is_due=True) for _ in range(4)]
    assert "the connection was lost" in page.fault(ENSURE)
    assert page.fault(ENSURE) == ""


def test_a_file_that_came_altered_is_fetched_once_more(page: ModelPage, line: Line):
    line.altered = 1
    assert page.fault(ENSURE) == ""
    assert line.asked == ["", ""]


def test_a_file_that_comes_altered_twice_is_refused_and_not_kept(page: ModelPage, line: Line):
    line.altered = 2
    begins = f"ModelCorrupt: The model {SMALL} is not what it has to be: its file model.safetensors has the SHA-256"
    assert page.fault(ENSURE).startswith(begins)
    assert not is_stored(page)
    assert page.fault(ENSURE) == ""


def test_a_file_that_was_altered_in_the_storage_is_found_when_it_is_loaded_and_fetched_anew(
    page: ModelPage, line: Line
):
    page.do(f"globalThis.model = await store.ensure('{SMALL}', () => {{}})")
    page.do("await inStorage('readwrite', (pieces) => pieces.put(new Uint8Array(2 ** 20), [given, 1]))", sha(page))
    assert page.fault("await openHost(model, 1)").startswith("ModelCorrupt: ")
    assert page.fault(ENSURE) == ""
    assert line.asked == ["", ""]
    assert page.fault("await openHost(model, 1)").startswith("ModelError: ")  # nothing can load this one


def sha(page: ModelPage) -> str:
    files = page.do("return (await store.manifest(given)).files", SMALL)
    return next(str(file["sha256"]) for file in files if file["path"] == "model.safetensors")


def test_a_piece_that_the_browser_lost_is_fetched_again(page: ModelPage, line: Line):
    page.do(ENSURE)
    page.do("await inStorage('readwrite', (pieces) => pieces.delete([given, 1]))", sha(page))
    assert not is_stored(page)
    assert page.fault(ENSURE) == ""
    assert is_stored(page)


def test_a_model_that_is_removed_leaves_nothing(page: ModelPage):
    page.do(ENSURE)
    assert pieces(page) == 9
    page.do("await store.remove(given)", SMALL)
    assert (pieces(page), page.do("return store.list()")) == (0, [])


def test_all_models_can_be_removed(page: ModelPage):
    page.do(ENSURE + "await store.removeAll()")
    assert (pieces(page), page.do("return store.list()")) == (0, [])


def test_a_model_for_which_the_browser_says_that_there_is_no_room_is_not_begun(page: ModelPage, line: Line):
    page.do("navigator.storage.estimate = async () => ({quota: 3e6, usage: 1e6})")
    assert page.fault(ENSURE).startswith(f"ModelError: There is no room for the model {SMALL}: 4 MB more are needed")
    assert line.asked == []


def test_a_storage_that_fills_up_on_the_way_is_told_in_plain_words(page: ModelPage):
    session = page.page.context.new_cdp_session(page.page)
    room = {"origin": page.page.evaluate("origin"), "quotaSize": 2 * MIB}
    session.send("Storage.overrideQuotaForOrigin", room)
    assert re.match(rf"ModelError: There is no room for the model {SMALL}: \d MB more are needed", page.fault(ENSURE))


def test_a_model_that_is_whole_is_there_while_the_server_is_not(page: ModelPage):
    page.do(ENSURE)
    page.page.context.set_offline(True)
    assert page.fault(ENSURE) == ""
    assert page.fault("await store.ensure('another', () => {})").startswith(
        "ModelError: The model another could not be"
    )


def test_a_model_that_the_server_does_not_have_for_phones_is_refused(page: ModelPage):
    fault = page.fault("await store.ensure('tiny-llama', () => {})")
    assert fault == (
        "ModelError: The model tiny-llama could not be fetched: the server answers 404. "
        "The server does not have it for phones."
    )


def test_a_server_that_still_fetches_the_model_is_asked_again(page: ModelPage, line: Line, tmp_path: Path):
    line.busy = 1
    assert page.fault(ENSURE) == ""
    assert line.busy == 0


def test_two_pages_that_want_a_model_fetch_it_once(page: ModelPage, line: Line):
    both = "[store, new ModelStore()].map((one) => one.ensure(given, () => {}))"
    page.do(f"await Promise.all({both})", SMALL)
    assert line.asked == [""]
