"""The catalogue: every model that the network knows, from ``catalogue.toml``, and those of this machine's owner.

The owner's are in ``models.toml`` in the project's home folder, and look the same.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from broker_config.home import home
from broker_config.invalid import first_error
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


def shipped_catalogue() -> Catalogue:
    """Read the catalogue that this package ships."""
    text = (resources.files("models") / "catalogue.toml").read_text("utf-8")
    return Catalogue(tuple(CatalogueEntry.model_validate(model) for model in tomllib.loads(text)["model"]))


def load_catalogue() -> Catalogue:
    """Read the catalogue that this package ships, and the owner's own models, if there are any.

    Raises:
        SettingError: the file of the owner's models is wrong, or has a model that is in the catalogue already.
    """
    shipped, file = shipped_catalogue(), own_models_file()
    own = _own_models(file)
    if clash := {wire_name(entry.name) for entry in own} & {wire_name(entry.name) for entry in shipped}:
        raise SettingError(f"{file}: {', '.join(sorted(clash))} is in the catalogue already. Choose another name.")
    try:
        return Catalogue((*shipped, *own))
    except (InvalidName, SettingError) as error:
        raise SettingError(f"{file}: {error}") from error


def own_models_file() -> Path:
    """Return where the owner of this machine may add models of their own."""
    return home() / "models.toml"


def _own_models(file: Path) -> list[CatalogueEntry]:
    try:
        read = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError(f"{file} cannot be read: {error}.") from error
    models = read.pop("model", [])
    if read or not isinstance(models, list):
        raise SettingError(f"{file} may have [[model]] tables alone, one for each model.")
    return [_own_model(model, number, file) for number, model in enumerate(models, 1)]


def _own_model(model: object, number: int, file: Path) -> CatalogueEntry:
    try:
        return CatalogueEntry.model_validate(model)
    except ValidationError as error:
        raise SettingError(f"{file}, model {number}, {first_error(error, 'the model')}.") from error


def _repeated(values: Iterable[str]) -> str | None:
    return next((value for value, count in Counter(values).items() if count > 1), None)
