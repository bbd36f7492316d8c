"""Reads requests for a text that goes on from a prompt (`/v1/completions`)."""

from typing import Any

from ops.serve.asked import Text
from ops.serve.form import CompletionForm
from ops.serve.parameters import OF_THE_ACCOUNT, Harmless, read, supported
from ops.serve.refusal import Refusal
from ops.serve.sampling import Sampling, options

#: Of a text, where the request does not say: OpenAI's own.
MOST_TOKENS = 16

_HARMLESS: Harmless = {
    **OF_THE_ACCOUNT,
    "n": (1,),
    "best_of": (1,),
    "echo": (False,),
    "logprobs": (),
    "logit_bias": ({},),
    "suffix": ("",),
    "frequency_penalty": (0, 0.0),
    "presence_penalty": (0, 0.0),
}


class _Completion(Sampling):
    prompt: Any


def read_completion(data: dict[str, Any]) -> Text:
    """Return what is asked for.

    Raises:
        Refusal: a parameter is wrong, or asks for what is not served.
    """
    asked = read(_Completion, supported(data, _HARMLESS))
    chosen = options(asked, MOST_TOKENS)
    return Text(CompletionForm(), asked.model, _prompt(asked.prompt), chosen, asked.stream, asked.with_usage)


def _prompt(prompt: object) -> str:
    one = prompt[0] if isinstance(prompt, list) and len(prompt) == 1 else prompt
    if not isinstance(one, str):
        raise Refusal(400, "prompt has to be one text: send several as requests of their own.", param="prompt")
    return one
