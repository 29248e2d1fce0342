"""Tiny tokenizers of every kind that models come with, trained on a few lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import CTRLTokenizer, PreTrainedTokenizer

from tests.tiny_models import LINES, tokenizer

TRAINED_ON = [*LINES, "the lower newest widest caf\u00e9 \u65e5\u672c\u8a9e and the cats, a b c <s> </s>"] * 2
SPECIAL = ["<unk>", "<s>", "</s>"]
SENTENCETOKEN_DECODER = [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]


def byte_level_nfc() -> Tokenizer:
    """As Qwen's: characters are composed first."""
    made = tokenizer()
    made.normalizer = normalizers.NFC()
    return made


def byte_level_prefixed() -> Tokenizer:
    """A space is put before every text."""
    made = tokenizer()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    return made


def _spaces_marked(words: bool, scheme: str, replaces: bool) -> Tokenizer:
    """SentencePiece's BPE with byte fallback; ``words``: by a Metaspace pre-tokenizer, else by normalisers."""
    made = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    trainer = trainers.BpeTrainer(vocab_size=180, special_tokens=SPECIAL, show_progress=False)
    made.train_from_iterator(TRAINED_ON, trainer)
    described = json.loads(made.to_str())
    vocab = described["model"]["vocab"]
    for byte in range(256):
        vocab[f"<0x{byte:02X}>"] = len(vocab)
    described["model"]["byte_fallback"] = True
    made = Tokenizer.from_str(json.dumps(described))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=False) if words else None
    steps = [normalizers.Prepend("\u2581")] if scheme != "never" and not words else []
    made.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "\u2581")]) if replaces else None
    strip = [decoders.Strip(" ", 1, 0)] if scheme != "never" else []
    made.decoder = decoders.Sequence([*SENTENCETOKEN_DECODER, *strip])
    made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return made


def llama() -> Tokenizer:
    """As Llama 2's: ``\u2581`` is put before every text by a normaliser."""
    return _spaces_marked(words=False, scheme="always", replaces=True)


def llama_first() -> Tokenizer:
    """As newer Llama and Mistral files: by a pre-tokenizer, at the beginning only."""
    return _spaces_marked(words=True, scheme="first", replaces=False)


def gemma() -> Tokenizer:
    """Spaces are marked, and none is put before a text; two of them are an added token."""
    made = _spaces_marked(words=False, scheme="never", replaces=True)
    made.add_tokens([AddedToken("\u2581\u2581", normalized=False, special=False)])
    return made


def unigram() -> Tokenizer:
    made = Tokenizer(models.Unigram())
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    made.decoder = decoders.Metaspace(prepend_scheme="always")
    trainer = trainers.UnigramTrainer(vocab_size=120, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    made.train_from_iterator(TRAINED_ON, trainer)
    return made


def t5() -> Tokenizer:
    """As T5's: compatibility forms, spaces merged, and each word its own ``\u2581``."""
    made = unigram()
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    made.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
    return made


def wordpiece() -> Tokenizer:
    """As BERT's: lower case, no accents, no spaces."""
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    special = ["[UNK]", "[CLS]", "[SEP]"]
    made.train_from_iterator(
        TRAINED_ON, trainers.WordPieceTrainer(vocab_size=150, special_tokens=special, show_progress=False)
    )
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return made


def gpt1() -> Tokenizer:
    """As GPT's: lower case, and words end in ``</w>``."""
    made = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.BPEDecoder("</w>")
    trainer = trainers.BpeTrainer(
        vocab_size=200, special_tokens=["<unk>"], end_of_word_suffix="</w>", show_progress=False
    )
    made.train_from_iterator(TRAINED_ON, trainer)
    return made


def word_level() -> Tokenizer:
    """Whole words and no decoder."""
    made = Tokenizer(models.WordLevel(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.train_from_iterator(TRAINED_ON, trainers.WordLevelTrainer(special_tokens=["<unk>"], show_progress=False))
    return made


FAST: dict[str, Callable[[], Tokenizer]] = {
    make.__name__: make
    for make in (
        tokenizer,
        byte_level_nfc,
        byte_level_prefixed,
        llama,
        llama_first,
        gemma,
        unigram,
        t5,
        wordpiece,
        gpt1,
        word_level,
    )
}


def ctrl(folder: Path) -> CTRLTokenizer:
    """CTRL's tokenizer, which transformers writes in Python: BPE with ``@@`` inside words, spaces dropped."""
    letters = sorted({char for line in TRAINED_ON for char in line if not char.isspace()})
    tokens = ["<unk>", "<s>", "</s>"]
    for ending in ("@@", ""):
        tokens += [f"{word}{ending}" for word in [*letters, "th", "the", "ca", "cat"]]
    (folder / "vocab.json").write_text(json.dumps({token: id for id, token in enumerate(dict.fromkeys(tokens))}))
    (folder / "merges.txt").write_text("#version: 0.2\nt h\nth e</w>\nth e\nc a\nca t</w>\nca t\n")
    return CTRLTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), bos_token="<s>", eos_token="</s>")


class Greedy(PreTrainedTokenizer):
    """SentencePiece as Python sees it: no offsets, ``\u2581`` before every text, bytes for what has no token."""

    def __init__(self, **kwargs: Any) -> None:
        words = ["\u2581", "\u2581the", "\u2581cat", "the", "cat", "s", "\u2581a", *"abcdefghijklmnopqrtuvwxyz.,"]
        tokens = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), *words]
        self.encoder = {token: id for id, token in enumerate(tokens)}
        self.words, self.longest = set(words), max(map(len, words))
        super().__init__(unk_token="<unk>", bos_token="<s>", eos_token="</s>", **kwargs)

    @property
    def vocab_size(self) -> int:
        return len(self.encoder)

    def get_vocab(self) -> dict[str, int]:
        return {**self.encoder, **self.added_tokens_encoder}

    def _tokenize(self, text: str, **_: Any) -> list[str]:
        text, tokens, at = ("\u2581" if text else "") + text.replace(" ", "\u2581"), [], 0
        while at < len(text):
            lengths = range(min(self.longest, len(text) - at), 0, -1)
            size = next((n for n in lengths if text[at : at + n] in self.words), 0)
            tokens += [text[at : at + size]] if size else [f"<0x{byte:02X}>" for byte in text[at].encode()]
            at += size or 1
        return tokens

    def _convert_token_to_id(self, token: str) -> int:
        return self.encoder.get(token, 0)

    def _convert_id_to_token(self, index: int) -> str:
        return next(token for token, id in self.encoder.items() if id == index)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return "".join(tokens).replace("\u2581", " ").removeprefix(" ")

    def build_inputs_with_special_tokens(self, token_ids_0: list[int], token_ids_1: Any = None) -> list[int]:
        return [1, *token_ids_0]
