"""How a text is answered in OpenAI's form: whole, or as the chunks of a stream."""

from dataclasses import dataclass
from typing import Any, Protocol

from starai.generation import FinishReason, Generated


@dataclass(frozen=True)
class Heading:
    """What every answer to one request has: which task it is, since when (Unix time), of which model."""

    task: str
    created: int
    model: str


class Form(Protocol):
    """An answer's form."""

    def whole(self, heading: Heading, text: Generated) -> dict[str, Any]:
        """Return the answer to a request that wanted no stream."""
        ...

    def opening(self, heading: Heading) -> list[dict[str, Any]]:
        """Return what a stream begins with."""
        ...

    def piece(self, heading: Heading, text: str) -> dict[str, Any]:
        """Return the chunk with a piece of the text."""
        ...

    def end(self, heading: Heading, reason: FinishReason) -> dict[str, Any]:
        """Return the chunk that says why the text has ended."""
        ...

    def usage(self, heading: Heading, text: Generated) -> dict[str, Any]:
        """Return the chunk with the numbers of tokens."""
        ...


class ChatForm:
    """The answer is the next turn of a conversation."""

    def whole(self, heading: Heading, text: Generated) -> dict[str, Any]:
        """Return the answer to a request that wanted no stream."""
        message = {"role": "assistant", "content": text.text, "refusal": None}
        choice = _choice(text.finish_reason, message=message)
        return self._head(heading, "chat.completion") | {"choices": [choice], "usage": usage(text)}

    def opening(self, heading: Heading) -> list[dict[str, Any]]:
        """Return what a stream begins with: whose turn it is."""
        return [self._chunk(heading, None, {"role": "assistant", "content": "", "refusal": None})]

    def piece(self, heading: Heading, text: str) -> dict[str, Any]:
        """Return the chunk with a piece of the text."""
        return self._chunk(heading, None, {"content": text})

    def end(self, heading: Heading, reason: FinishReason) -> dict[str, Any]:
        """Return the chunk that says why the text has ended."""
        return self._chunk(heading, reason, {})

    def usage(self, heading: Heading, text: Generated) -> dict[str, Any]:
        """Return the chunk with the numbers of tokens."""
        return self._head(heading, "chat.completion.chunk") | {"choices": [], "usage": usage(text)}

    def _chunk(self, heading: Heading, reason: FinishReason | None, delta: dict[str, Any]) -> dict[str, Any]:
        return self._head(heading, "chat.completion.chunk") | {"choices": [_choice(reason, delta=delta)]}

    def _head(self, heading: Heading, kind: str) -> dict[str, Any]:
        return _head(f"chatcmpl-{heading.task}", kind, heading)


class CompletionForm:
    """The answer is how the prompt goes on."""

    def whole(self, heading: Heading, text: Generated) -> dict[str, Any]:
        """Return the answer to a request that wanted no stream."""
        choice = _choice(text.finish_reason, text=text.text)
        return self._head(heading) | {"choices": [choice], "usage": usage(text)}

    def opening(self, heading: Heading) -> list[dict[str, Any]]:  # noqa: ARG002 - the form's
        """Return what a stream begins with: nothing."""
        return []

    def piece(self, heading: Heading, text: str) -> dict[str, Any]:
        """Return the chunk with a piece of the text."""
        return self._head(heading) | {"choices": [_choice(None, text=text)]}

    def end(self, heading: Heading, reason: FinishReason) -> dict[str, Any]:
        """Return the chunk that says why the text has ended."""
        return self._head(heading) | {"choices": [_choice(reason, text="")]}

    def usage(self, heading: Heading, text: Generated) -> dict[str, Any]:
        """Return the chunk with the numbers of tokens."""
        return self._head(heading) | {"choices": [], "usage": usage(text)}

    def _head(self, heading: Heading) -> dict[str, Any]:
        return _head(f"cmpl-{heading.task}", "text_completion", heading)


def usage(text: Generated) -> dict[str, int]:
    """Return the numbers of tokens, as the device counted them."""
    return {
        "prompt_tokens": text.prompt_tokens,
        "completion_tokens": text.tokens,
        "total_tokens": text.prompt_tokens + text.tokens,
    }


def _head(name: str, kind: str, heading: Heading) -> dict[str, Any]:
    return {
        "id": name,
        "object": kind,
        "created": heading.created,
        "model": heading.model,
        "system_fingerprint": None,
    }


def _choice(reason: FinishReason | None, **text: Any) -> dict[str, Any]:
    return {"index": 0, **text, "logprobs": None, "finish_reason": reason and str(reason)}
