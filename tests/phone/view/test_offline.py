"""The page as an app: it opens without a network, takes updates, and is small."""

import gzip
import json

import pytest
from playwright.sync_api import expect

from tests.phone.view.scripted import BUILT, SERVING

pytestmark = pytest.mark.process

CACHED = """
async () => {
  const names = await caches.keys();
  const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
  return requests.flat().map((request) => new URL(request.url).pathname).sort();
}
"""
OWN = ["", "device.js", "icon.svg", "manifest.webmanifest", "model.js", "page.js", "style.css"]


@pytest.fixture
def kept(new_phone, until):
    """A phone that has opened the page once, whose service worker has kept it, and which opens it anew."""
    phone = new_phone(SERVING).open()
    until(lambda: phone.page.evaluate("navigator.serviceWorker.ready.then(() => true)"))
    until(lambda: len(phone.page.evaluate(CACHED)) == len(OWN))
    return phone


def test_the_page_opens_without_a_network(kept) -> None:
    kept.site.stop()

    kept.page.reload()

    expect(kept.page.get_by_role("switch", name="Serve tasks")).to_be_visible()
    assert kept.page.evaluate("crossOriginIsolated")
    assert kept.page.evaluate("getComputedStyle(document.querySelector('.card')).borderRadius") == "20px"


def test_a_server_that_fails_counts_as_none(kept) -> None:
    kept.site.without |= {"", "page.js", "style.css"}

    kept.page.reload()

    expect(kept.page.get_by_role("switch", name="Serve tasks")).to_be_visible()


def test_only_the_pages_own_small_files_are_kept(kept) -> None:
    kept.page.reload()
    kept.page.evaluate("fetch('models/all-minilm-l6-v2').then(() => 1)")

    assert kept.page.evaluate(CACHED) == [f"/phone/{name}" for name in OWN]


def test_what_the_network_has_goes_first(kept) -> None:
    kept.site.fetched.clear()

    kept.page.reload()

    expect(kept.page.get_by_role("switch", name="Serve tasks")).to_be_visible()
    assert {"", "page.js", "style.css"} <= set(kept.site.fetched)


def test_another_build_takes_the_place_of_the_one_before(kept, tmp_path, until) -> None:
    for file in BUILT.iterdir():
        if file.suffix in (".html", ".js", ".css", ".svg", ".webmanifest"):
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (before,) = kept.page.evaluate("caches.keys()")
    build = before.removeprefix("starai-page-")
    offline = (tmp_path / "offline.js").read_text("utf-8")
    (tmp_path / "offline.js").write_text(offline.replace(build, "another-build"), "utf-8")
    kept.site.files = tmp_path

    kept.page.reload()

    until(lambda: kept.page.evaluate("caches.keys()") == ["starai-page-another-build"])


def test_it_can_be_installed_with_icons_that_are_there(new_phone) -> None:
    phone = new_phone().open()
    manifest = json.loads(phone.page.evaluate("fetch('manifest.webmanifest').then((answer) => answer.text())"))

    assert (manifest["display"], manifest["start_url"], manifest["scope"]) == ("standalone", "./", "./")
    for icon in manifest["icons"]:
        size = phone.page.evaluate(
            "(src) => new Promise((found, lost) => Object.assign(new Image(), "
            "{ src, onload() { found([this.naturalWidth, this.naturalHeight].join('x')); }, onerror: lost }))",
            icon["src"],
        )
        assert icon["sizes"] in (size, "any")
    assert {icon.get("purpose", "any") for icon in manifest["icons"]} == {"any", "maskable"}


def test_the_first_load_is_small() -> None:
    files = [BUILT / (name or "index.html") for name in OWN] + [BUILT / "offline.js"]

    assert sum(len(gzip.compress(file.read_bytes())) for file in files) < 200_000


def test_the_page_says_which_build_it_is(kept) -> None:
    (name,) = kept.page.evaluate("caches.keys()")

    kept.page.get_by_text("What this page does, and does not do").tap()

    expect(kept.page.get_by_text(f"Version {name.removeprefix('starai-page-')}")).to_be_visible()
