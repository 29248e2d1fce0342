"""The tokenizer that a GGUF file carries, restored exactly, or served by llama.cpp: both ways to run a file use it.

GGUF keeps tokens, merges or scores, and only the *name* of the rule that cuts text into words before the merges
(``tokenizer.ggml.pre``). The rules of the names here are those of the models' own tokenizer.json files (llama.cpp's
src/llama-vocab.cpp quotes them), so that these files need no llama.cpp; any other name or kind is asked of llama.cpp,
and refused where that is not installed or does not know it: a near rule gives other ids without a word. Unicode
normalisation, which some tokenizers apply first (Qwen's NFC), is not kept by GGUF: text stays as it is.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arplay.core.errors import Problem
from arplay.models.alphabets import TextAlphabet, TokenizerAlphabet, opened
from arplay.models.alphabets.spelling import BYTE
from arplay.models.gguf.file import GGUF, read
from arplay.models.gguf.parent import Process
from arplay.models.gguf.served import served
from arplay.models.gguf.ways import INSTALL, is_native_there

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_NORMAL, _CONTROL, _USER_DEFINED, _UNUSED, _BYTE = 1, 3, 4, 5, 6

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_TEKKEN = (  # as llama.cpp has it: only A to Z count as capitals, and marks are no part of words
    r"[^\r\n\p{L}\p{N}]?(?:(?=\p{L})[^a-z])*(?:(?=\p{L})[^A-Z])+"
    r"|[^\r\n\p{L}\p{N}]?(?:(?=\p{L})[^a-z])+(?:(?=\p{L})[^A-Z])*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN2 = _LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
_DIGITS_FIRST = "digits"
_RULES = {
    **dict.fromkeys(("gpt-2", "phi-2", "mpt", "olmo"), _GPT2),
    **dict.fromkeys(("smollm", "starcoder", "refact", "codeshell"), _DIGITS_FIRST),
    **dict.fromkeys(("llama-bpe", "llama3", "llama-v3"), _LLAMA3),
    **dict.fromkeys(("qwen2", "deepseek-r1-qwen"), _QWEN2),
    "tekken": _TEKKEN,
}


def open_tokenizer(file: GGUF, process: Process | None = None) -> TextAlphabet:
    """The alphabet of ``file``; llama.cpp serves it from ``process``, or one of its own, where no rule is here.

    Raises Problem where the tokenizer is damaged, or nobody knows its kind.
    """
    size = len(file.tokens)
    bos, eos = special_id(file, "bos"), special_id(file, "eos")
    if not is_restored(file):
        return _served(file, process, bos, eos)
    try:
        return opened(lambda: TokenizerAlphabet(tokenizer_of(file), size, bos, eos), file.path.name)
    except Problem:
        raise
    except Exception as error:  # the Rust library raises bare Exception for merges that do not fit
        raise file.problem(f"has a tokenizer that cannot be used ({error})") from error


def of_file(path: Path) -> TextAlphabet:
    """The alphabet of a GGUF file whose weights nobody looks at. Raises Problem as :func:`open_tokenizer` does."""
    return open_tokenizer(read(path))


def is_restored(file: GGUF) -> bool:
    """Whether the rule of ``file`` is here."""
    model = file.text("tokenizer.ggml.model")
    if model == "llama":
        return not _ties(file)
    return model == "gpt2" and file.text("tokenizer.ggml.pre", "") in _RULES


def _ties(file: GGUF) -> bool:
    """Whether two words with the same score are made of others: which one is made first is the place's to say."""
    scores, kinds = (file.numbers(f"tokenizer.ggml.{key}", len(file.tokens)) for key in ("scores", "token_type"))
    if scores is None:
        return False
    words = [token if kinds is None or kinds[i] == _NORMAL else "" for i, token in enumerate(file.tokens)]
    known, seen = set(words), set[float]()
    shared = Counter(score for score, word in zip(scores.tolist(), words, strict=True) if len(word) > 1)
    for score, word in zip(scores.tolist(), words, strict=True):
        if shared[score] > 1 and any(word[:k] in known and word[k:] in known for k in range(1, len(word))):
            if score in seen:
                return True
            seen.add(score)
    return False


def _served(file: GGUF, process: Process | None, bos: int | None, eos: int | None) -> TextAlphabet:
    name = file.text("tokenizer.ggml.pre", "")
    if file.text("tokenizer.ggml.model") == "gpt2" and not name:
        what = "does not say how it cuts text (tokenizer.ggml.pre), so its ids would be guesses"
        raise file.problem(what, "convert the model again, or open its folder")
    if not is_native_there():
        kind = repr(name[:40]) if name else f"of {file.text('tokenizer.ggml.model')[:40]!r}"
        raise file.problem(f"cuts text by the rule {kind}, which only llama.cpp knows", f"run: {INSTALL}")
    if process is None:
        process = Process(file.path.name, "take another file of this model, or a newer llama-cpp-python")
    return served(process, str(file.path.resolve()), bos, eos)


def tokenizer_of(file: GGUF) -> Tokenizer:
    """The file's tokenizer in the form of ``tokenizers``: ``gpt2`` (byte-level BPE) or ``llama`` (SentencePiece)."""
    from tokenizers import AddedToken, processors

    tokens = file.tokens
    if len(set(tokens)) != len(tokens):
        raise file.problem("has the same token twice")
    found = file.numbers("tokenizer.ggml.token_type", len(tokens))
    kinds = [1] * len(tokens) if found is None else found.tolist()
    model = file.text("tokenizer.ggml.model")
    if model == "llama":  # as llama.cpp has it: a byte's name makes a byte, whatever type the file gives it
        kinds = [_BYTE if BYTE.fullmatch(token) else kind for token, kind in zip(tokens, kinds, strict=True)]
    if not is_restored(file):
        raise file.problem("has a tokenizer that only llama.cpp knows")
    if model == "gpt2":
        tokenizer, adds_bos = _byte_level(file, tokens)
    else:
        tokenizer, adds_bos = _sentencepiece(file, tokens, kinds)
    named = list(zip(tokens, kinds, strict=True))
    special = [AddedToken(token, special=True, normalized=False) for token, kind in named if kind == _CONTROL and token]
    tokenizer.add_special_tokens(special)
    tokenizer.add_tokens(
        [AddedToken(token, normalized=False) for token, kind in named if kind == _USER_DEFINED and token]
    )
    bos = special_id(file, "bos")
    if file.flag("tokenizer.ggml.add_bos_token", adds_bos) and bos is not None:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=["BOS", "$A"], special_tokens=[{"id": "BOS", "ids": [bos], "tokens": [tokens[bos]]}]
        )
    return tokenizer


def special_id(file: GGUF, role: str) -> int | None:
    """The id that the file names for ``bos``, ``eos`` or the like."""
    key = f"tokenizer.ggml.{role}_token_id"
    if key not in file.values:
        return {"bos": 1, "eos": 2}.get(role) if file.text("tokenizer.ggml.model") == "llama" else None
    return file.whole(key, 0, len(file.tokens) - 1)


def _byte_level(file: GGUF, tokens: list[str]) -> tuple[Tokenizer, bool]:
    """Byte-level BPE with the rule that the file names; and whether its kind puts BOS before every text."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    rule = _RULES[file.text("tokenizer.ggml.pre")]
    merges = [(left, right) for left, _, right in (m.partition(" ") for m in file.strings("tokenizer.ggml.merges"))]
    if any(not right or " " in right for _, right in merges):
        raise file.problem("has merges that are not of two parts")
    llama3 = rule == _LLAMA3
    ids = {token: id for id, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(ids, merges, ignore_merges=llama3 or rule == _TEKKEN))
    first: list[Any] = (
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        if rule == _DIGITS_FIRST
        else [
            pre_tokenizers.Split(Regex(rule), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(first)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, llama3 or rule == _TEKKEN


def _sentencepiece(file: GGUF, tokens: list[str], kinds: list[int]) -> tuple[Tokenizer, bool]:
    """SentencePiece's BPE: no words; the neighbours whose union has the best score are merged first."""
    from tokenizers import Tokenizer, decoders, models, normalizers

    scores = file.numbers("tokenizer.ggml.scores", len(tokens))
    if scores is None:
        raise file.problem("has no tokenizer.ggml.scores")
    ids = {token: id for id, token in enumerate(tokens)}
    whole = [i for i, kind in enumerate(kinds) if kind not in (_CONTROL, _UNUSED, _BYTE)]
    merges = []
    for i in sorted(whole, key=lambda i: (-float(scores[i]), i)):
        token = tokens[i]
        halves = [(token[:k], token[k:]) for k in range(1, len(token)) if token[:k] in ids and token[k:] in ids]
        merges += sorted(halves, key=lambda pair: (ids[pair[0]], ids[pair[1]]))
    unknown = special_id(file, "unknown")
    has_bytes = _BYTE in kinds  # maybe not all: a character that needs another one is unknown
    tokenizer = Tokenizer(
        models.BPE(
            ids, merges, unk_token=tokens[unknown or 0], fuse_unk=True, byte_fallback=has_bytes, ignore_merges=False
        )
    )
    prefix = file.flag("tokenizer.ggml.add_space_prefix", True)
    steps: list[Any] = [normalizers.Prepend("▁")] if prefix else []
    tokenizer.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    parts: list[Any] = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*parts, decoders.Strip(" ", 1, 0)] if prefix else parts)
    return tokenizer, True
