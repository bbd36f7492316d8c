"""The models that the network knows, in OpenAI's form: those of the catalogue, and tiers in place of their default."""

from typing import Any

from models.catalogue import Catalogue
from models.entry import Kind


def model_names(catalogue: Catalogue) -> list[str]:
    """Return every name by which a model of texts may be asked for: OpenAI has no form for others."""
    texts = [entry for entry in catalogue if entry.kind is not Kind.TENSORS]
    return [*(entry.name for entry in texts), *(str(entry.tier) for entry in texts if entry.default)]


def model(name: str, created: int) -> dict[str, Any]:
    """Return one model; nobody keeps when it was made, so that ``created`` is when the server began."""
    return {"id": name, "object": "model", "created": created, "owned_by": "starai"}


def model_list(catalogue: Catalogue, created: int) -> dict[str, Any]:
    """Return all models."""
    return {"object": "list", "data": [model(name, created) for name in model_names(catalogue)]}
