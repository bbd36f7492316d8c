"""What is wrong with data that a model refused, in a few words."""

from pydantic import ValidationError


def first_error(error: ValidationError, whole: str) -> str:
    """Return where the data is wrong first, and how; nothing of what it holds.

    Args:
        error: as pydantic raised it.
        whole: what to call the data where it is wrong as a whole.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])[:100]
    return f"{where or whole}: {first['msg']}"
