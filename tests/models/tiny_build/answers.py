"""What transformers answers, and whether a model's answers make a good reference."""

from typing import NamedTuple

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from tests.models.tiny_build.text import MOST_TOKENS, PROMPTS, Prompt

_LEAST_DIFFERENT = 8
# Hundreds of times what the sums of another processor or engine differ by.
_LEAST_LEAD = 0.005


class Answer(NamedTuple):
    """A prompt as the model sees it, and the likeliest tokens after it: up to the one that ends the answer."""

    name: str
    messages: tuple[dict[str, str], ...]
    prompt: str
    prompt_tokens: list[int]
    tokens: list[int]
    text: str


def answers(tokenizer: PreTrainedTokenizerFast, model: PreTrainedModel) -> list[Answer] | None:
    """Return the answers to all prompts, or nothing if they are no good reference.

    They are if each says several things and every token of it is clearly the likeliest, and if some of them end by
    themselves and others do not.
    """
    found = []
    for prompt in PROMPTS:
        answer, lead = _ask(tokenizer, model, prompt)
        if lead < _LEAST_LEAD or len(set(answer.tokens)) < _LEAST_DIFFERENT:
            return None
        found.append(answer)
    ended = [answer for answer in found if answer.tokens[-1] in model.generation_config.eos_token_id]
    return found if 0 < len(ended) < len(found) else None


def _ask(tokenizer: PreTrainedTokenizerFast, model: PreTrainedModel, prompt: Prompt) -> tuple[Answer, float]:
    """Return an answer, and by how much the likeliest token led where it was closest."""
    text = _render(tokenizer, prompt)
    tokens = tokenizer.encode(text, add_special_tokens=False)
    ids = torch.tensor([tokens])
    wanted = {"do_sample": False, "max_new_tokens": MOST_TOKENS, "output_logits": True, "return_dict_in_generate": True}
    output = model.generate(ids, attention_mask=torch.ones_like(ids), **wanted)
    answer = output.sequences[0, len(tokens) :].tolist()
    best = torch.cat(output.logits).topk(2).values
    said = tokenizer.decode(answer, skip_special_tokens=True)
    return Answer(prompt.name, prompt.messages, text, tokens, answer, said), (best[:, 0] - best[:, 1]).min().item()


def _render(tokenizer: PreTrainedTokenizerFast, prompt: Prompt) -> str:
    if not prompt.messages:
        return prompt.text
    text: str = tokenizer.apply_chat_template(list(prompt.messages), tokenize=False, add_generation_prompt=True)
    return text
