"""Rows of a heatmap in every script: what Qt's own layout does, and a place of its own for every token."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFontDatabase, QFontMetricsF, QImage, QPainter, QTextLayout, QTextOption
from pytestqt.qtbot import QtBot

from arplay.core.modalities.vocabulary import visible
from arplay.gui.canvases.text.heat.layout import Flow, bare_tokens, units
from arplay.gui.canvases.text.heat.painting import HeatPainter, Lines
from arplay.gui.canvases.text.heat.shaping import Grid, Line, shape
from arplay.gui.intents import Select
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.gui.theme import LIGHT
from arplay.gui.view import View
from arplay.gui.widgets.heat.card import content
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.labels import label
from tests.ledgers import random_ledger
from tests.panel_checks import pixels

SCRIPTS = {
    "French": ("DejaVu Sans Mono", "Le cœur déborde à l’été, où naïve Zoë fête Noël."),
    "Kurdish": ("DejaVu Sans", "ئەمە دەقێکی کوردییە بۆ تاقیکردنەوە، ژمارە 123 و abc."),
    "Persian": ("DejaVu Sans", "می‌خواهم کتاب‌ها را بخوانم."),
    "Hebrew": ("DejaVu Sans", "שלום עולם, היום 28 בנובמבר 2026 (יום שבת)."),
    "mixed": ("DejaVu Sans", "The word שלום means peace, and سلام 12/3 too (in العربية)."),
    "Hindi": ("Lohit Devanagari", "सभी मनुष्यों को गौरव और क्षि स्वतन्त्रता प्राप्त है।"),
    "Thai": ("Waree", "มนุษย์ทั้งหลายเกิดมามีอิสระและนี่กำ"),
    "Korean": ("NanumGothic", "모든 인간은 태어날 때부터 \u1112\u1161\u11ab"),
    "Chinese": ("WenQuanYi Micro Hei", "人人生而自由,在尊严和权利上一律平等。"),
    "flags": ("Noto Color Emoji", "🇩🇪🇫🇷 x🇯🇵🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
    "families": ("Noto Color Emoji", "a👩‍👩‍👧‍👦 👨🏽‍🚀👍🏿❤️1️⃣"),
    "marks": ("DejaVu Sans", "e\u0301a\u0300 z\u0301\u0302\u0303 \u0301x\u0301\n\u0301" + "o" + "\u0301" * 80),
    "signs": ("DejaVu Sans Mono", "tab\there\u00a0x ctrl\x07\r\nz\u200bz\u200d \u202eabc\u202c \ufeffא\x00ב \u115f"),
}
"""By name: the font that the script needs, and a text."""

pytestmark = pytest.mark.usefixtures("qapp")

Cut = Callable[[bytes], list[bytes]]


def by_bytes(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def by_letters(data: bytes) -> list[bytes]:
    return [char.encode("utf-8", "surrogateescape") for char in data.decode("utf-8", "surrogateescape")]


def by_chance(data: bytes) -> list[bytes]:
    rng, at, found = random.Random(1), 0, []
    while at < len(data):
        found.append(data[at : (at := at + rng.randint(1, 7))])
    return found


def by_words(data: bytes) -> list[bytes]:
    return [word + b" " for word in data.split(b" ")]


CUTS: tuple[Cut, ...] = (by_bytes, by_letters, by_chance, by_words)


@pytest.fixture(scope="module")
def grid(qapp: object) -> Grid:
    return Grid.make()


def text_of(name: str) -> str:
    font, text = SCRIPTS[name]
    if font not in QFontDatabase.families():
        pytest.skip(f"the font {font} is not installed")
    return text


def laid_out(grid: Grid, tokens: Sequence[bytes], columns: int) -> Flow:
    ends = np.cumsum([len(token) for token in tokens], dtype=np.int64)
    names = {int(i): f"<{i}>" for i in bare_tokens(ends)}
    return Flow.of(units(b"".join(tokens), ends, names, grid.measure), columns)


def faults(flow: Flow, lines: Sequence[Line], column: float) -> Iterator[str]:
    """Whatever is wrong with rows: tokens without a place, places that overlap, leave gaps or stand outside."""
    for row, line in enumerate(lines):
        if any(abs(a[1] - b[0]) > 1e-6 for a, b in pairwise(line.cells)):
            yield f"row {row}: the cells leave gaps or overlap"
        if line.cells and (line.cells[0][0] < -1e-6 or line.cells[-1][1] > (flow.columns + 1) * column + 1e-6):
            yield f"row {row}: outside of its room"
        for left, right, token in line.cells:
            if right <= left or line.hit((left + right) / 2) != token:
                yield f"row {row}: a click on token {token} does not meet it"
    table = flow.units
    for token in range(len(table.ends)):
        for row in range(flow.first_row(token), flow.last_row(token) + 1):
            if not lines[row].places.get(token):
                yield f"token {token} has no place in row {row}"
    owners = np.repeat(np.arange(len(table.ends)), np.diff(table.ends, prepend=0))
    unit_of_byte = table.starts.searchsorted(np.arange(int(table.starts[-1])), "right") - 1
    for byte, (owner, unit) in enumerate(zip(owners.tolist(), unit_of_byte.tolist(), strict=True)):
        if owner not in lines[flow.row_of(unit)].places:
            yield f"byte {byte} of token {owner} is not shown"


def check(grid: Grid, tokens: Sequence[bytes], columns: int) -> tuple[Flow, list[Line]]:
    flow = laid_out(grid, tokens, columns)
    lines = [shape(grid, flow, row) for row in range(flow.rows)]
    assert list(faults(flow, lines, grid.column)) == []
    return flow, lines


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", SCRIPTS)
def test_every_token_has_a_place_of_its_own_in_every_script(grid: Grid, name: str, cut: Cut) -> None:
    data = text_of(name).encode()
    for columns in (4, 17, 80):
        check(grid, cut(data), columns)


@settings(max_examples=60)
@given(
    st.lists(st.binary(max_size=5) | st.sampled_from([t for _, t in SCRIPTS.values()]).map(str.encode), max_size=8)
    | st.lists(st.text(max_size=6).map(lambda text: text.encode("utf-8", "surrogatepass")), max_size=8),
    st.integers(4, 40),
)
def test_every_token_has_a_place_whatever_its_bytes(tokens: list[bytes], columns: int) -> None:
    check(Grid.make(), tokens, columns)


def test_the_checks_see_faults(grid: Grid) -> None:
    """Negative controls: each fault that the properties are about, put into a good row."""
    flow, (line, *_) = check(grid, by_letters("שלום abc".encode()), 40)
    first, second, *rest = line.cells
    for cells in (
        [(first[0], first[1] + 2, first[2]), second, *rest],  # overlaps
        [second, *rest],  # the byte is nowhere
        [(first[0], first[1], second[2]), (second[0], second[1], first[2]), *rest[:-1]],
        [*line.cells[:-1], (line.cells[-1][0], 1e4, line.cells[-1][2])],  # outside
    ):
        assert list(faults(flow, [replace(line, cells=cells)], grid.column))


def middles(line: Line) -> dict[int, float]:
    return {token: (spans[0][0] + spans[-1][1]) / 2 for token, spans in line.places.items()}


def test_right_to_left_runs_are_reversed(grid: Grid) -> None:
    for text in ("שלום", "کوردی", "می‌خواهم"):
        for cut in (by_bytes, by_letters):
            _, (line,) = check(grid, cut(text.encode()), 60)
            places = [middles(line)[i] for i in range(len(line.places))]
            assert line.rtl and places == sorted(places, reverse=True)
            assert line.cells[-1][1] == pytest.approx(60 * grid.column), "it begins at the right edge"
    _, (line,) = check(grid, by_letters("abc אבג 12 def".encode()), 60)
    order = "".join("abc אבג 12 def"[token] for _, _, token in line.cells)
    assert not line.rtl and order == "abc 12 גבא def"
    _, (line,) = check(grid, by_letters("שלום 123 abc.".encode()), 60)
    assert "".join("שלום 123 abc."[token] for _, _, token in line.cells) == ".abc 123 םולש"
    _, (line,) = check(grid, by_letters(b"abc 12 def"), 60)  # negative control: nothing is reversed for itself
    assert [token for _, _, token in line.cells] == list(range(10))


def test_a_token_across_directions_has_several_places(grid: Grid) -> None:
    _, (line,) = check(grid, ["ab א".encode(), "ב cd".encode()], 60)
    assert [len(line.places[token]) for token in (0, 1)] == [2, 2]
    assert [token for _, _, token in line.cells] == [0, 1, 0, 1]


def plainly(grid: Grid, text: str, rtl: bool) -> tuple[QTextLayout, list[float]]:
    """Qt's own layout of a text, and where it draws each character (one that it does not draw: beside the last)."""
    layout = QTextLayout(text, grid.font)
    option = QTextOption()
    option.setFlags(QTextOption.Flag.IncludeTrailingSpaces)
    option.setTextDirection(Qt.LayoutDirection.RightToLeft if rtl else Qt.LayoutDirection.LeftToRight)
    option.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute)
    option.setWrapMode(QTextOption.WrapMode.NoWrap)
    layout.setTextOption(option)
    layout.beginLayout()
    line = layout.createLine()
    line.setLineWidth(1e6)
    layout.endLayout()
    wanted = QTextLayout.GlyphRunRetrievalFlag.RetrieveGlyphPositions
    places: list[float] = []
    at = 0
    for char in text:
        size = len(char.encode("utf-16-le")) // 2
        runs = line.glyphRuns(at, size, wanted)
        places.append(runs[0].positions()[0].x() if runs else places[-1] if places else 0.0)
        at += size
    return layout, places


@given(st.text("abאבגشدژ12 .,()/", min_size=1, max_size=30).filter(str.strip), st.booleans())
def test_letters_stand_in_the_order_that_qt_gives_them(text: str, newline: bool) -> None:
    made = Grid.make()
    _, (line, *_) = check(made, by_letters((text + "\n" * newline).encode()), 200)
    ours = [token for _, _, token in line.cells if token < len(text)]
    _, places = plainly(made, text, line.rtl)
    theirs = sorted(range(len(text)), key=lambda i: places[i])
    lam_alef = [i for i in ours if i not in theirs]
    assert ours == theirs and not lam_alef


def test_rows_of_one_paragraph_agree_on_its_direction(grid: Grid) -> None:
    """Each row is laid out alone, but its paragraph decides where it begins and what its edges belong to."""
    hebrew = "אבגד " * 12 + "english words at the end of it " * 3
    _, lines = check(grid, by_letters(hebrew.encode()), 30)
    assert len(lines) > 4 and all(line.rtl for line in lines)
    assert not any(line.rtl for line in check(grid, by_letters(hebrew[60:].encode()), 30)[1]), "negative control"
    latin = "abc " * 6 + "שלום עולם " * 6
    assert not any(line.rtl for line in check(grid, by_letters(latin.encode()), 20)[1])
    paragraphs = check(grid, by_letters("abc\nאבג\ndef\n".encode()), 20)[1]
    assert [line.rtl for line in paragraphs] == [False, True, False]


def test_a_number_in_the_next_row_still_follows_an_arabic_word(grid: Grid) -> None:
    """1-2 after an Arabic letter runs from right to left: also where the row before has that letter."""
    flow, lines = check(grid, by_letters("abc سلام 1-2".encode()), 9)
    assert flow.rows == 2
    last = [token for _, _, token in lines[1].cells]
    _, (whole,) = check(grid, by_letters("abc سلام 1-2".encode()), 60)
    assert last == [token for _, _, token in whole.cells if token in last]
    assert last == sorted(last, reverse=True)
    alone = check(grid, by_letters(b"1-2"), 60)[1][0]
    assert [token for _, _, token in alone.cells] == [0, 1, 2], "negative control"


def ink(paint: Callable[[QPainter], None], wide: int = 1000) -> np.ndarray:
    """Which pixels of a row are dark."""
    image = QImage(wide, 27, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(LIGHT.color("text"))
    paint(painter)
    painter.end()
    return (pixels(image) & 0xFF)[:23] < 128


def drawn(grid: Grid, tokens: list[bytes], columns: int = 100, apart: bool = False) -> np.ndarray:
    """The letters of the first row as the heatmap draws them, on tokens that are not scored yet."""
    if apart:
        text = b"".join(tokens).decode()
        tokens = ["\u200b".join(text).encode()]
    ledger, _ = random_ledger(tokens, done=0, first_token="model")
    flow = laid_out(grid, tokens, columns)
    heat = HeatPainter(Lines(grid, flow), LIGHT, HeatScale(LIGHT, "surprisal"), ledger, ())
    return ink(lambda painter: heat.paint(painter, 0, 1, 0.0))


@pytest.mark.parametrize("name", ["French", "Kurdish", "Hebrew", "Hindi", "Thai", "Korean", "Chinese", "families"])
def test_borders_of_tokens_change_no_letter(grid: Grid, name: str) -> None:
    """The picture of a row is that of its whole text, wherever tokens begin; letter by letter it would be another."""
    data = text_of(name).encode()
    whole = drawn(grid, [data])
    assert whole.sum() > 100
    for cut in (by_letters, by_chance):
        if name not in ("Hindi", "Thai", "families") or cut is by_letters:  # others may need more room for many tokens
            assert np.array_equal(drawn(grid, cut(data)), whole)
    line = shape(grid, laid_out(grid, [data], 100), 0)
    layout, _ = plainly(grid, data.decode(), line.rtl)
    if name != "Kurdish":  # whose letters have a font of their own
        metrics = QFontMetricsF(grid.font)
        base = grid.cell_top + (grid.cell + metrics.ascent() - metrics.descent()) / 2 - layout.lineAt(0).ascent()
        assert np.array_equal(ink(lambda painter: layout.draw(painter, QPointF(line.origin, base))), whole)
    if name in ("Kurdish", "Hindi", "families"):
        assert not np.array_equal(drawn(grid, [data], apart=True), whole), "negative control: nothing joins"


def test_a_letter_that_borders_cut_is_shown_across_its_tokens(grid: Grid) -> None:
    flow, (line,) = check(grid, [b" caf", b"\xc3", b"\xa9", b"\xe2\x82", b"\xac!", b"\xc3"], 40)
    assert line.layout is not None and "é€" in line.layout.text()
    assert line.layout.text().count("⟨") == 1 and "⟨C3⟩" in line.layout.text(), "a byte without its letter is a chip"
    (a,), (b,) = line.places[1], line.places[2]
    assert a[1] == b[0] and b[1] - a[0] == pytest.approx(grid.column)
    assert [flow.units.tokens(i, i + 1) for i in range(4, 7)] == [[1, 2], [3, 4], [4]]


def test_the_card_tells_the_bytes_of_a_cut_letter() -> None:
    ledger, loaded = random_ledger([b" caf", b"\xc3", b"\xa9 \xe2\x82", b"\xac!", b"\xc3", b"x"])
    told = [dict(content(ledger, i, loaded.vocabulary, "nats").lines).get("bytes") for i in range(6)]
    assert told == [None, "byte C3 of é", "byte A9 of é, bytes E2 82 of €", "byte AC of €", None, None]


def test_keys_follow_the_direction_of_the_paragraph(qtbot: QtBot) -> None:
    for text, right in (("אבג דהו", -1), ("abc def", 1)):
        tokens = by_letters(text.encode())
        ledger, loaded = random_ledger(tokens)
        panel = HeatmapPanel()
        qtbot.addWidget(panel)
        panel.resize(620, 330)
        panel.show_view(View(ledger=ledger, loaded=loaded, selected=3))
        panel.show()
        for key, step in ((Qt.Key.Key_Right, right), (Qt.Key.Key_Left, -right)):
            with qtbot.waitSignal(panel.intent) as told:
                qtbot.keyClick(panel.text, key)
            assert told.args == [Select(3 + step)]
            before, after = (panel.text.rect_of(i).center().x() for i in (3, 3 + step))
            assert (after > before) == (key == Qt.Key.Key_Right), "the key moves where its arrow points"


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_click_hits_the_token_under_the_pointer(qtbot: QtBot, name: str) -> None:
    tokens = by_words(text_of(name).encode())
    ledger, loaded = random_ledger(tokens)
    panel = HeatmapPanel()
    qtbot.addWidget(panel)
    panel.resize(420, 500)
    panel.show_view(View(ledger=ledger, loaded=loaded))
    panel.show()
    flow = panel.text.flow
    assert flow is not None
    for token in range(len(tokens)):
        for row in range(flow.first_row(token), flow.last_row(token) + 1):
            for rect in panel.text.rects_of(token, row):
                place = QPoint(int(rect.center().x()), int(rect.center().y()))
                with qtbot.waitSignal(panel.intent) as told:
                    qtbot.mouseClick(panel.text.viewport(), Qt.MouseButton.LeftButton, pos=place)
                assert told.args == [Select(token)]


@pytest.mark.parametrize("letter", ["x", "é", "א", "ک", "न", "語", "👍", "\u0301", "\t"])
def test_a_word_of_50_000_characters(grid: Grid, letter: str) -> None:
    """Rows are shaped alone, so that a word without a break costs no more than others."""
    data = (letter * 50_000).encode()
    for tokens in ([data], by_letters(data)):
        flow = laid_out(grid, tokens, 60)
        assert flow.rows > 20
        for row in (0, 1, flow.rows // 2, flow.rows - 1):
            line = shape(grid, flow, row)
            assert line.cells[0][0] >= -1e-6 and line.cells[-1][1] <= 61 * grid.column + 1e-6
            for left, right, token in line.cells:
                assert line.hit((left + right) / 2) == token


@given(st.text("abאבشد12 ,()\u0301👩⟨", max_size=12), st.sampled_from(["12", "abc", "(1)"]))
def test_a_label_turns_nothing_around_it(token: str, beside: str) -> None:
    """Number, token and number in one row stay in this order, whatever the token is written in."""
    made = Grid.make()
    shown = label(visible(token.encode()))
    text = f"{beside}  {shown}  {beside}"
    _, places = plainly(made, text, False)
    start, end = len(beside) + 2, len(text) - len(beside) - 2
    before, inside, after = places[:start], places[start:end], places[end:]
    assert before == sorted(before) and after == sorted(after)
    assert all(before[-1] <= x <= after[0] for x in inside)


def test_a_bare_token_would_turn_its_row_around() -> None:
    """Negative control of the one above."""
    _, places = plainly(Grid.make(), "אב  12", False)
    assert places[0] > places[-1]


def test_labels() -> None:
    assert label("\u0301") == "◌\u0301" and label("e\u0301") == "e\u0301"
    assert label(visible("👩‍👧".encode())) == "👩‍👧" and label(visible("می‌خ".encode())) == "\u2068می‌خ\u2069"
    assert label(visible(b"a\xe2\x80\x8db")) == "a⟨U+200D⟩b", "a joiner that does nothing is shown"
    assert label(visible("\u202eabc".encode())) == "⟨U+202E⟩abc"
