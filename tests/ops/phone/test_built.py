"""The page that ships: built from the sources that are here, whole, and small enough for a slow network."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import ops
from ops.phone.assets import load_assets

PHONE = Path(ops.__file__).parent / "phone"
PAGE, BUILT = PHONE / "page", PHONE / "built"
# As build.mjs has it.
SOURCES = ("package.json", "package-lock.json", "tsconfig.json", "build.mjs", "src", "static")


def files(place: Path) -> Iterator[Path]:
    return (path for path in place.rglob("*") if path.is_file()) if place.is_dir() else iter((place,))


def hashes(*places: Path) -> dict[str, str]:
    found = [path for place in places for path in files(place)]
    return {path.relative_to(PAGE).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def test_the_page_was_built_from_the_sources_that_are_here():
    kept = json.loads((BUILT / "sources.json").read_text("utf-8"))

    assert kept == hashes(*(PAGE / name for name in SOURCES)), "the page is not that of its sources: run `make page`"


def test_the_first_load_takes_less_than_a_megabyte_without_model_and_runtime():
    first = {name: asset for name, asset in load_assets().items() if not name.startswith("ort-")}

    assert sum(len(asset.plain) for asset in first.values()) < 1_000_000


def test_every_file_of_the_page_is_served_but_the_one_that_tells_from_what_it_was_built():
    built = {path.relative_to(BUILT).as_posix().removesuffix(".gz") for path in files(BUILT)}

    assert built - set(load_assets()) == {"sources.json"}


@pytest.mark.parametrize("name", ["index.html", "offline.js"])
def test_the_page_asks_for_nothing_that_is_elsewhere(name):
    text = load_assets()[name].plain.decode()

    assert "http://" not in text
    assert "https://" not in text
