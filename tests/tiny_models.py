"""Tiny random transformers folders, each with a byte-level BPE tokenizer trained on a few lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

LINES = [
    "The cat sat on the mat, and the dog sat on the log.",
    "In 1961 the café was «open»: naïve, isn't it?\n\tYes 😀",
]
SEPARATOR = "<|endoftext|>"
CONTEXT = 24
WINDOW = 6
"""Pieces that a layer of the sliding-window model sees."""
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


def network(family: str, **changes: Any) -> Any:
    """A fresh random network; its weights are large enough that every piece of the context matters."""
    import torch
    import transformers

    torch.manual_seed(7)
    size = tokenizer().get_vocab_size()
    if family == "gpt2":
        settings = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": CONTEXT}
        config: Any = transformers.GPT2Config(vocab_size=size, **settings | changes)
        made: Any = transformers.GPT2LMHeadModel(config)
    else:
        settings = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
        settings |= {"num_key_value_heads": 1, "max_position_embeddings": CONTEXT}
        if family == "mistral":
            config = transformers.MistralConfig(vocab_size=size, **settings | {"sliding_window": WINDOW} | changes)
            made = transformers.MistralForCausalLM(config)
        else:
            config = transformers.LlamaConfig(vocab_size=size, **settings | changes)
            made = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.dim() > 1:
                parameter.mul_(12)
    return made.eval()


def save(folder: Path, family: str, adds_separator: bool = False, **changes: Any) -> Path:
    network(family, **changes).save_pretrained(folder)
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
