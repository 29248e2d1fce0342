"""What transformers needs to know of a GGUF file: sizes, tensors with their shapes and other names, by architecture.

This decides only what can be dequantised; what runs natively is llama.cpp's to say. transformers leaves weights random
that it does not find, and ignores what it has no name for, so a file must fit in every size and tensor. A value of the
architecture that is not in the table changes the model in a way unknown here, so it is refused as well. Names and
shapes follow llama.cpp's src/llama-model.cpp and gguf-py's tensor_mapping.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from arplay.models.gguf.file import GGUF, Tensor
from arplay.models.store.folder import MAX_VOCABULARY

Change = Literal["", "rotary", "transposed", "less one"]
"""How a tensor differs from transformers' own: rows of the rotary halves interleaved, transposed, or 1 added."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes that shapes are made of; ``qkv`` and the like are products of the others."""

    layers: int
    context: int
    vocabulary: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    head: int
    epsilon: float

    @property
    def queries(self) -> int:
        return self.heads * self.head

    @property
    def keys(self) -> int:
        return self.kv_heads * self.head

    @property
    def qkv(self) -> int:
        return self.queries + 2 * self.keys

    @property
    def half(self) -> int:
        return self.head // 2


@dataclass(frozen=True, slots=True)
class Weight:
    """One row of the table: the name in transformers, the shape in words of :class:`Sizes`, and the change."""

    name: str
    shape: tuple[str, ...]
    change: Change = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Fit:
    """A file that fits its architecture: its sizes, transformers' config and the row of every tensor, by its name."""

    sizes: Sizes
    config: dict[str, Any]
    weights: dict[str, Weight]
    rope_factors: Tensor | None


@dataclass(frozen=True, slots=True)
class _Family:
    whole: dict[str, Weight]
    layer: dict[str, Weight]
    values: frozenset[str] = frozenset()


_LINEAR = {"q": "queries", "k": "keys", "v": "keys"}


def _llama_like(rotary: Change = "", norm: Change = "", post: str = "post_attention_layernorm") -> _Family:
    """Llama and the many families that differ from it in little."""
    changes: dict[str, Change] = {"q": rotary, "k": rotary, "v": ""}
    return _Family(
        {
            "token_embd.weight": Weight("model.embed_tokens.weight", ("vocabulary", "width")),
            "output_norm.weight": Weight("model.norm.weight", ("width",), norm),
            "output.weight": Weight("lm_head.weight", ("vocabulary", "width"), optional=True),
        },
        {
            "attn_norm.weight": Weight("input_layernorm.weight", ("width",), norm),
            **{
                f"attn_{kind}.weight": Weight(f"self_attn.{kind}_proj.weight", (rows, "width"), changes[kind])
                for kind, rows in _LINEAR.items()
            },
            "attn_output.weight": Weight("self_attn.o_proj.weight", ("width", "queries")),
            "ffn_norm.weight": Weight(f"{post}.weight", ("width",), norm),
            "ffn_gate.weight": Weight("mlp.gate_proj.weight", ("inner", "width")),
            "ffn_up.weight": Weight("mlp.up_proj.weight", ("inner", "width")),
            "ffn_down.weight": Weight("mlp.down_proj.weight", ("width", "inner")),
        },
    )


def _with(family: _Family, layer: dict[str, Weight], *values: str) -> _Family:
    return _Family(family.whole, family.layer | layer, frozenset(values))


def _head_norms(change: Change = "") -> dict[str, Weight]:
    return {f"attn_{kind}_norm.weight": Weight(f"self_attn.{kind}_norm.weight", ("head",), change) for kind in "qk"}


def _both(tensor: str, name: str, rows: str, inputs: str | None = None) -> dict[str, Weight]:
    """Weight and bias of one of GPT-2's norms or (transposed) matrices."""
    shape = (rows, inputs) if inputs else (rows,)
    change: Change = "transposed" if inputs else ""
    return {
        f"{tensor}.weight": Weight(f"{name}.weight", shape, change),
        f"{tensor}.bias": Weight(f"{name}.bias", (rows,)),
    }


_FAMILIES: dict[str, _Family] = {
    "llama": _llama_like("rotary"),
    "qwen2": _with(
        _llama_like(),
        {f"attn_{kind}.bias": Weight(f"self_attn.{kind}_proj.bias", (rows,)) for kind, rows in _LINEAR.items()},
    ),
    "qwen3": _with(_llama_like(), _head_norms()),
    "gemma": _llama_like(norm="less one"),
    "gemma3": _with(
        _llama_like(norm="less one", post="pre_feedforward_layernorm"),
        {
            "post_attention_norm.weight": Weight("post_attention_layernorm.weight", ("width",), "less one"),
            "post_ffw_norm.weight": Weight("post_feedforward_layernorm.weight", ("width",), "less one"),
            **_head_norms("less one"),
        },
        "attention.sliding_window",
    ),
    "gpt2": _Family(
        {
            "token_embd.weight": Weight("transformer.wte.weight", ("vocabulary", "width")),
            "position_embd.weight": Weight("transformer.wpe.weight", ("context", "width")),
            **_both("output_norm", "transformer.ln_f", "width"),
            "output.weight": Weight("lm_head.weight", ("vocabulary", "width"), optional=True),
        },
        {
            **_both("attn_norm", "ln_1", "width"),
            **_both("attn_qkv", "attn.c_attn", "qkv", "width"),
            **_both("attn_output", "attn.c_proj", "width", "queries"),
            **_both("ffn_norm", "ln_2", "width"),
            **_both("ffn_up", "mlp.c_fc", "inner", "width"),
            **_both("ffn_down", "mlp.c_proj", "width", "inner"),
        },
    ),
}
_VALUES = frozenset(
    (
        *("context_length", "embedding_length", "block_count", "feed_forward_length", "vocab_size"),
        *("attention.head_count", "attention.head_count_kv", "attention.key_length", "attention.value_length"),
        *("attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon", "rope.freq_base", "rope.dimension_count"),
        *("rope.scaling.type", "rope.scaling.factor", "rope.scaling.original_context_length"),
        "rope.scaling.finetuned",
    )
)


def fit(file: GGUF) -> Fit:
    """Check every size and tensor of ``file`` against its architecture. Raises Problem naming what does not fit."""
    architecture = file.architecture
    family = _FAMILIES.get(architecture)
    if family is None:
        what = f"is of the architecture {architecture[:40]!r}, which arplay cannot dequantise"
        raise file.problem(what, f"open {file.path.name}#native, which needs: pip install 'arplay[gguf]'")
    for name in file.values:
        value = name.removeprefix(f"{architecture}.")
        if value != name and value not in _VALUES | family.values:
            raise file.problem(f"says {name[:80]}, which arplay does not know", "use another file of this model")
    sizes = _sizes(file)
    rope_factors = file.tensors.get("rope_freqs.weight") if architecture == "llama" else None
    weights = _weights(file, family, sizes)
    return Fit(sizes, _config(file, sizes), weights, rope_factors)


def _sizes(file: GGUF) -> Sizes:
    own = f"{file.architecture}."
    width = file.whole(f"{own}embedding_length", 1, 1 << 18)
    heads = file.whole(f"{own}attention.head_count", 1, 1 << 12)
    kv_heads = file.whole(f"{own}attention.head_count_kv", 1, heads, heads)
    head = file.whole(f"{own}attention.key_length", 2, 1 << 10, width // heads)
    for key in ("attention.value_length", "rope.dimension_count"):
        file.whole(f"{own}{key}", head, head, head)
    if heads % kv_heads or head % 2 or (head * heads != width and f"{own}attention.key_length" not in file.values):
        raise file.problem(f"cannot share a width of {width} by {heads} heads and {kv_heads} key-value heads")
    vocabulary = len(file.tokens)
    if not 1 <= vocabulary <= MAX_VOCABULARY:
        raise file.problem(f"has a vocabulary of {vocabulary:,}", f"arplay opens at most {MAX_VOCABULARY:,}")
    norm = "layer_norm_epsilon" if file.architecture == "gpt2" else "layer_norm_rms_epsilon"
    return Sizes(
        layers=file.whole(f"{own}block_count", 1, 1 << 10),
        context=file.whole(f"{own}context_length", 1, 1 << 30),
        vocabulary=vocabulary,
        width=width,
        inner=file.whole(f"{own}feed_forward_length", 1, 1 << 20),
        heads=heads,
        kv_heads=kv_heads,
        head=head,
        epsilon=file.real(f"{own}attention.{norm}", 0.0, 1.0),
    )


def _weights(file: GGUF, family: _Family, sizes: Sizes) -> dict[str, Weight]:
    layers = "model.layers" if file.architecture != "gpt2" else "transformer.h"
    expected = dict(family.whole)
    for i in range(sizes.layers):
        for name, row in family.layer.items():
            expected[f"blk.{i}.{name}"] = Weight(f"{layers}.{i}.{row.name}", row.shape, row.change)
    if file.architecture == "llama":
        expected["rope_freqs.weight"] = Weight("", ("half",), optional=True)
    for name, row in expected.items():
        tensor = file.tensors.get(name)
        if tensor is None:
            if not row.optional:
                raise file.problem(f"lacks the tensor {name}")
            continue
        shape = tuple(getattr(sizes, size) for size in row.shape)
        if tensor.shape != shape:
            raise file.problem(f"has the shape {tensor.shape} for {name}, its sizes ask for {shape}")
        if not _can_be_undone(tensor.kind):
            what = f"stores {name} as {tensor.kind}, which gguf cannot dequantise"
            raise file.problem(what, "take another file of this model")
        if len(shape) == 1 and tensor.kind != "F32":
            raise file.problem(f"stores {name} as {tensor.kind}", "such tensors are float32 in every GGUF file")
    unknown = sorted(file.tensors.keys() - expected.keys())
    if unknown:
        raise file.problem(f"holds the tensor {unknown[0][:80]}, which has no place in {file.architecture}")
    return {name: row for name, row in expected.items() if name in file.tensors and row.name}


@cache
def _can_be_undone(kind: str) -> bool:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
    from gguf.quants import dequantize

    _, block = GGML_QUANT_SIZES[GGMLQuantizationType[kind]]
    try:
        dequantize(np.zeros((1, block), np.uint8), GGMLQuantizationType[kind])
    except NotImplementedError:
        return False
    return True


def _config(file: GGUF, sizes: Sizes) -> dict[str, Any]:
    """transformers' configuration of the same network."""
    tied = "output.weight" not in file.tensors
    if file.architecture == "gpt2":
        return {
            "model_type": "gpt2",
            "architectures": ["GPT2LMHeadModel"],
            "vocab_size": sizes.vocabulary,
            "n_positions": sizes.context,
            "n_embd": sizes.width,
            "n_layer": sizes.layers,
            "n_head": sizes.heads,
            "n_inner": sizes.inner,
            "layer_norm_epsilon": sizes.epsilon,
            "tie_word_embeddings": tied,
        }
    kind, class_name = {
        "llama": ("llama", "LlamaForCausalLM"),
        "qwen2": ("qwen2", "Qwen2ForCausalLM"),
        "qwen3": ("qwen3", "Qwen3ForCausalLM"),
        "gemma": ("gemma", "GemmaForCausalLM"),
        "gemma3": ("gemma3_text", "Gemma3ForCausalLM"),
    }[file.architecture]
    config: dict[str, Any] = {
        "model_type": kind,
        "architectures": [class_name],
        "vocab_size": sizes.vocabulary,
        "hidden_size": sizes.width,
        "intermediate_size": sizes.inner,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.kv_heads,
        "head_dim": sizes.head,
        "max_position_embeddings": sizes.context,
        "rms_norm_eps": sizes.epsilon,
        "rope_parameters": _rope(file),
        "tie_word_embeddings": tied,
    }
    if file.architecture == "gemma3":
        window = file.whole("gemma3.attention.sliding_window", 1, 1 << 30)
        kinds = ["full_attention" if i % 6 == 5 else "sliding_attention" for i in range(sizes.layers)]
        local = {"rope_type": "default", "rope_theta": 10_000.0}
        scale = sizes.width // sizes.heads if sizes.layers == 62 else sizes.head  # the 27B model is the odd one
        config |= {"sliding_window": window, "layer_types": kinds, "query_pre_attn_scalar": scale}
        config["rope_parameters"] = {"full_attention": _rope(file), "sliding_attention": local}
    return config


def _rope(file: GGUF) -> dict[str, Any]:
    own = f"{file.architecture}.rope"
    found: dict[str, Any] = {"rope_type": "default", "rope_theta": file.real(f"{own}.freq_base", 1.0, 1e12, 10_000.0)}
    scaling = file.text(f"{own}.scaling.type", "none")
    if scaling == "linear":
        found |= {"rope_type": "linear", "factor": file.real(f"{own}.scaling.factor", 1.0, 1e6)}
    elif scaling != "none":
        raise file.problem(
            f"stretches its positions by {scaling[:20]!r}", "arplay knows linear, and factors as tensors"
        )
    return found
