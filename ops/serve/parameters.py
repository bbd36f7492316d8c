"""The parameters of a request: read strictly, so that none is ignored without a word."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from ops.serve.refusal import Refusal

#: Parameters that are not served, each with the values that ask for nothing; ``None``: whatever the value, the answer
#: is the same without it.
Harmless = Mapping[str, tuple[Any, ...] | None]

#: What says who asks, for statistics of OpenAI's, and how it may cache.
OF_THE_ACCOUNT: Harmless = {
    "user": None,
    "metadata": None,
    "safety_identifier": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "prompt_cache_options": None,
    "store": (False,),
    "service_tier": ("auto", "default"),
}

_Model = TypeVar("_Model", bound=BaseModel)


class Parameters(BaseModel):
    """Some of a request's parameters; no other may be there, and no error repeats what they hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


def parsed(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a request's body is.

    Raises:
        Refusal: it is none.
    """
    try:
        data = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise Refusal(400, "The body of the request is no JSON.") from None
    return as_object(data, None)


def as_object(data: object, place: str | None) -> dict[str, Any]:
    """Return data that has to be a JSON object.

    Raises:
        Refusal: it is none.
    """
    if not isinstance(data, dict):
        raise Refusal(400, f"{place or 'The body of the request'} has to be a JSON object.", param=place)
    return data


def supported(data: Mapping[str, Any], harmless: Harmless, place: str = "") -> dict[str, Any]:
    """Return the parameters without those that ask for nothing, null ones among them.

    Raises:
        Refusal: one asks for what is not served.
    """
    left = {}
    for name, value in data.items():
        if value is None:
            continue
        if name not in harmless:
            left[name] = value
        elif not _asks_nothing(value, harmless[name]):
            raise Refusal(
                400, _not_served(place + name, harmless[name]), code="unsupported_parameter", param=place + name
            )
    return left


def read(kind: type[_Model], data: Mapping[str, Any], place: str = "") -> _Model:
    """Return parameters as their model.

    Raises:
        Refusal: one is missing, wrong or unknown; it is named.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        name, why = first_wrong(error)
        raise Refusal(400, f"{place}{name}: {why}.", param=place + name) from None


def first_wrong(error: ValidationError) -> tuple[str, str]:
    """Return the parameter that is wrong first, and how."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = str(first["loc"][0])[:100] if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        return name, "there is no such parameter here"
    return name, str(first["msg"])


def _asks_nothing(value: object, allowed: tuple[Any, ...] | None) -> bool:
    # 1 is True to Python, and not to OpenAI.
    return allowed is None or any(type(value) is type(each) and value == each for each in allowed)


def _not_served(name: str, allowed: tuple[Any, ...] | None) -> str:
    words = " or ".join(sorted({str(each).lower() for each in allowed or ()}))
    return f"{name} is not served here: leave it out" + (f", or {words}." if words else ".")
