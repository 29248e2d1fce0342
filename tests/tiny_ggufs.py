"""Tiny random networks written as GGUF files by gguf's writer, with names and order of llama.cpp's converter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np

from tests.tiny_models import SEPARATOR
from tests.tiny_models import tokenizer as byte_level_tokenizer

ARCHITECTURES = ("llama", "qwen2", "qwen3", "gemma", "gemma3", "gpt2")
CONTEXT = 48
SIZES = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": CONTEXT,
    "rms_norm_eps": 1e-5,
}
KINDS = gguf.GGMLQuantizationType


def network(architecture: str, vocabulary: int, **changes: Any) -> Any:
    """A random network of that architecture; weights, norms and biases all matter."""
    import torch
    import transformers

    torch.manual_seed(11)
    kind = {"gemma3": "gemma3_text"}.get(architecture, architecture)
    if architecture == "gpt2":
        own: dict[str, Any] = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": CONTEXT}
    else:
        own = dict(SIZES)
    if architecture == "gemma3":
        own |= {"num_hidden_layers": 6, "sliding_window": 8, "query_pre_attn_scalar": 16}
    config: Any = transformers.AutoConfig.for_model(kind, vocab_size=vocabulary, **own | changes)
    made: Any = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            parameter.normal_(1.0 if "norm.weight" in name or "ln_" in name else 0.0, 0.12)
    return made.eval()


def write(
    path: Path, architecture: str, kind: gguf.GGMLQuantizationType = KINDS.F32, made: Any = None, **changes: Any
) -> Path:
    """Write a tiny file with the byte-level tokenizer of tests/tiny_models.py; ``changes`` replace or drop values."""
    values = byte_level_values()
    made = made or network(architecture, len(values["tokenizer.ggml.tokens"]))
    return save(path, architecture, kind, made, values | changes)


def byte_level_values() -> dict[str, Any]:
    """What a file says of the byte-level tokenizer of tests/tiny_models.py, which has 300 tokens."""
    tokenizer = byte_level_tokenizer()
    tokens = [tokenizer.id_to_token(i) for i in range(tokenizer.get_vocab_size())]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3 if token == SEPARATOR else 1 for token in tokens],
        "tokenizer.ggml.merges": [" ".join(pair) for pair in _merges(tokenizer)],
        "tokenizer.ggml.bos_token_id": 0,
        "tokenizer.ggml.eos_token_id": 0,
    }


def write_sentencepiece(path: Path, made: Any = None, kind: gguf.GGMLQuantizationType = KINDS.F32) -> Path:
    """A llama file whose vocabulary is of SentencePiece's kind: control, byte and scored tokens."""
    words = [
        "▁",
        "t",
        "h",
        "e",
        "a",
        "c",
        "s",
        "n",
        "o",
        ".",
        "th",
        "he",
        "▁the",
        "▁t",
        "▁a",
        "at",
        "▁c",
        "▁cat",
        "é",
        "▁▁",
    ]
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(256)), *words]
    scored = {
        token: -float(i) for i, token in enumerate(sorted((w for w in words if len(w) > 1), key=len, reverse=True))
    }
    values = {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": np.array([scored.get(token, -100.0) for token in tokens], np.float32),
        "tokenizer.ggml.token_type": [2, 3, 3, *[6] * 256, *[1] * len(words)],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
    }
    return save(path, "llama", kind, made or network("llama", len(tokens)), values)


def save(path: Path, architecture: str, kind: gguf.GGMLQuantizationType, made: Any, values: dict[str, Any]) -> Path:
    writer = gguf.GGUFWriter(path, architecture)
    config = made.config
    gpt2 = architecture == "gpt2"
    heads = config.num_attention_heads
    kv_heads = heads if gpt2 else config.num_key_value_heads
    own: dict[str, Any] = {
        "context_length": config.max_position_embeddings,
        "embedding_length": config.hidden_size,
        "block_count": config.num_hidden_layers,
        "feed_forward_length": 4 * config.hidden_size if gpt2 else config.intermediate_size,
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
    }
    if gpt2:
        own["attention.layer_norm_epsilon"] = config.layer_norm_epsilon
    else:
        own |= {"attention.layer_norm_rms_epsilon": config.rms_norm_eps}
        own |= {"attention.key_length": config.head_dim, "attention.value_length": config.head_dim}
    if architecture == "gemma3":
        own |= {"attention.sliding_window": config.sliding_window}
        own["rope.freq_base"] = config.rope_parameters["full_attention"]["rope_theta"]
    for name, value in ({f"{architecture}.{key}": value for key, value in own.items()} | values).items():
        put(writer, name, value)
    name_of = gguf.get_tensor_name_map(
        next(arch for arch, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture), config.num_hidden_layers
    )
    tied = config.tie_word_embeddings
    for name, parameter in made.state_dict().items():
        if name == "lm_head.weight" and tied:
            continue
        stem, leaf = name.rsplit(".", 1)
        weights = parameter.float().numpy()
        if gpt2 and ".h." in name and weights.ndim == 2:
            weights = weights.T
        if architecture == "llama" and (".q_proj" in name or ".k_proj" in name):
            weights = interleaved(weights, heads if ".q_proj" in name else kv_heads)
        if architecture.startswith("gemma") and "norm" in name:
            weights = weights + 1
        stored = KINDS.F32 if weights.ndim == 1 or "wpe" in name else kind
        raw = gguf.quants.quantize(np.ascontiguousarray(weights), stored)
        writer.add_tensor(f"{name_of.get_name(stem)}.{leaf}", raw, raw_dtype=stored)
    for extra, array in getattr(made, "extra_tensors", {}).items():
        writer.add_tensor(extra, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def interleaved(weights: np.ndarray, heads: int) -> np.ndarray:
    """``LlamaModel.permute`` of llama.cpp's convert_hf_to_gguf.py."""
    split = weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:])
    return split.swapaxes(1, 2).reshape(weights.shape)


def _merges(tokenizer: Any) -> list[list[str]]:
    import json

    return [m.split(" ") if isinstance(m, str) else m for m in json.loads(tokenizer.to_str())["model"]["merges"]]


def put(writer: gguf.GGUFWriter, name: str, value: Any) -> None:
    match value:
        case None:
            pass
        case bool():
            writer.add_bool(name, value)
        case int():
            writer.add_uint32(name, value)
        case float():
            writer.add_float32(name, value)
        case str():
            writer.add_string(name, value)
        case _:
            writer.add_array(name, value.tolist() if isinstance(value, np.ndarray) else value)
