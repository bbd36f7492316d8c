"""The catalogue: every model that the network knows, read from ``catalogue.toml``."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources

from broker_config.names import wire_name
from models.entry import CatalogueEntry
from starai.errors import InvalidName, ModelNotFound, SettingError


@dataclass(frozen=True)
class Catalogue:
    """Models by name.

    Raises:
        InvalidName: two names are one on the wire, as ``phi3-3.8b`` and ``phi3-3-8b`` would be.
        SettingError: a tier has two default models.
    """

    entries: tuple[CatalogueEntry, ...]

    def __post_init__(self) -> None:
        if met := _repeated(wire_name(entry.name) for entry in self.entries):
            raise InvalidName(f"The catalogue has two models that are {met} on the wire: rename one of them.")
        if tier := _repeated(entry.tier for entry in self.entries if entry.default):
            raise SettingError(f"The catalogue has two default models of the tier {tier}: leave one of them.")

    def __iter__(self) -> Iterator[CatalogueEntry]:
        return iter(self.entries)

    def get(self, name: str) -> CatalogueEntry:
        """Return the model of that name.

        Raises:
            ModelNotFound: there is none; the message names the nearest ones.
        """
        names = [entry.name for entry in self.entries]
        if name in names:
            return self.entries[names.index(name)]
        near = get_close_matches(name, names) or names
        raise ModelNotFound(f"There is no model {name[:80]!r} in the catalogue. Did you mean: {', '.join(near)}?")


def load_catalogue() -> Catalogue:
    """Read the catalogue that this package ships."""
    text = (resources.files("models") / "catalogue.toml").read_text("utf-8")
    return Catalogue(tuple(CatalogueEntry.model_validate(model) for model in tomllib.loads(text)["model"]))


def _repeated(values: Iterable[str]) -> str | None:
    return next((value for value, count in Counter(values).items() if count > 1), None)
