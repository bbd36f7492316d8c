"""Reads requests for the next turn of a conversation (`/v1/chat/completions`)."""

from typing import Any, Literal

from ops.serve.asked import Text
from ops.serve.form import ChatForm
from ops.serve.parameters import OF_THE_ACCOUNT, Harmless, Parameters, as_object, read, supported
from ops.serve.refusal import Refusal
from ops.serve.sampling import Sampling, guidance_of, options
from starai.generation import ChatMessage

_HARMLESS: Harmless = {
    **OF_THE_ACCOUNT,
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "frequency_penalty": (0, 0.0),
    "presence_penalty": (0, 0.0),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "parallel_tool_calls": (True, False),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "modalities": (["text"],),
    "audio": (),
    "prediction": (),
    "reasoning_effort": ("none",),
    "verbosity": ("medium",),
    "web_search_options": (),
    "moderation": (),
}
# What an answer of the network, or of OpenAI, has when it is sent back as a part of the conversation.
_HARMLESS_IN_MESSAGES: Harmless = {
    "name": (),
    "refusal": (),
    "audio": (),
    "annotations": ([],),
    "function_call": (),
    "tool_calls": ([],),
    "tool_call_id": (),
}


class _Chat(Sampling):
    messages: list[Any]
    max_completion_tokens: int | None = None
    response_format: Any = None


class _Turn(Parameters):
    role: Literal["system", "developer", "user", "assistant"]
    content: Any


def read_chat(data: dict[str, Any], most_tokens: int) -> Text:
    """Return what is asked for.

    Args:
        data: the request's body.
        most_tokens: of an answer, where the request does not say.

    Raises:
        Refusal: a parameter is wrong, or asks for what is not served.
    """
    asked = read(_Chat, supported(data, _HARMLESS))
    name = "max_tokens"
    if asked.max_completion_tokens is not None:
        if asked.max_tokens is not None:
            raise Refusal(400, "max_tokens is the old name of max_completion_tokens: use one.", param="max_tokens")
        name = "max_completion_tokens"
        asked = asked.model_copy(update={"max_tokens": asked.max_completion_tokens})
    chosen = options(asked, most_tokens, guidance_of(asked.response_format), name)
    messages = [_message(each, position) for position, each in enumerate(asked.messages)]
    if not messages:
        raise Refusal(400, "messages is empty: there is nothing to answer.", param="messages")
    return Text(ChatForm(), asked.model, messages, chosen, asked.stream, asked.with_usage)


def _message(data: object, position: int) -> ChatMessage:
    place = f"messages[{position}]"
    turn = read(_Turn, supported(as_object(data, place), _HARMLESS_IN_MESSAGES, f"{place}."), f"{place}.")
    role: Literal["system", "user", "assistant"] = "system" if turn.role == "developer" else turn.role
    return ChatMessage(role=role, content=_content(turn.content, f"{place}.content"))


def _content(content: object, place: str) -> str:
    """Return the text of a message: OpenAI's clients may send it in parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not content:
        raise Refusal(400, f"{place} has to be a text, or a list of parts.", param=place)
    return "\n".join(_part(part, f"{place}[{position}]") for position, part in enumerate(content))


def _part(data: object, place: str) -> str:
    part = as_object(data, place)
    text = part.get("text")
    if part.get("type") != "text" or not isinstance(text, str):
        raise Refusal(
            400, f"{place} is no text, which is all that is served here.", code="unsupported_parameter", param=place
        )
    return text
