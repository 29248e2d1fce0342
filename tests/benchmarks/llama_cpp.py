"""One more token beside llama.cpp with the same weights, measured in turns: arplay's own network, and native files.

``python -m tests.benchmarks.llama_cpp``: `english` and, where it is on this computer, `smollm2`, in 32 bits and, run
natively through the pipe, in Q4_1 as well. llama.cpp runs alone in this process, as fast as it goes: it reads the token
and leaves its logits, with the threads that arplay uses; for scoring it leaves those of every token.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import llama_cpp
import numpy as np
import torch

from arplay.core.distribution import log_softmax
from arplay.models import catalogue
from arplay.models.gguf.native import NativeModel
from arplay.models.gguf.parent import Process, Weights
from tests.benchmarks.harness import row

PREFIXES = (32, 256, 1024)
REPEATS = 21
SCORED = 256
KINDS = gguf.GGMLQuantizationType


def save(network: Any, path: Path, kind: gguf.GGMLQuantizationType) -> None:
    """The weights of models/hf/llama.py as a GGUF file without tokenizer, matrices as numbers of that ``kind``."""
    sizes = network.config
    heads, kv_heads = (n * sizes.head_dim for n in (sizes.num_attention_heads, sizes.num_key_value_heads))
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(sizes.max_position_embeddings)
    writer.add_embedding_length(sizes.hidden_size)
    writer.add_block_count(sizes.num_hidden_layers)
    writer.add_feed_forward_length(sizes.intermediate_size)
    writer.add_head_count(sizes.num_attention_heads)
    writer.add_head_count_kv(sizes.num_key_value_heads)
    writer.add_key_length(sizes.head_dim)
    writer.add_value_length(sizes.head_dim)
    writer.add_rope_dimension_count(sizes.head_dim)
    writer.add_rope_freq_base(sizes.rope_theta)
    writer.add_layer_norm_rms_eps(sizes.rms_norm_eps)
    writer.add_vocab_size(sizes.vocab_size)
    writer.add_tokenizer_model("no_vocab")

    def add(name: str, weight: Any) -> None:
        stored = kind if weight.ndim > 1 and weight.shape[-1] % 32 == 0 else KINDS.F32
        raw = gguf.quants.quantize(np.ascontiguousarray(weight.float().numpy()), stored)
        writer.add_tensor(name, raw, raw_dtype=stored)

    add("token_embd.weight", network.embedding)
    if not sizes.tie_word_embeddings:
        add("output.weight", network.head.t())
    add("output_norm.weight", network.norm)
    for i, layer in enumerate(network.layers):
        block = f"blk.{i}."
        q, k, v = layer.qkv.t().split([heads, kv_heads, kv_heads])
        gate, up = layer.gate_up.t().chunk(2)
        named = {"attn_norm": layer.before_attention, "attn_q": q, "attn_k": k, "attn_v": v}
        named |= {"attn_output": layer.out.t(), "ffn_norm": layer.before_feed_forward}
        named |= {"ffn_gate": gate, "ffn_up": up, "ffn_down": layer.down.t()}
        for name, weight in named.items():
            add(f"{block}{name}.weight", weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compare(name: str, model: Any, other: Any, ids: list[int], prefix: int) -> None:
    """Print the medians of a step of both after ``prefix`` tokens, and how far their numbers are apart."""
    session = model.session()
    session.read(ids[:prefix])
    other.reset()
    other.eval(ids[:prefix])

    def ours() -> None:
        session.rewind(prefix)
        session.read([ids[prefix]])
        session.logits()

    def theirs() -> None:
        other.n_tokens = prefix  # what is read next stands in this place
        other.eval([ids[prefix]])

    times = [(seconds(ours), seconds(theirs)) for _ in range(REPEATS)]
    mine, base = (1000 * statistics.median(column) for column in zip(*times, strict=True))
    logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(other.ctx, -1), (model.info.vocabulary,))
    apart = float(np.abs(log_softmax(logits.copy()) - log_softmax(session.logits())).max())
    baseline = f"llama.cpp {base:.2f} ms, numbers {apart:.1g} nats apart"
    row(f"{name}: step after {prefix}", mine, "ms", 1.2 * base, baseline)


def compare_scoring(name: str, model: Any, other: Any, ids: list[int]) -> None:
    """The same for the scores of ``ids``, of which llama.cpp only computes the logits."""

    def theirs() -> None:
        other.reset()
        other.eval(ids)

    times = [(seconds(lambda: model.session().extend(ids)), seconds(theirs)) for _ in range(REPEATS // 3)]
    mine, base = (1000 * statistics.median(column) for column in zip(*times, strict=True))
    row(f"{name}: {len(ids)} tokens scored", mine, "ms", 1.3 * base, f"llama.cpp's logits {base:.2f} ms")


def native(model: Any, path: Path) -> NativeModel:
    """The file in a process of llama.cpp, as arplay runs it, with the tokenizer of ``model``."""
    threads, size = torch.get_num_threads(), model.info.vocabulary
    weights = Weights(Process(path.name, ""), path, "llama", size, threads, lambda fraction, what: None)
    return NativeModel(weights, model.alphabet, model.info)


def library(path: Path, context: int, **more: Any) -> Any:
    wide = {"type_k": llama_cpp.GGML_TYPE_F32, "type_v": llama_cpp.GGML_TYPE_F32}
    threads = torch.get_num_threads()
    both = {"n_ctx": context, "n_threads": threads, "n_threads_batch": threads}
    return llama_cpp.Llama(str(path), use_mmap=False, verbose=False, **both, **wide, **more)


def main() -> None:
    for name in ("english", "smollm2"):
        if not catalogue.is_ready(name):
            print(f"{name} is not on this computer (arplay models get {name})")
            continue
        model: Any = catalogue.load(name, "cpu", "float32", lambda fraction, what: None)
        context = min(model.info.context, max(PREFIXES) + 2)
        ids = np.random.default_rng(0).integers(0, model.info.vocabulary, context).tolist()
        for kind in (KINDS.F32, KINDS.Q4_1):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "same.gguf"
                save(model.network, path, kind)
                piped, other = native(model, path), library(path, context)
                every = library(path, context, logits_all=True)
            for prefix in PREFIXES:
                if prefix + 2 <= context:
                    if kind == KINDS.F32:
                        compare(name, model, other, ids, prefix)
                    compare(f"{name} native {kind.name}", piped, other, ids, prefix)
            compare_scoring(f"{name} native {kind.name}", piped, every, ids[: min(SCORED, context)])
            other.close()
            every.close()


main()
