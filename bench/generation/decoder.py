"""A decoder as Llama's in the form that onnxruntime-genai runs: its graph, and random weights."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
from onnx import TensorProto, ValueInfoProto, helper

from bench.generation.graph import Graph
from bench.generation.recipe import Recipe

_OURS = "com.microsoft"
_EPSILON = 1e-6
_ROPE_BASE = 500_000.0
# Four bits are a number from -7 to 7, and 8 more (-8 would pull the mean from zero, and all texts to one token). Their
# root mean square; how many share a scale; a byte of two zeros.
_ROOT_MEAN_SQUARE = 4.32
_BLOCK = 32
_ZEROS = 0x88


def write_decoder(recipe: Recipe, folder: Path, silent: Collection[int]) -> None:
    """Write the model; it never makes one of the silent tokens while it takes the likeliest one."""
    _Decoder(recipe, Graph(folder)).write(silent)


class _Decoder:
    def __init__(self, recipe: Recipe, graph: Graph) -> None:
        self._recipe = recipe
        self._graph = graph
        self._random = np.random.Generator(np.random.PCG64(recipe.seed))

    def write(self, silent: Collection[int]) -> None:
        recipe, graph = self._recipe, self._graph
        self._rotary = self._add_rotary()
        self._lengths = self._add_lengths()
        table = self._random.standard_normal((recipe.vocabulary, recipe.hidden), np.float32)
        stream = graph.node("Gather", [graph.weight("embedding", table), "input_ids"], "embedded")
        normed = graph.node(
            "SimplifiedLayerNormalization",
            [stream, self._ones("layer0.before")],
            "layer0.before.out",
            axis=-1,
            epsilon=_EPSILON,
            stash_type=1,
        )
        for layer in range(recipe.layers):
            stream, normed = self._layer(layer, stream, normed)
        self._matmul("head", normed, recipe.hidden, recipe.vocabulary, "logits", silent)
        graph.finish(_inputs(recipe), _outputs(recipe))

    def _layer(self, layer: int, stream: str, normed: str) -> tuple[str, str]:
        """Add a layer; return what flows on, and the same normed for what comes next."""
        attended = self._attention(layer, normed)
        stream, normed = self._added(f"layer{layer}.between", stream, attended)
        return self._added(f"layer{layer + 1}.before", stream, self._inner(layer, normed))

    def _attention(self, layer: int, normed: str) -> str:
        recipe, name = self._recipe, f"layer{layer}.attention"
        joined = self._matmul(f"{name}.qkv", normed, recipe.hidden, recipe.attention)
        past = [f"past_key_values.{layer}.{part}" for part in ("key", "value")]
        attended = self._graph.node(
            "GroupQueryAttention",
            [joined, "", "", *past, *self._lengths, *self._rotary],
            [f"{name}.out", f"present.{layer}.key", f"present.{layer}.value"],
            _OURS,
            num_heads=recipe.heads,
            kv_num_heads=recipe.kv_heads,
            scale=recipe.head**-0.5,
            do_rotary=1,
        )
        return self._matmul(f"{name}.o", attended, recipe.hidden, recipe.hidden)

    def _inner(self, layer: int, normed: str) -> str:
        recipe, graph, name = self._recipe, self._graph, f"layer{layer}.inner"
        gate = self._matmul(f"{name}.gate", normed, recipe.hidden, recipe.wide)
        up = self._matmul(f"{name}.up", normed, recipe.hidden, recipe.wide)
        swish = graph.node("Mul", [gate, graph.node("Sigmoid", [gate], f"{name}.sigmoid")], f"{name}.swish")
        return self._matmul(
            f"{name}.down", graph.node("Mul", [swish, up], f"{name}.product"), recipe.wide, recipe.hidden
        )

    def _added(self, name: str, stream: str, more: str) -> tuple[str, str]:
        """Return the sum, and the sum normed."""
        outputs = [f"{name}.out", "", "", f"{name}.sum"]
        inputs = [stream, more, self._ones(name)]
        normed = self._graph.node("SkipSimplifiedLayerNormalization", inputs, outputs, _OURS, epsilon=_EPSILON)
        return outputs[3], normed

    def _matmul(
        self, name: str, given: str, wide: int, high: int, output: str = "", silent: Collection[int] = ()
    ) -> str:
        """Multiply with random weights in four bits; the rows that are to be silent are zeros."""
        shape = (high, wide // _BLOCK, _BLOCK // 2)
        low, upper = self._random.integers(1, 16, (2, *shape), np.uint8)
        bits = low | upper << 4
        bits[list(silent)] = _ZEROS
        scales = np.full(shape[:2], wide**-0.5 / _ROOT_MEAN_SQUARE, np.float32)
        weights = [self._graph.weight(f"{name}.bits", bits), self._graph.weight(f"{name}.scales", scales)]
        sizes = {"K": wide, "N": high, "bits": 4, "block_size": _BLOCK, "accuracy_level": 4}
        return self._graph.node("MatMulNBits", [given, *weights], output or f"{name}.out", _OURS, **sizes)

    def _ones(self, name: str) -> str:
        return self._graph.weight(f"{name}.weight", np.ones(self._recipe.hidden, np.float32))

    def _add_rotary(self) -> list[str]:
        """Add the sines and cosines by which a token's place is told."""
        half = self._recipe.head // 2
        turns = _ROPE_BASE ** -(np.arange(half) / half)
        angles = np.outer(np.arange(self._recipe.context), turns)
        tables = {"cosines": np.cos(angles), "sines": np.sin(angles)}
        return [self._graph.weight(name, table.astype(np.float32)) for name, table in tables.items()]

    def _add_lengths(self) -> list[str]:
        """Add how many tokens there are, less one, and how many there is room for."""
        graph, one = self._graph, self._graph.constant("one", [1])
        tokens = graph.node("ReduceSum", ["attention_mask", one], "tokens", keepdims=0)
        last = graph.node("Sub", [tokens, one], "last")
        room = graph.node("Gather", [graph.node("Shape", ["attention_mask"], "shape"), graph.constant("1", 1)], "room")
        return [graph.node("Cast", [name], f"{name}32", to=TensorProto.INT32) for name in (last, room)]


def _inputs(recipe: Recipe) -> list[ValueInfoProto]:
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch_size", "sequence_length"])
    mask = helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch_size", "total_sequence_length"])
    return [ids, mask, *_caches(recipe, "past_key_values", "past_sequence_length")]


def _outputs(recipe: Recipe) -> list[ValueInfoProto]:
    shape: list[str | int | None] = ["batch_size", "sequence_length", recipe.vocabulary]
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape)
    return [logits, *_caches(recipe, "present", "total_sequence_length")]


def _caches(recipe: Recipe, name: str, length: str) -> list[ValueInfoProto]:
    shape: list[str | int | None] = ["batch_size", recipe.kv_heads, length, recipe.head]
    names = [f"{name}.{layer}.{part}" for layer in range(recipe.layers) for part in ("key", "value")]
    return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in names]
