"""Folders that the network of models/hf/llama.py opens: what it understands of a config.json, and the weights in place.

Only what is wholly understood: a config.json whose every field is known, with a value that the network implements, and
weights that are exactly the network's by name and shape. Whatever else goes to the transformers library, with the
reason told.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arplay.core.format import significant
from arplay.models.hf import library
from arplay.models.store.folder import Folder

if TYPE_CHECKING:
    from torch import Tensor

    from arplay.models.base import Report
    from arplay.models.hf.llama import Llama, Sizes

_ONLY: Mapping[str, tuple[Any, ...]] = {
    "architectures": (["LlamaForCausalLM"],),
    "attention_bias": (False,),
    "hidden_act": ("silu",),
    "is_decoder": (False, True),
    "is_encoder_decoder": (False,),
    "mlp_bias": (False,),
    "model_type": ("llama",),
    "partial_rotary_factor": (1.0, None),
    "pretraining_tp": (1,),
    "rope_interleaved": (False,),
    "rope_scaling": (None,),
    "tie_word_embeddings": (False, True),
    "add_cross_attention": (False,),
    "pruned_heads": ({}, None),
}
"""Fields that change the network, and the values that it implements."""

_SIZES = {
    "vocab_size": None,
    "hidden_size": None,
    "intermediate_size": None,
    "num_hidden_layers": None,
    "num_attention_heads": None,
    "num_key_value_heads": "num_attention_heads",
    "head_dim": "hidden_size",
    "max_position_embeddings": None,
}
"""Whole numbers, and what each is made from where it is not given (None: it must be)."""

_NUMBERS = {"rms_norm_eps": 1e-6, "rope_theta": 10000.0}
"""Numbers, and what transformers takes where they are not given."""

_NO_MATTER = (
    "_attn_implementation", "_attn_implementation_autoset", "_name_or_path", "attention_dropout",
    "attn_implementation", "auto_map", "bos_token_id", "chunk_size_feed_forward", "cross_attention_hidden_size",
    "decoder_start_token_id", "dtype", "eos_token_id", "finetuning_task", "id2label", "initializer_range",
    "is_llama_config", "label2id", "output_attentions", "output_hidden_states", "pad_token_id", "prefix",
    "problem_type", "return_dict", "rope_parameters", "sep_token_id", "task_specific_params", "tie_encoder_decoder",
    "tokenizer_class", "torch_dtype", "torchscript", "transformers.js_config", "transformers_version",
    "unk_token_id", "unsloth_fixed", "unsloth_version", "use_bfloat16", "use_cache",
)  # fmt: skip
"""Fields that do not change the logits of a network that is not being trained."""

LIBRARY = "transformers.models.llama.modeling_llama"
MOST_COMPARED = 30_000_000
"""Networks of more parameters are not read a second time to be compared: that would take as much memory again."""

_LAYER = "model.layers.{}."
_IGNORED = ".rotary_emb.inv_freq"  # older versions of the library stored what follows from rope_theta


def understood(folder: Folder, device: str) -> tuple[Sizes | None, str]:
    """The sizes of the network in ``folder``; or None, and the sentence why models/hf/llama.py does not open it.

    The sentence is "" where the folder is of another family. Imports torch.
    """
    if folder.family != "llama":
        return None, ""
    from arplay.models.hf.llama import Sizes

    values, unknown = _values(folder.config)
    if not unknown and device not in ("cpu", "cuda"):
        unknown = f"it was never tried on {device}"
    if not unknown:
        sizes = Sizes(**values)
        wanted = dict(_names(sizes))
        held = {name: tensor.shape for name, tensor in folder.tensors.items() if not name.endswith(_IGNORED)}
        wrong = sorted(name for name in wanted.keys() | held.keys() if wanted.get(name) != held.get(name))
        kinds = {folder.tensors[name].dtype for name in wanted.keys() & held.keys()}
        if not wrong and kinds <= {"F32", "BF16", "F16"}:
            return sizes, ""
        unknown = f"{wrong[0][:80]} in its weights is another" if wrong else "its weights are stored in another type"
    return None, f"arplay's own Llama network is not used, transformers' is: {unknown}"


def _values(config: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Every size and number of :class:`arplay.models.hf.llama.Sizes`; or what is not understood."""
    rope = config.get("rope_parameters")
    rope = {} if rope is None else rope
    if not isinstance(rope, dict) or not rope.keys() <= {"rope_type", "rope_theta", "partial_rotary_factor"}:
        return {}, "config.json has other rope_parameters"
    if rope.get("rope_type", "default") != "default":
        return {}, f"config.json asks for rotary positions of the type {str(rope['rope_type'])[:40]}"
    given = dict(config) | {name: rope[name] for name in rope.keys() - {"rope_type"}}
    for name, value in given.items():
        if name in _ONLY:
            if not any(value == one and type(value) is type(one) for one in _ONLY[name]):
                return {}, f"config.json says {name} is {str(value)[:40]}"
        elif name not in _SIZES and name not in _NUMBERS and name not in _NO_MATTER:
            return {}, f"config.json holds {name[:60]}, which it does not know"
    found: dict[str, Any] = {"tie_word_embeddings": given.get("tie_word_embeddings", False)}
    for name, instead in _SIZES.items():
        value = given.get(name)
        if value is None and instead == "hidden_size":
            value = found["hidden_size"] // found["num_attention_heads"]
        elif value is None and instead is not None:
            value = found[instead]
        if type(value) is not int or value < 1:
            return {}, f"config.json gives no {name}"
        found[name] = value
    for name, usual in _NUMBERS.items():
        value = given.get(name, usual)
        if type(value) not in (int, float) or not 0 < value < 1e12:
            return {}, f"config.json gives no {name}"
        found[name] = float(value)
    if found["num_attention_heads"] % found["num_key_value_heads"] or found["head_dim"] % 2:
        return {}, "the numbers of heads in config.json do not go together"
    return found, ""


def _names(sizes: Sizes) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes (out, in) of all weights, as the library stores them."""
    d, hidden, width = sizes.hidden_size, sizes.intermediate_size, sizes.head_dim
    heads, kv_heads = sizes.num_attention_heads * width, sizes.num_key_value_heads * width
    yield "model.embed_tokens.weight", (sizes.vocab_size, d)
    for i in range(sizes.num_hidden_layers):
        layer = _LAYER.format(i)
        yield layer + "input_layernorm.weight", (d,)
        yield layer + "self_attn.q_proj.weight", (heads, d)
        yield layer + "self_attn.k_proj.weight", (kv_heads, d)
        yield layer + "self_attn.v_proj.weight", (kv_heads, d)
        yield layer + "self_attn.o_proj.weight", (d, heads)
        yield layer + "post_attention_layernorm.weight", (d,)
        yield layer + "mlp.gate_proj.weight", (hidden, d)
        yield layer + "mlp.up_proj.weight", (hidden, d)
        yield layer + "mlp.down_proj.weight", (d, hidden)
    yield "model.norm.weight", (d,)
    if not sizes.tie_word_embeddings:
        yield "lm_head.weight", (sizes.vocab_size, d)


def build(folder: Folder, sizes: Sizes, device: str, dtype: Any, report: Report) -> Llama:
    """The network of an understood folder on its device. ``report`` may raise to cancel.

    A layer is read, put in order and let go before the next is, so that the file is never in memory twice.
    """
    import torch

    from arplay.models.hf.llama import Layer, Llama

    files = {name: file for file in folder.weights for name in _held(file)}

    def weight(name: str) -> Tensor:
        return _read(files[name], name).to(dtype)

    def product(*parts: Tensor) -> Tensor:
        return _laid_out(torch.cat(parts) if len(parts) > 1 else parts[0], device)

    with torch.inference_mode():
        layers = []
        for i in range(sizes.num_hidden_layers):
            report(i / (sizes.num_hidden_layers + 1), "loading weights")
            attention, mlp = _LAYER.format(i) + "self_attn.", _LAYER.format(i) + "mlp."
            q, k, v = (weight(f"{attention}{name}_proj.weight") for name in "qkv")
            layers.append(
                Layer(
                    weight(_LAYER.format(i) + "input_layernorm.weight").to(device, copy=True),
                    product(neighbours(q, sizes.head_dim), neighbours(k, sizes.head_dim), v),
                    product(weight(attention + "o_proj.weight")),
                    weight(_LAYER.format(i) + "post_attention_layernorm.weight").to(device, copy=True),
                    product(weight(mlp + "gate_proj.weight"), weight(mlp + "up_proj.weight")),
                    product(weight(mlp + "down_proj.weight")),
                )
            )
        report(1 - 1 / (sizes.num_hidden_layers + 1), "loading weights")
        norm = weight("model.norm.weight").to(device, copy=True)
        embedding = weight("model.embed_tokens.weight")
        if sizes.tie_word_embeddings:
            head = product(embedding)
            return Llama(sizes, tuple(layers), norm, head, head.t())
        return Llama(sizes, tuple(layers), norm, product(weight("lm_head.weight")), embedding.to(device, copy=True))


def compared(torch: Any, network: Llama, folder: Folder) -> tuple[str, str]:
    """What is known of the numbers of ``network`` beside the library's class, and why it is not used ("": it is).

    The class is asked only where it is imported already: importing it takes longer than all the rest.
    """
    ours = "arplay's own Llama network"
    if LIBRARY not in sys.modules or folder.elements > MOST_COMPARED:
        return f"{ours}, its cached steps proved here against whole passes; `arplay bench` compares it with others", ""
    try:
        other = library.causal_network(str(folder.path), dtype=network.dtype)
    except Exception as error:  # noqa: BLE001 - a config that the library refuses: it then says so itself
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        return "", f"{ours} is not used: transformers makes nothing of this folder ({line})"
    gap, most = apart(torch, network, other)
    if gap <= (1e-4 if network.dtype == torch.float32 else 0.05) * most:
        return f"{ours}, proved here: its logits are those of transformers but for {significant(gap, 1)}", ""
    return "", f"{ours} is not used: its logits differ from those of transformers by {significant(gap, 2)}"


def apart(torch: Any, network: Any, other: Any) -> tuple[float, float]:
    """The largest difference of the logits of two networks after each of a few tokens, and the largest logit."""
    size = network.config.vocab_size
    ids = torch.arange(1, min(24, network.config.max_position_embeddings) + 1, device=network.device)[None] * 31 % size
    with torch.inference_mode():
        mine, theirs = network(ids).logits.float(), other.to(network.device)(ids).logits.float()
    return float((mine - theirs).abs().max()), float(theirs.abs().max())


def neighbours(rows: Tensor, width: int) -> Tensor:
    """The rows of q or k, (heads * width, d), with i and i + width/2 of each head side by side: 0, width/2, 1, ...

    The library turns numbers that lie half a head apart, models/hf/llama.py neighbours, as complex numbers lie.
    """
    return rows.view(-1, 2, width // 2, rows.shape[1]).transpose(1, 2).reshape(rows.shape)


def _laid_out(weight: Tensor, device: str) -> Tensor:
    """(out, in) as (in, out), in the order in memory in which one row is multiplied fastest on a CPU: the numbers that
    go to neighbouring outputs side by side where there are many outputs, else those from neighbouring inputs."""
    wide = weight.shape[0] > weight.shape[1]
    if device == "cpu" and wide:
        return weight.t().contiguous()
    return weight.to(device, copy=True).t()


def _held(file: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(file, "pt") as opened:
        return list(opened.keys())


def _read(file: Path, name: str) -> Tensor:
    """One tensor; the file is opened for it alone, so that what was read of it before need not stay in memory."""
    from safetensors import safe_open

    with safe_open(file, "pt") as opened:
        tensor: Tensor = opened.get_tensor(name)
        return tensor
