"""Makes a model ready again that failed."""

from models.catalogue import load_catalogue
from models.host import ModelHost
from models.store import ModelStore
from starai.errors import ModelCorrupt


def mend(model: str, host: ModelHost, store: ModelStore | None = None) -> None:
    """Let the model's process stand, with the model in it; fetch the model anew where a file of it is corrupt.

    Args:
        model: its name.
        host: what runs it.
        store: where its files are; the one in the project's home folder if not given.

    Raises:
        ModelCorrupt, ModelUnavailable: it cannot be fetched.
        ModelError: it cannot be loaded.
    """
    try:
        host.start()
    except ModelCorrupt:
        (store or ModelStore()).repair(load_catalogue().get(model))
        host.start()
