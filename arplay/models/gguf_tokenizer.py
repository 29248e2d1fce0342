"""The tokenizer that a GGUF file carries, restored exactly: both ways to run the file use this one.

GGUF keeps tokens, merges or scores, and only the *name* of the rule that cuts text into words before the merges
(``tokenizer.ggml.pre``). The rules of the names here are those of the models' own tokenizer.json files (llama.cpp's
src/llama-vocab.cpp quotes them); a name that is not here is refused, since a near rule gives other ids without a word.
Unicode normalisation, which some tokenizers apply first (Qwen's NFC), is not kept by GGUF: text stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arplay.core.errors import Problem
from arplay.models.alphabets import TokenizerAlphabet, opened
from arplay.models.alphabets.spelling import BYTE
from arplay.models.gguf_file import GGUF

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_CONTROL, _USER_DEFINED, _UNUSED, _BYTE = 3, 4, 5, 6

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
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


def open_tokenizer(file: GGUF) -> TokenizerAlphabet:
    """The alphabet of ``file``. Raises Problem where its tokenizer is damaged or of a kind that is not known here."""
    size = len(file.strings("tokenizer.ggml.tokens"))
    bos, eos = special_id(file, "bos"), special_id(file, "eos")
    try:
        return opened(lambda: TokenizerAlphabet(tokenizer_of(file), size, bos, eos), file.path.name)
    except Problem:
        raise
    except Exception as error:  # the Rust library raises bare Exception for merges that do not fit
        raise file.problem(f"has a tokenizer that cannot be used ({error})") from error


def tokenizer_of(file: GGUF) -> Tokenizer:
    """The file's tokenizer in the form of ``tokenizers``: ``gpt2`` (byte-level BPE) or ``llama`` (SentencePiece)."""
    from tokenizers import AddedToken, processors

    tokens = file.strings("tokenizer.ggml.tokens")
    if len(set(tokens)) != len(tokens):
        raise file.problem("has the same token twice")
    found = file.numbers("tokenizer.ggml.token_type", len(tokens))
    kinds = [1] * len(tokens) if found is None else found.tolist()
    model = file.text("tokenizer.ggml.model")
    if model == "llama":  # as llama.cpp has it: a byte's name makes a byte, whatever type the file gives it
        kinds = [_BYTE if BYTE.fullmatch(token) else kind for token, kind in zip(tokens, kinds, strict=True)]
    if model == "gpt2":
        tokenizer, adds_bos = _byte_level(file, tokens)
    elif model == "llama":
        tokenizer, adds_bos = _sentencepiece(file, tokens, kinds)
    else:
        raise file.problem(f"has a tokenizer of the kind {model[:40]!r}", "arplay knows gpt2 and llama in GGUF files")
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
    return file.whole(key, 0, len(file.strings("tokenizer.ggml.tokens")) - 1)


def _byte_level(file: GGUF, tokens: list[str]) -> tuple[Tokenizer, bool]:
    """Byte-level BPE with the rule that the file names; and whether its kind puts BOS before every text."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    name = file.text("tokenizer.ggml.pre", "")
    rule = _RULES.get(name)
    if rule is None:
        said = f"cuts text by the rule {name[:40]!r}" if name else "does not say how it cuts text (tokenizer.ggml.pre)"
        raise file.problem(f"{said}, so its ids would be guesses", "convert the model again, or open its folder")
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
