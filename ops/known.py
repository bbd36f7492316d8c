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
    raise RegistryError(f"The network has no {kind} {name[:100]!r}.{nearest(name, known)} {otherwise}")


def nearest(name: str, known: Collection[str]) -> str:
    """Return a sentence that names what may have been meant, after a space, or nothing."""
    near = [other for other in known if name and other.startswith(name)][:3] or get_close_matches(name, known)
    return f" Did you mean: {', '.join(near)}?" if near else ""
