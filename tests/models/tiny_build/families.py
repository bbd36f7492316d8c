"""The two families: how their tokenizer speaks, and a model of random weights that varies its words."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from transformers import (
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from tests.models.tiny_build.tokenizer import CONTEXT, speaks, train

# So large that the answers follow the prompt instead of repeating one token.
_SPREAD = 0.3

_SIZES = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": CONTEXT,
    "initializer_range": _SPREAD,
    "tie_word_embeddings": False,
}

_LLAMA_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n"
    "{{ message['content'] }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
_PHI3_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)


class Family(NamedTuple):
    """The first token of ``special`` begins a text; ``ends`` are those that end an answer, the first one a text."""

    special: tuple[str, ...]
    ends: tuple[str, ...]
    template: str
    model: Callable[[dict[str, object]], PreTrainedModel]

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """Train the tokenizer."""
        return train(self.special, self.template, bos=self.special[0], eos=self.ends[-1], pad=self.ends[0])

    def weights(self, tokenizer: PreTrainedTokenizerFast, seed: int) -> PreTrainedModel:
        """Return a model of random weights that says whole characters, and tokens that end an answer."""
        torch.manual_seed(seed)
        ends = tokenizer.convert_tokens_to_ids(list(self.ends))
        ids = {"bos_token_id": 0, "eos_token_id": ends, "pad_token_id": ends[0]}
        model = self.model({"vocab_size": len(tokenizer), **ids, **_SIZES}).eval()
        model.generation_config = GenerationConfig(**ids)
        silent = [token for token in range(len(tokenizer)) if token not in ends and not speaks(tokenizer, token)]
        with torch.no_grad():
            model.lm_head.weight[silent] = 0
        return model


def _llama(config: dict[str, object]) -> PreTrainedModel:
    return LlamaForCausalLM(LlamaConfig(**config, num_key_value_heads=2, rope_theta=500000.0))


def _phi3(config: dict[str, object]) -> PreTrainedModel:
    return Phi3ForCausalLM(Phi3Config(**config, original_max_position_embeddings=CONTEXT))


FAMILIES = {
    "tiny-llama": Family(
        ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        ("<|end_of_text|>", "<|eot_id|>"),
        _LLAMA_TEMPLATE,
        _llama,
    ),
    "tiny-phi3": Family(
        ("<s>", "<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
        ("<|endoftext|>", "<|end|>"),
        _PHI3_TEMPLATE,
        _phi3,
    ),
}
