"""How the figures of a ledger are written: units, minus signs, powers of ten, and the rules in words."""

from __future__ import annotations

import re
import unicodedata

from arplay.core.chain import Ledger
from arplay.core.modalities.base import TokenSet
from arplay.engine.load import Loaded

UNSCORED = "not scored: nothing stands before it"
BARE = "The tokenizer put this token here; no bytes of the text are its own."

_NAME = re.compile(r"[A-Z0-9._/\\]")
_JOINER = re.compile("⟨U\\+(200C|200D)⟩")


def label(text: str) -> str:
    """The visible text of a token as it is written beside other things: in a row, a tooltip, a sentence.

    Right-to-left letters are isolated, so that they turn nothing around them; a mark that would stand on what is before
    it gets a dotted circle; joiners between pictures or joining letters join them.

    >>> label("␣the"), label("\u0301"), label("אב") == "\u2068אב\u2069", len(label("👩⟨U+200D⟩👧"))
    ('␣the', '◌́', True, 3)
    """
    if text.isascii():
        return text
    text = _JOINER.sub(lambda found: chr(int(found[1], 16)) if _joins(text, found) else found[0], text)
    if unicodedata.category(text[0])[0] == "M":
        text = "◌" + text
    turns = any(unicodedata.bidirectional(char) in ("R", "AL", "AN") for char in text)
    return f"\u2068{text}\u2069" if turns else text


def _joins(text: str, found: re.Match[str]) -> bool:
    """Whether an invisible joiner is seen by what it does: to pictures on both its sides, or to cursive letters."""
    around = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
    pictures = all(char and unicodedata.category(char) in ("So", "Sk", "Mn") for char in around)
    return pictures or all(char and unicodedata.bidirectional(char) == "AL" for char in around)


def is_bare(ledger: Ledger, index: int) -> bool:
    """Whether a token owns no bytes of the text."""
    start, end = ledger.encoded.span(index)
    return start == end


def token_text(ledger: Ledger, index: int, vocabulary: TokenSet | None) -> str:
    """A token as the document has it, or its name where it has none of its units."""
    return label(ledger.encoded.said(index, vocabulary))


def remark(ledger: Ledger, index: int) -> str:
    """What else is to be known of a token, in words; empty where nothing is."""
    return label(ledger.encoded.remark(index))


def lead_tokens(ledger: Ledger, loaded: Loaded | None) -> tuple[str, ...]:
    """The labels of what the model read before the text: the rule is named in the ledger."""
    if loaded is None:
        return ()
    ids = {"tokenizer": loaded.lead, "bos": (loaded.bos,), "eos": (loaded.eos,)}.get(ledger.first_token, ())
    return tuple(loaded.vocabulary.label(id) for id in ids if id is not None)


def first_token(ledger: Ledger, lead: tuple[str, ...]) -> str:
    """How the first token was treated, in words."""
    after = " ".join(label(name) for name in lead)
    return {
        "model": "first token scored by the model’s own p(x₁)",
        "tokenizer": f"first token read after {after}, which the tokenizer adds",
        "bos": f"first token read after BOS {after}, your choice",
        "eos": f"first token read after EOS {after}, your choice",
        "unscored": "first token " + UNSCORED,
    }[ledger.first_token]


def windows(ledger: Ledger, lead: tuple[str, ...]) -> str | None:
    """The windows that a text longer than the context was scored in; None where it fits."""
    if ledger.windows.start(len(lead) + ledger.expected - 1) <= 0:
        return None
    words = f"scored in windows of {ledger.windows.window:,}, stride {ledger.windows.stride:,}"
    return f"{words}, the later ones {'after' if ledger.windows.lead else 'without'} {lead[-1]}" if lead else words


def capital(text: str) -> str:
    """The beginning of a sentence; a word that is a name of a file, model or library stays as it is written.

    >>> capital("the hub does not answer"), capital("model-1.safetensors is missing"), capital("org/name is gated")
    ('The hub does not answer', 'model-1.safetensors is missing', 'org/name is gated')
    """
    first = text.split(" ", 1)[0].rstrip(".,:;")
    return text if _NAME.search(first) else text[:1].upper() + text[1:]
