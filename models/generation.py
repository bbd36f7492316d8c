"""The generation engine: a prompt in, a text out, a step at a time.

A step reads a part of the prompt, or makes one token. Between two steps others have their turn, and one that nobody
waits for any more is dropped: so no prompt is so long, and no text, that it holds up anything.
"""

import time
from collections.abc import Callable

from models.genai import LanguageModel
from models.stop_strings import StopStrings
from starai.errors import BadInput
from starai.generation import FinishReason, Generated, Options, Prompt

#: Tokens of a prompt that one step reads: so few that others have their turn soon, so many that reading is no slower.
CHUNK = 64
# A token is shorter than that, in whatever language, but for long runs of the same character.
_CHARACTERS = 64


class Generating:
    """A text under way.

    Args:
        model: the model.
        prompt: what it is to go on from.
        clock: seconds that never go back.

    Raises:
        BadInput: the prompt is longer than the model's context, or the model refuses the options.
    """

    def __init__(self, model: LanguageModel, prompt: Prompt, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began = clock, clock()
        self._options = prompt.options
        self._model = model
        text = prompt.inputs if isinstance(prompt.inputs, str) else model.chat(prompt.inputs)
        # First by its length alone: to find its tokens takes time, in which no other text gets on.
        _require_short(text, model.context)
        tokens = model.encode(text)
        self._prompt_tokens = len(tokens)
        self._left = tokens
        self._most = _most_tokens(len(tokens), prompt.options, model.context)
        self._generator = model.generator(len(tokens) + self._most, prompt.options)
        self._decode = model.decoder()
        self._stops = StopStrings(prompt.options.stop)
        self._text: list[str] = []
        self._made = 0
        self._first: float | None = None
        self.result: Generated | None = None

    def step(self) -> str:
        """Go one step on, and return what that adds to the text; the last one sets ``result``.

        Raises:
            ModelError: the engine failed.
        """
        if self._left:
            part, self._left = self._left[:CHUNK], self._left[CHUNK:]
            self._generator.take_in(part)
            return ""
        token = self._generator.next()
        self._made += 1
        if self._first is None:
            self._first = self._clock()
        is_end = token in self._model.ends
        shown = "" if is_end else self._stops.feed(self._decode(token))
        if reason := self._ends(is_end=is_end):
            shown += self._stops.flush()
        self._text.append(shown)
        if reason:
            self.result = self._generated(reason)
        return shown

    def _ends(self, *, is_end: bool) -> FinishReason | None:
        if is_end or self._stops.met:
            return FinishReason.STOP
        return FinishReason.LENGTH if self._made >= self._most else None

    def _generated(self, reason: FinishReason) -> Generated:
        first = self._first or self._clock()
        return Generated(
            text="".join(self._text),
            finish_reason=reason,
            prompt_tokens=self._prompt_tokens,
            tokens=self._made,
            first_token_seconds=first - self._began,
            seconds=self._clock() - self._began,
        )


def _require_short(text: str, context: int) -> None:
    if len(text) > _CHARACTERS * context:
        raise BadInput(
            f"The prompt has {len(text):,} characters; the model's context is {context:,} tokens. Shorten it."
        )


def _most_tokens(prompt: int, options: Options, context: int) -> int:
    if prompt == 0:
        raise BadInput("The prompt is empty: there is nothing to go on from.")
    if prompt >= context:
        raise BadInput(f"The prompt has {prompt:,} tokens; the model's context is {context:,}. Shorten it.")
    return min(options.max_tokens, context - prompt)
