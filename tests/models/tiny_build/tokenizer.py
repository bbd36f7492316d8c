"""A byte-level BPE tokenizer, trained here, with the special tokens and the chat template of a family."""

from collections.abc import Sequence

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from tests.models.tiny_build.text import PARAGRAPHS

_VOCABULARY = 512
#: How many tokens a model of ours has room for.
CONTEXT = 2048


def train(special: Sequence[str], template: str, bos: str, eos: str, pad: str) -> PreTrainedTokenizerFast:
    """Return a tokenizer whose first tokens are the special ones, then the 256 bytes, then what it learned."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY, special_tokens=list(special), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([" ".join(paragraph.split()) for paragraph in PARAGRAPHS], trainer)
    named = {"bos_token": bos, "eos_token": eos, "pad_token": pad}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, chat_template=template, model_max_length=CONTEXT, **named
    )


def speaks(tokenizer: PreTrainedTokenizerFast, token: int) -> bool:
    """Whether a token is text by itself: no special one, no part of a character, nothing that cannot be seen."""
    text: str = tokenizer.decode([token])
    is_text = text.isprintable() and "\ufffd" not in text
    return token not in tokenizer.get_added_vocab().values() and (is_text or text == "\n")
