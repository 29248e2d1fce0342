"""Tiny random transformers folders, each with a byte-level BPE tokenizer trained on a few lines."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from arplay.models.hf import library

LINES = [
    "The cat sat on the mat, and the dog sat on the log.",
    "In 1961 the café was «open»: naïve, isn't it?\n\tYes 😀",
]
SEPARATOR = "<|endoftext|>"
CONTEXT = 24
WINDOW = 6
"""Tokens that a layer of the sliding-window model sees."""
FAMILIES = ("llama", "gpt2", "mistral")


def tokenizer(adds_separator: bool = False) -> Tokenizer:
    """Id 0 is the separator; it is put before every text if ``adds_separator``."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=[AddedToken(SEPARATOR, special=True)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(LINES, trainer)
    if adds_separator:
        made.post_processor = processors.TemplateProcessing(
            single=f"{SEPARATOR} $A", special_tokens=[(SEPARATOR, 0)], pair=None
        )
    return made


def save_tokenizer(folder: Path, made: Tokenizer) -> None:
    made.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": SEPARATOR, "eos_token": SEPARATOR}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


ATTENTION = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": CONTEXT,
}
GROUPED = ATTENTION | {"num_key_value_heads": 1}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 8}
GPT2 = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": CONTEXT}
OPT = {"ffn_dim": 32, "word_embed_proj_dim": 16, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
STATES = {"hidden_size": 16, "num_hidden_layers": 2}
JAMBA = {
    "num_hidden_layers": 4,
    "attn_layer_period": 2,
    "attn_layer_offset": 1,
    "expert_layer_period": 2,
    "expert_layer_offset": 1,
    "num_experts": 2,
    "mamba_d_state": 4,
    "mamba_dt_rank": 2,
    "use_mamba_kernels": False,
}
SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("GPT2", GPT2),
    "gpt_neox": ("GPTNeoX", ATTENTION),
    "opt": ("OPT", OPT | {"max_position_embeddings": CONTEXT}),
    "bloom": ("Bloom", {"hidden_size": 16, "n_layer": 2, "n_head": 2, "seq_length": CONTEXT}),
    "llama": ("Llama", GROUPED),
    "mistral": ("Mistral", GROUPED | {"sliding_window": WINDOW}),
    "gemma2": ("Gemma2", GROUPED | {"sliding_window": WINDOW, "head_dim": 8}),
    "gemma3_text": ("Gemma3Text", GROUPED | {"sliding_window": WINDOW, "head_dim": 8, "num_hidden_layers": 6}),
    "qwen2": ("Qwen2", GROUPED),
    "qwen3": ("Qwen3", GROUPED | {"head_dim": 8}),
    "phi": ("Phi", ATTENTION),
    "smollm3": ("SmolLM3", GROUPED | {"num_hidden_layers": 4, "pad_token_id": 0}),
    "mixtral": ("Mixtral", GROUPED | {"num_local_experts": 4}),
    "qwen2_moe": ("Qwen2Moe", GROUPED | EXPERTS | {"shared_expert_intermediate_size": 8}),
    "mamba": ("Mamba", STATES | {"state_size": 4, "time_step_rank": 2}),
    "mamba2": ("Mamba2", STATES | {"state_size": 4, "num_heads": 4, "head_dim": 8, "n_groups": 1, "chunk_size": 8}),
    "rwkv": ("Rwkv", STATES | {"attention_hidden_size": 16, "context_length": CONTEXT}),
    "jamba": ("Jamba", GROUPED | JAMBA),
    "lfm2": ("Lfm2", GROUPED | {"num_hidden_layers": 3, "layer_types": ["conv", "full_attention", "conv"]}),
    "recurrent_gemma": (
        "RecurrentGemma",
        {key: GROUPED[key] for key in GROUPED if key != "max_position_embeddings"}
        | {"num_hidden_layers": 3, "lru_width": 16, "attention_window_size": WINDOW},
    ),
    "openai-gpt": ("OpenAIGPT", GPT2),
}
"""The configuration of every family that is tested: the name of its class and what makes it tiny."""

GAIN = {"mamba": 3.0, "mamba2": 3.0, "rwkv": 5.0}


def network(family: str, **changes: Any) -> Any:
    """A random network; its weights are large enough that every token of the context matters.

    They are drawn once a process, as torch has one generator for all threads: who asks again has the same ones,
    whatever another thread draws meanwhile.
    """
    return copy.deepcopy(_drawn(family, json.dumps(changes)))


@cache
def _drawn(family: str, changes: str) -> Any:
    import torch
    import transformers

    name, settings = SETTINGS[family]
    size = tokenizer().get_vocab_size()
    config = getattr(transformers, f"{name}Config")(**{"vocab_size": size} | settings | json.loads(changes))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(7)
        made = transformers.AutoModelForCausalLM.from_config(config)
        for parameter in made.parameters():
            if parameter.dim() > 1:
                parameter.mul_(GAIN.get(family, 12.0))
    return made.eval()


def save(folder: Path, family: str, adds_separator: bool = False, **changes: Any) -> Path:
    made = network(family, **changes)
    with library.bars(None):
        made.save_pretrained(folder)
    save_tokenizer(folder, tokenizer(adds_separator))
    return folder


@pytest.fixture(scope="session")
def tiny_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One saved folder for each family; look, but write into a copy only."""
    return {family: save(tmp_path_factory.mktemp(family), family) for family in FAMILIES}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other take most of the time in networks this small."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
