"""Names that the registry has to know."""

from collections.abc import Collection
from difflib import get_close_matches

from starai.errors import RegistryError


def check_known(kind: str, name: str, known: Collection[str], otherwise: str) -> None:
    """Make sure that there is something of that name.

    Args:
        kind: what it is: ``owner``, ``device``.
        name: the name, as it was typed.
        known: all names of that kind.
        otherwise: what else to do about it, a sentence.

    Raises:
        RegistryError: there is none; the message has the nearest names.
    """
    if name in known:
        return
    near = get_close_matches(name, known)
    meant = f" Did you mean: {', '.join(near)}?" if near else ""
    raise RegistryError(f"The network has no {kind} {name[:100]!r}.{meant} {otherwise}")
