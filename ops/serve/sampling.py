"""How a text is to be generated: OpenAI's parameters, and the network's options."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import to_json

from ops.serve.parameters import Parameters, as_object, first_wrong
from ops.serve.refusal import Refusal
from starai.generation import Guidance, GuidanceKind, Options

_SEEDS = 2**31
_ANY_OBJECT = {"type": "object"}


def _listed(stop: object) -> object:
    return [stop] if isinstance(stop, str) else stop


class StreamOptions(Parameters):
    """What a stream has beside the text."""

    include_usage: bool = False
    include_obfuscation: bool = False


class Sampling(Parameters):
    """What requests for a chat and for a completion have in common. The temperature is 1 where none is named."""

    model: str
    max_tokens: int | None = None
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int | None = None
    seed: int | None = None
    stop: Annotated[list[str], BeforeValidator(_listed)] = Field(default_factory=list)
    stream: bool = False
    stream_options: StreamOptions | None = None

    @property
    def with_usage(self) -> bool:
        """Whether a stream is to end with the numbers of tokens."""
        return self.stream_options is not None and self.stream_options.include_usage


def options(asked: Sampling, otherwise: int, guidance: Guidance | None = None, most: str = "max_tokens") -> Options:
    """Return the options of the network that a request's parameters mean.

    Args:
        asked: the parameters.
        otherwise: how many tokens at the most, where the request does not say.
        guidance: what the text has to follow.
        most: what the request calls the most tokens.

    Raises:
        Refusal: one is out of the network's bounds; it is named.
    """
    _check_stream(asked)
    wanted: dict[str, Any] = asked.model_dump(include={"temperature", "top_p", "top_k", "stop"})
    wanted |= {"max_tokens": otherwise if asked.max_tokens is None else asked.max_tokens, "guidance": guidance}
    # OpenAI takes any 64 bits.
    wanted["seed"] = None if asked.seed is None else asked.seed % _SEEDS
    try:
        return Options(**wanted)
    except ValidationError as error:
        name, why = first_wrong(error)
        shown = most if name == "max_tokens" else name
        raise Refusal(400, f"{shown}: {why}.", param=shown) from None


def guidance_of(response_format: object) -> Guidance | None:
    """Return what a text has to follow to be of that format.

    Raises:
        Refusal: it is no format, or not one that is served.
    """
    if response_format is None:
        return None
    asked = as_object(response_format, "response_format")
    kind = asked.get("type")
    if kind == "text":
        return None
    if kind not in ("json_object", "json_schema"):
        raise Refusal(
            400, "response_format.type has to be text, json_object or json_schema.", param="response_format.type"
        )
    return _following(_ANY_OBJECT if kind == "json_object" else _schema(asked))


def _schema(asked: dict[str, Any]) -> dict[str, Any]:
    named = as_object(asked.get("json_schema"), "response_format.json_schema")
    return as_object(named.get("schema"), "response_format.json_schema.schema")


def _following(schema: dict[str, Any]) -> Guidance:
    try:
        return Guidance(kind=GuidanceKind.JSON_SCHEMA, text=to_json(schema).decode())
    except ValidationError:
        raise Refusal(400, "The schema is too large.", param="response_format.json_schema.schema") from None


def _check_stream(asked: Sampling) -> None:
    if asked.stream_options is None:
        return
    if not asked.stream:
        raise Refusal(400, "stream_options is for a stream: set stream as well.", param="stream_options")
    if asked.stream_options.include_obfuscation:
        raise Refusal(
            400,
            "stream_options.include_obfuscation is not served here: leave it out.",
            code="unsupported_parameter",
            param="stream_options.include_obfuscation",
        )
