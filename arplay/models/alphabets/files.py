"""The tokenizer of a transformers folder. Nothing in it is run: no code of its own, no chat template."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from arplay.core.errors import Problem
from arplay.models.alphabets.fast import TokenizerAlphabet
from arplay.models.alphabets.special import add_special, older, role_id
from arplay.models.alphabets.text import TextAlphabet

Opened = TypeVar("Opened")

MAX_TOKENIZER_BYTES = 64 * 1024 * 1024
MOST_TOKENS = 1 << 22
_BESIDE = (
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "config.json", "generation_config.json",
)  # fmt: skip
_FILES = ("*.json", "*.model", "*.txt", "*.vocab", "*.bpe")


def open_tokenizer(folder: Path, vocabulary_size: int) -> TextAlphabet:
    """The alphabet of a transformers folder. Raises Problem where its files are missing, broken or too large."""
    from tokenizers import Tokenizer

    file = folder / "tokenizer.json"
    try:
        if not file.is_file():
            return _through_transformers(folder, vocabulary_size)
        # the file holds the rule: the library's class of the name in tokenizer_config.json may put its own in its place
        _bounded(file)
        beside, special_map, added, model, generation = (_read_config(folder / name) for name in _BESIDE)
        tokenizer, config = Tokenizer.from_file(str(file)), older(beside, special_map, added)
        if tokenizer.get_vocab_size() == 0:
            raise _missing(folder)
        add_special(tokenizer, config)
        bos, eos = (role_id(tokenizer, config, model | generation, role) for role in ("bos", "eos"))
        return TokenizerAlphabet(tokenizer, vocabulary_size, bos, eos)
    except Problem:
        raise
    except Exception as error:  # the Rust library raises bare Exception for a broken file
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise Problem(f"the tokenizer in {folder.name} cannot be read ({line})", "fetch the model again") from error


def of_folder(path: Path) -> TextAlphabet:
    """The alphabet of a model folder whose weights nobody looks at. Raises Problem as :func:`open_tokenizer` does."""
    config = _read_config(path / "config.json")
    inner = config.get("text_config")
    sizes = (part.get("vocab_size") for part in (config, inner) if isinstance(part, dict))
    size = next((size for size in sizes if type(size) is int and 0 < size <= MOST_TOKENS), None)
    if size is None:
        raise Problem(f"{path.name}/config.json does not say how many tokens there are", "fetch the model again")
    return opened(lambda: open_tokenizer(path, size), path.name)


def opened(make: Callable[[], Opened], label: str) -> Opened:
    """What ``make`` makes of the tokenizer of ``label``. The Rust library panics over some, which is no Exception."""
    try:
        return make()
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        line = (str(error).splitlines() or [""])[0][:200]
        raise Problem(f"the tokenizer of {label} cannot be read ({line})", "fetch the model again") from error


def _through_transformers(folder: Path, vocabulary_size: int) -> TextAlphabet:
    from transformers import AutoTokenizer

    from arplay.models.alphabets.slow import python_alphabet

    files = [file for pattern in _FILES for file in folder.glob(pattern) if not file.name.endswith(".index.json")]
    if not any(file.name not in ("config.json", "generation_config.json") for file in files):
        raise _missing(folder)
    for file in files:
        _bounded(file)
    try:
        loaded: Any = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    except ImportError as error:
        library = "tiktoken" if "tiktoken" in str(error) else "sentencepiece"
        cause = f"the tokenizer of {folder.name} is in a form that needs the library {library}"
        raise Problem(cause, f"run pip install {library}, or add a tokenizer.json to the folder") from error
    backend = getattr(loaded, "backend_tokenizer", None)
    if backend is not None:
        if backend.get_vocab_size() == 0:
            raise _missing(folder)
        return TokenizerAlphabet(backend, vocabulary_size, loaded.bos_token_id, loaded.eos_token_id)
    if len(loaded) == 0:
        raise _missing(folder)
    return python_alphabet(loaded, vocabulary_size)


def _missing(folder: Path) -> Problem:
    return Problem(f"{folder.name} has no tokenizer", "add its tokenizer.json to the folder")


def _read_config(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    _bounded(file)
    try:
        content = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise Problem(f"{file.name} cannot be read ({error})", "fetch the model again") from error
    return content if isinstance(content, dict) else {}


def _bounded(file: Path) -> None:
    if file.stat().st_size > MAX_TOKENIZER_BYTES:
        raise Problem(f"{file.name} is larger than 64 MiB", "this is no tokenizer that arplay opens")
