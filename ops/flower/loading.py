"""Flower's templates with ours among them, and our entry in its navigation."""

from importlib.resources import files
from pathlib import Path

from tornado.template import DictLoader

from starai.errors import StarAIError

_NAVBAR = "navbar.html"
_ENTRY = "navbar_entry.html"
# Where the list of Flower's own pages ends.
_ANCHOR = "</ul>"


class FlowerDiffersError(StarAIError):
    """The Flower that is installed is not built as ours needs it."""


def load_templates(flower: Path) -> DictLoader:
    """Return Flower's templates, which are in that folder, and ours.

    Raises:
        FlowerDiffersError: its navigation has no place for ours.
    """
    theirs = {file.name: file.read_text("utf-8") for file in flower.glob("*.html")}
    ours = {file.name: file.read_text("utf-8") for file in (files("ops.flower") / "templates").iterdir()}
    navbar, entry = theirs.get(_NAVBAR, ""), ours.pop(_ENTRY)
    if _ANCHOR not in navbar:
        raise FlowerDiffersError("Flower's navigation has no list of pages. Install the Flower that StarAI asks for.")
    return DictLoader(theirs | ours | {_NAVBAR: navbar.replace(_ANCHOR, entry + _ANCHOR, 1)})
