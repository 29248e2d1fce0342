"""The tokenizer of a transformers folder. Nothing in it is run: no code of its own, no chat template."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from arplay.core.errors import Problem
from arplay.models.alphabets.fast import TokenizerAlphabet
from arplay.models.alphabets.text import TextAlphabet

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Opened = TypeVar("Opened")

MAX_TOKENIZER_BYTES = 64 * 1024 * 1024
_PLAIN_CLASSES = ("PreTrainedTokenizerFast", "TokenizersBackend")
_FILES = ("*.json", "*.model", "*.txt", "*.vocab", "*.bpe")


def open_tokenizer(folder: Path, vocabulary_size: int) -> TextAlphabet:
    """The alphabet of a transformers folder. Raises Problem where its files are missing, broken or too large."""
    from tokenizers import Tokenizer

    config = _read_config(folder / "tokenizer_config.json")
    file = folder / "tokenizer.json"
    try:
        # the generic class is only a shell around this file; reading it directly saves seconds of imports
        plain = config.get("tokenizer_class") in _PLAIN_CLASSES and not {"add_bos_token", "add_eos_token"} & set(config)
        if not (file.is_file() and plain):
            return _through_transformers(folder, vocabulary_size)
        _bounded(file)
        tokenizer = Tokenizer.from_file(str(file))
        bos, eos = (_named_id(tokenizer, config.get(key)) for key in ("bos_token", "eos_token"))
        return _alphabet(folder, tokenizer, vocabulary_size, bos, eos)
    except Problem:
        raise
    except Exception as error:  # the Rust library raises bare Exception for a broken file
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise Problem(f"the tokenizer in {folder.name} cannot be read ({line})", "fetch the model again") from error


def opened(make: Callable[[], Opened], label: str) -> Opened:
    """What ``make`` makes of the tokenizer of ``label``. The Rust library panics over some, which is no Exception."""
    try:
        return make()
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        line = (str(error).splitlines() or [""])[0][:200]
        raise Problem(f"the tokenizer of {label} cannot be read ({line})", "fetch the model again") from error


def _alphabet(folder: Path, tokenizer: Tokenizer, size: int, bos: int | None, eos: int | None) -> TokenizerAlphabet:
    if tokenizer.get_vocab_size() == 0:
        raise _missing(folder)
    return TokenizerAlphabet(tokenizer, size, bos, eos)


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
        return _alphabet(folder, backend, vocabulary_size, loaded.bos_token_id, loaded.eos_token_id)
    if len(loaded) == 0:
        raise _missing(folder)
    return python_alphabet(loaded, vocabulary_size)


def _missing(folder: Path) -> Problem:
    return Problem(f"{folder.name} has no tokenizer", "add its tokenizer.json to the folder")


def _named_id(tokenizer: Tokenizer, token: Any) -> int | None:
    if isinstance(token, dict):
        token = token.get("content")
    return tokenizer.token_to_id(token) if isinstance(token, str) else None


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
