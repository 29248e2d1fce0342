"""Byte-level BPE: train it, save it as the tokenizer files of a transformers folder.

The document separator is token 0. The tokenizer itself puts it in front of every text, so that p(x_1) is
p(x_1 | separator).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from arplay.core.errors import Problem
from arplay.models.alphabets import MAX_TOKENIZER_BYTES, opened
from arplay.training.run_folder import write_whole

SEPARATOR = "<|endoftext|>"


def train_bpe(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    """A byte-level BPE of at most ``vocabulary`` tokens: the separator, the 256 bytes, then merges.

    It has fewer where the texts hold no further pair of tokens that occurs twice.
    No prefix space is added and every digit is a token of its own. Any text round-trips byte for byte.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=[SEPARATOR],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{SEPARATOR} $A",
        pair=f"{SEPARATOR} $A {SEPARATOR} $B",
        special_tokens=[(SEPARATOR, 0)],
    )
    return tokenizer


def read_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a model folder. Raises Problem where it cannot be read, or is not of this kind."""
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise Problem(f"{folder} has no tokenizer.json", "name the folder of a model that arplay trained")
    tokenizer = opened(lambda: _bounded(file), folder.name)
    if tokenizer.encode("").ids != [0]:
        cause = f"the tokenizer of {folder.name} does not put its token 0 before every text"
        raise Problem(cause, "take that of a model that arplay trained")
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path, context: int) -> None:
    """Write tokenizer.json and the tokenizer_config.json that transformers wants beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "tokenizer.json", tokenizer.to_str(pretty=True))
    separator = tokenizer.id_to_token(0)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": separator,
        "eos_token": separator,
        "model_max_length": context,
        "clean_up_tokenization_spaces": False,
    }
    write_whole(folder / "tokenizer_config.json", json.dumps(config, indent=2) + "\n")


def _bounded(file: Path) -> Tokenizer:
    try:
        if file.stat().st_size > MAX_TOKENIZER_BYTES:
            raise ValueError(f"larger than {MAX_TOKENIZER_BYTES >> 20} MiB")
        return Tokenizer.from_str(file.read_text(encoding="utf-8"))
    except Exception as error:  # the Rust library raises bare Exception for a broken file
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise Problem(f"{file} cannot be read ({line})", "take the tokenizer of another model") from error
