"""What the benchmark's language model is made of."""

from typing import NamedTuple


class Recipe(NamedTuple):
    """A decoder as Llama's, of random weights in four bits.

    Attributes:
        wide: the width of each layer's inner part.
        kv_heads: heads of keys and values, which the heads of queries share.
        vocabulary: how many tokens there are; that of the tokenizer that it speaks with.
        context: tokens that it has room for, prompt and all.
        seed: of its weights.
    """

    layers: int = 14
    hidden: int = 1024
    wide: int = 2816
    heads: int = 16
    kv_heads: int = 4
    vocabulary: int = 512
    context: int = 2048
    seed: int = 1

    @property
    def head(self) -> int:
        """The size of one head."""
        return self.hidden // self.heads

    @property
    def attention(self) -> int:
        """The width of a layer's queries, keys and values together."""
        return (self.heads + 2 * self.kv_heads) * self.head

    @property
    def parameters(self) -> int:
        """How many numbers its weights are."""
        layer = self.hidden * (self.attention + self.hidden + 3 * self.wide + 2)
        return self.layers * layer + self.hidden * (2 * self.vocabulary + 1)

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes of keys and values for each token, in float32."""
        return 2 * self.layers * self.kv_heads * self.head * 4
