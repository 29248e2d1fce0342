"""Tiny random GGUF files of architectures that arplay has no table of: sizes and tensors as llama.cpp's loaders ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np

from tests.tiny_ggufs import byte_level_values, put

WIDTH, INNER, LAYERS, CONTEXT, RANK = 64, 96, 3, 4096, 8
KV = 32
ATTENTION = {"attention.head_count": 4, "attention.head_count_kv": 2}
NORM = {"attention.layer_norm_epsilon": 1e-5}
RMS = {"attention.layer_norm_rms_epsilon": 1e-5}
QKV = {"attn_q.weight": (WIDTH, WIDTH), "attn_k.weight": (KV, WIDTH), "attn_v.weight": (KV, WIDTH)}
OUT = {"attn_output.weight": (WIDTH, WIDTH)}
GATED = {"ffn_gate.weight": (INNER, WIDTH), "ffn_up.weight": (INNER, WIDTH), "ffn_down.weight": (WIDTH, INNER)}


def both(name: str, rows: int, *inputs: int) -> dict[str, tuple[int, ...]]:
    """A weight and its bias."""
    return {f"{name}.weight": (rows, *inputs), f"{name}.bias": (rows,)}


def time_mix() -> dict[str, tuple[int, ...]]:
    made: dict[str, tuple[int, ...]] = {f"time_mix_{kind}.weight": (WIDTH,) for kind in ("w0", "a0", "v0")}
    for kind in "wavg":
        made |= {f"time_mix_{kind}1.weight": (RANK, WIDTH), f"time_mix_{kind}2.weight": (WIDTH, RANK)}
    made |= {f"time_mix_{kind}.weight": (WIDTH,) for kind in ("k_k", "k_a", "r_k")}
    made |= {f"time_mix_{kind}.weight": (WIDTH, WIDTH) for kind in ("key", "value", "receptance", "output")}
    return made | both("time_mix_ln", WIDTH) | {"time_mix_lerp_fused.weight": (6, 1, 1, WIDTH)}


Shapes = dict[str, tuple[int, ...]]
T5 = RMS | {"attention.head_count": 4, "attention.relative_buckets_count": 8}


def stack(side: str) -> Shapes:
    """A layer of T5's encoder or decoder; names as in the file, with {} for its number."""
    parts = ("attn", "cross_attn") if side == "dec" else ("attn",)
    made: Shapes = {f"{part}_{kind}.weight": (WIDTH, WIDTH) for part in parts for kind in "qkvo"}
    made |= {f"{part}_norm.weight": (WIDTH,) for part in (*parts, "ffn")} | {"attn_rel_b.weight": (8, 4)} | GATED
    return {f"{side}.blk.{{}}.{name}": shape for name, shape in made.items()}


ARCHITECTURES: dict[str, tuple[dict[str, Any], Shapes, Shapes]] = {
    "stablelm": (
        ATTENTION | NORM | {"use_parallel_residual": True, "rope.dimension_count": 16},
        both("output_norm", WIDTH),
        both("attn_norm", WIDTH) | QKV | OUT | both("ffn_norm", WIDTH) | GATED,
    ),
    "phi2": (
        {"attention.head_count": 4, "attention.head_count_kv": 4, "rope.dimension_count": 8} | NORM,
        both("output_norm", WIDTH) | {"output.bias": (300,)},
        both("attn_norm", WIDTH)
        | both("attn_qkv", 3 * WIDTH, WIDTH)
        | both("attn_output", WIDTH, WIDTH)
        | both("ffn_up", INNER, WIDTH)
        | both("ffn_down", WIDTH, INNER),
    ),
    "gemma2": (  # every second layer has a window
        ATTENTION | RMS | {"attention.sliding_window": 8, "attention.key_length": 16, "attention.value_length": 16},
        {"output_norm.weight": (WIDTH,)},
        {f"{name}.weight": (WIDTH,) for name in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")}
        | QKV
        | OUT
        | GATED,
    ),
    "mamba": (  # nothing but a state
        RMS | {"ssm.conv_kernel": 4, "ssm.inner_size": 128, "ssm.state_size": 16, "ssm.time_step_rank": RANK},
        {"output_norm.weight": (WIDTH,)},
        {"attn_norm.weight": (WIDTH,), "ssm_in.weight": (256, WIDTH), "ssm_x.weight": (RANK + 32, 128)}
        | both("ssm_dt", 128, RANK)
        | {"ssm_conv1d.weight": (128, 4), "ssm_conv1d.bias": (128,), "ssm_a": (128, 16), "ssm_d": (128,)}
        | {"ssm_out.weight": (WIDTH, 128)},
    ),
    "rwkv7": (  # its heads are 64 wide: llama.cpp overruns its memory with smaller ones
        NORM
        | {"wkv.head_size": 64, "token_shift_count": 2}
        | {f"attention.{kind}_lora_rank": RANK for kind in ("decay", "iclr", "value_residual_mix", "gate")},
        both("output_norm", WIDTH) | {f"token_embd_norm.{kind}": (WIDTH,) for kind in ("weight", "bias")},
        both("attn_norm", WIDTH)
        | both("attn_norm_2", WIDTH)
        | time_mix()
        | {"channel_mix_lerp_k.weight": (1, 1, WIDTH)}
        | {"channel_mix_key.weight": (INNER, WIDTH), "channel_mix_value.weight": (WIDTH, INNER)},
    ),
    "lfm2": (  # a state in the first and last layer, attention in between
        RMS | {"attention.head_count": 4, "attention.head_count_kv": [0, 2, 0], "shortconv.l_cache": 3},
        {"token_embd_norm.weight": (WIDTH,)},
        {"attn_norm.weight": (WIDTH,), "ffn_norm.weight": (WIDTH,)} | GATED,
    ),
    "dream": (  # diffusion
        ATTENTION | RMS,
        {"output_norm.weight": (WIDTH,)},
        {f"{name}.weight": (WIDTH,) for name in ("attn_norm", "ffn_norm")} | QKV | OUT | GATED,
    ),
    "t5": (T5, {f"{side}.output_norm.weight": (WIDTH,) for side in ("enc", "dec")}, stack("enc") | stack("dec")),
    "t5encoder": (T5, {"enc.output_norm.weight": (WIDTH,)}, stack("enc")),
    "bert": (  # no causal model
        {"attention.head_count": 4, "attention.head_count_kv": 4, "attention.causal": False} | NORM,
        {"position_embd.weight": (CONTEXT, WIDTH), "token_types.weight": (2, WIDTH)}
        | {f"token_embd_norm.{kind}": (WIDTH,) for kind in ("weight", "bias")},
        {f"attn_{kind}.weight": (WIDTH, WIDTH) for kind in "qkv"}
        | OUT
        | both("attn_output_norm", WIDTH)
        | both("layer_output_norm", WIDTH)
        | both("ffn_up", INNER, WIDTH)
        | both("ffn_down", WIDTH, INNER),
    ),
}


def write_other(path: Path, architecture: str, **changes: Any) -> Path:
    """A tiny file with the byte-level tokenizer of 300 tokens; ``changes`` replace or drop values."""
    own, whole, layer = ARCHITECTURES[architecture]
    values = {"context_length": CONTEXT, "embedding_length": WIDTH, "block_count": LAYERS, "feed_forward_length": INNER}
    dice = np.random.default_rng(7)
    tensors = {"token_embd.weight": (300, WIDTH)} | whole
    if architecture not in ("gemma2", "bert", "lfm2", "mamba"):
        tensors["output.weight"] = (300, WIDTH)
    for i in range(LAYERS):
        mine = layer
        if architecture == "lfm2" and i == 1:
            mine = layer | QKV | OUT | {"attn_q_norm.weight": (16,), "attn_k_norm.weight": (16,)}
        elif architecture == "lfm2":
            mine = layer | {"shortconv.conv.weight": (WIDTH, 3), "shortconv.in_proj.weight": (3 * WIDTH, WIDTH)}
            mine |= {"shortconv.out_proj.weight": (WIDTH, WIDTH)}
        tensors |= {name.format(i) if "{}" in name else f"blk.{i}.{name}": shape for name, shape in mine.items()}
    writer = gguf.GGUFWriter(path, architecture)
    named = {f"{architecture}.{key}": value for key, value in (values | own).items()}
    if architecture == "bert":
        named["tokenizer.ggml.token_type_count"] = 2
    for name, value in (named | byte_level_values() | changes).items():
        put(writer, name, value)
    for name, shape in tensors.items():
        numbers = dice.normal(1.0 if "norm" in name and "weight" in name else 0.0, 0.15, shape)
        if name.endswith("ssm_a"):
            numbers = -0.02 * np.exp(numbers)  # a state that decays slowly
        writer.add_tensor(name, numbers.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
