"""What a language model is asked, and what it answers, as JSON: prompts, options, generated texts."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

#: The most tokens that one task may make.
MOST_TOKENS = 32_768


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChatMessage(_Message):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class GuidanceKind(StrEnum):
    """What a text may be made to follow: a JSON schema, a regular expression, or a grammar in Lark's form."""

    JSON_SCHEMA = "json_schema"
    REGEX = "regex"
    GRAMMAR = "lark_grammar"


class Guidance(_Message):
    """What the generated text has to follow, token by token."""

    kind: GuidanceKind
    text: Annotated[str, Field(min_length=1, max_length=64 * 1024)]


class Options(_Message):
    """How a text is generated.

    Attributes:
        max_tokens: after so many it ends, if not before.
        temperature: 0: always the likeliest token, so that every device with the same engine makes the same text.
        top_p: of the likeliest tokens those that together have this share of the probability.
        top_k: of the likeliest tokens so many.
        seed: for the same draw each time, on the same kind of device.
        stop: the text ends before the first of these.
    """

    max_tokens: Annotated[int, Field(ge=1, le=MOST_TOKENS)] = 256
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    top_k: Annotated[int, Field(ge=1, le=1000)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    stop: Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=8)] = []
    guidance: Guidance | None = None


class Prompt(_Message):
    """What a text is to go on from: a beginning, or a conversation whose next turn is the model's."""

    inputs: str | Annotated[list[ChatMessage], Field(min_length=1, max_length=1000)]
    options: Options = Options()


_Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class FinishReason(StrEnum):
    """Why a text ended.

    Attributes:
        STOP: the model ended it, or a stop string came.
        LENGTH: it has as many tokens as were asked for, or as fit into the model's context.
    """

    STOP = "stop"
    LENGTH = "length"


class Generated(_Message):
    """A generated text.

    Attributes:
        prompt_tokens: tokens of the prompt; ``tokens``: of the text.
        first_token_seconds: from the beginning of the attempt to the first token; ``seconds``: to the last one.
    """

    text: str
    finish_reason: FinishReason
    prompt_tokens: Annotated[int, Field(ge=0, le=2**31 - 1)]
    tokens: Annotated[int, Field(ge=0, le=MOST_TOKENS)]
    first_token_seconds: _Seconds
    seconds: _Seconds
