"""The name of a model as an argument: completed by the shell, and what was meant where it is mistyped."""

from difflib import get_close_matches
from typing import Any

import click
from click.shell_completion import CompletionItem

from broker_config.errors import StarAIError
from models.catalogue import load_catalogue
from models.store import ModelStore


class ModelName(click.ParamType[str]):
    """A model of the catalogue, or one that is here."""

    name = "model"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name, if there is such a model."""
        names = _names()
        if value not in names:
            near = [name for name in names if value and name.startswith(value)] or get_close_matches(value, names)
            self.fail(f"there is no model {value[:80]!r}. Did you mean: {', '.join(near or names)}?", param, ctx)
        return str(value)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's
        param: click.Parameter,  # noqa: ARG002 - click's
        incomplete: str,
    ) -> list[CompletionItem]:
        """Return the names that begin like that."""
        try:
            return [CompletionItem(name) for name in _names() if name.startswith(incomplete)]
        except (StarAIError, OSError):  # a mistake in a file is told by the command itself
            return []


def _names() -> list[str]:
    known = [entry.name for entry in load_catalogue()]
    return [*known, *(name for name in ModelStore().names() if name not in known)]
