"""Text is made safe in one place: nothing that steers, reorders or hides is left, and nothing else is changed."""

from __future__ import annotations

import unicodedata
from html import unescape
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arplay.core.modalities.finding import find
from arplay.core.modalities.spans import to_bytes
from arplay.core.modalities.vocabulary import Vocabulary, visible
from arplay.core.signs import FILLERS, file_name, is_seen, markup, safe, sign
from arplay.gui.canvases.text.heat.signs import sign as heat_sign
from tests.hostile import PARTS, hostile, raw

HARMLESS = ("Zs", "Cs")
RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))}
texts = st.text(st.characters(exclude_categories=())) | st.lists(st.sampled_from(PARTS)).map("".join)


@given(texts)
def test_nothing_raw_is_left_and_what_can_be_seen_stays(text: str) -> None:
    shown = safe(text)
    assert raw(shown.replace("\u200c", "").replace("\u200d", ""), allowed="") == []
    assert safe(shown) == shown
    assert [char for char in text if char.isprintable() and char in shown] == [c for c in text if c.isprintable()]
    assert safe(text, keep="\n\t").count("\n") == text.count("\n")


def test_every_character_that_is_not_seen_has_a_sign() -> None:
    for code in range(0x110000):
        char, kind = chr(code), unicodedata.category(chr(code))
        hidden = kind[0] == "C" or kind in ("Zl", "Zp") or char in FILLERS
        assert (safe(f"a{char}b") != f"a{char}b") == hidden, f"U+{code:04X}"


def test_every_hidden_character_has_one_sign_and_no_two_have_the_same() -> None:
    """In tokens, labels, tooltips and the heatmap; and the search finds it by what is shown."""
    hidden = [
        char for char in map(chr, range(0x10000)) if not (is_seen(char) or unicodedata.category(char) in HARMLESS)
    ]
    signs = {char: sign(char) for char in (*hidden, *(chr(0xDC00 + byte) for byte in range(0x80, 0x100)))}
    assert len(set(signs.values())) == len(signs) > 6_700
    for char, shown in signs.items():
        data = to_bytes(char)
        assert visible(data) == heat_sign(ord(char)) == shown
        assert safe(f"a{char}b") == f"a{shown}b"
        if ord(char) < 0x3000 or ord(char) > 0xF8FF:  # the rest is private use, all alike
            assert find(b"a" + data, shown).spans.tolist() == [[1, 1 + len(data)]]


def test_the_search_for_raw_text_finds_it() -> None:
    """Negative control."""
    assert all(raw(part, allowed="") for part in PARTS if not part.isprintable())
    assert raw("a\x1b[31m\u202e") == ["U+001B", "U+202E"]


@pytest.mark.parametrize("text", ["می\u200cشود", "👩\u200d👩\u200d👧", "क्\u200dष", "a\u3000b\u00a0c", "שלום עולם"])
def test_what_a_script_needs_stays(text: str) -> None:
    assert safe(text) == text
    assert safe("pass\u200dword") != "pass\u200dword", "control: between Latin letters a joiner only hides"


@given(texts)
@example("<b>&amp;</b>")
def test_markup_shows_the_letters_and_is_none(text: str) -> None:
    made = markup(text)
    assert unescape(made.replace("<br>", "\n")) == safe(text, keep="\n")
    assert "<" not in made.replace("<br>", "")


@given(texts)
@example("../../etc/passwd")
@example("con.txt")
@example("a" * 500)
@example("é" * 500)
def test_a_file_name_leads_nowhere(text: str) -> None:
    name = file_name(text)
    assert name and len(name.encode()) <= 81 and not raw(name, allowed="") and not set(name) & set('/\\:*?"<>| ')
    assert PurePosixPath(name).name == PureWindowsPath(name).name == name and name[0] not in ".-"
    assert name[-1] not in ". " and name.split(".")[0].upper() not in RESERVED
    assert file_name(name) == name


def shown_vocabulary() -> Vocabulary:
    """All 256 bytes, and tokens with every kind of sign."""
    more = (
        "\u200b",
        "the",
        " the",
        "␣",
        "⟨NUL⟩",
        "⟨E2⟩",
        "e2",
        "\u202e",
        "\u00a0",
        "\n\n",
        "\r\n",
        "É",
        *map(hostile, range(99)),
    )
    data = [bytes([byte]) for byte in range(256)] + list(dict.fromkeys(text.encode() for text in more if len(text) > 1))
    return Vocabulary("bytes", (*data, b"<s>", b"<|a b|>", None), frozenset({len(data), len(data) + 1}))


VOCABULARY = shown_vocabulary()


@pytest.mark.parametrize("id", range(len(VOCABULARY)))
def test_every_token_is_found_by_what_is_shown_and_by_what_it_writes(id: int) -> None:
    token, every = VOCABULARY.token(id), len(VOCABULARY)
    assert id in VOCABULARY.find(token.text, every)
    assert id in VOCABULARY.find(token.text.upper(), every)
    if not raw(token.text, allowed=""):
        assert id in VOCABULARY.find(token.text[-1], every)
    written = token.data.decode("utf-8", "replace")
    assert not written or "\ufffd" in written or id in VOCABULARY.find(written, every)


def test_a_sign_finds_its_own_byte_and_not_every_token() -> None:
    assert VOCABULARY.find("⟨E2⟩")[0] == 0xE2
    assert VOCABULARY.find("⟨NUL⟩")[0] == VOCABULARY.find("\0")[0] == 0
    assert 0xC3 not in VOCABULARY.find("É") and 0xE3 not in VOCABULARY.find("⟨E2⟩")
    assert VOCABULARY.find("␣the", 1) == VOCABULARY.find(" the", 1)
