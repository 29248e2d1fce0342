"""Colours in the editor: those of the heatmap, where Qt drew the letters, and never those of another moment."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arplay.core.chain import Ledger
from arplay.core.measures import NAMES
from arplay.core.modalities.encoded_text import bytes_of
from arplay.core.modalities.text import Text
from arplay.gui.canvases.text import painting
from arplay.gui.canvases.text.area import TextArea
from arplay.gui.canvases.text.marks import Marks
from arplay.gui.canvases.text.typed import Typed
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.editor import EditorPanel
from arplay.gui.store import Store
from arplay.gui.theme import DARK, LIGHT
from arplay.gui.widgets.heat.scale import PLAIN, UNSCORED, HeatScale
from tests.ledgers import abc_ledger, prose, random_ledger
from tests.windows_open import Open, put_up, settle

TEXT = "It was naïve — “Paris”, and the old man\nwent to sea.\tHe said 123".encode()
SCRIPTS = {
    "latin": "The naïve café’s owner, e\u0301x",
    "kurdish": "پەنجەرەکەم دوور دەبینێت",
    "hebrew": 'היה לילה, 45 ק"מ מ-London, 7',
    "hindi": "क्षत्रिय नमस्ते दुनिया",
    "thai": "มันเป็นคืนที่มืดมิด",
    "korean": "어두운 밤이었다",
    "chinese": "黑暗的夜晚。",
    "emoji": "a👨‍👩‍👧b 🇩🇪🇫🇷 👍🏽",
    "tabs": "a\tb\tcc\u00a0d",
    "tab in hebrew": "שלום\tabc\tעולם",
    "bytes": "a\x00\x1b\r",
}


def editor(window: MainWindow) -> EditorPanel:
    panel = window.panels["editor"]
    assert isinstance(panel, EditorPanel)
    return panel


def shades(area: TextArea) -> dict[int, int]:
    """The number of its colour for every visible token that owns bytes."""
    return {token[0]: shade for token, shade in painting.shades(area, area.visible_lines())}


def fill_at(image: QImage, area: TextArea, byte: int) -> QColor:
    """The colour just above the letter that begins at ``byte``: ground, and no ink."""
    for cells in area.visible_lines():
        for left, right in cells.spans(byte, byte + 1):
            scale = image.devicePixelRatio()
            place = QPointF((left + right) / 2, cells.line.top - 2) * scale
            return image.pixelColor(place.toPoint())
    raise AssertionError("not in sight")


def test_every_token_has_the_heatmaps_colour(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", TEXT)
    window.resize(1600, 900)  # beside the title, the tools and the measure there is room for a legend
    area, ledger = editor(window).canvas.area, window.playground.view.ledger
    assert ledger is not None
    window.menus.text.colours[2].trigger()
    for choice, name in enumerate(NAMES, 4):
        window.menus.text.colours[choice].trigger()
        qtbot.waitUntil(lambda name=name: (area.marks.tokens, area.scale.colour_by) == ("colours", name))
        wanted = HeatScale(LIGHT, name).shade(ledger, 0, len(ledger))
        assert shades(area) == dict(enumerate(wanted))
        assert editor(window).canvas.tools.legend.scale.colour_by == name
        tools = editor(window).canvas.tools
        qtbot.waitUntil(tools.legend.isVisible)
        image = area.viewport().grab().toImage()
        for i in (0, 3, len(ledger) - 2):
            start = int(ledger.starts[i])
            assert fill_at(image, area, start).name() == area.scale.fills[wanted[i]].name()
    window.menus.text.colours[0].trigger()
    qtbot.waitUntil(lambda: area.marks.tokens == "off")
    plain = area.viewport().grab().toImage()
    assert fill_at(plain, area, 3).name() == LIGHT.color("surface").name(), "negative control"


def test_an_unscored_token_is_hatched_and_one_not_yet_scored_is_not(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", b"BAC")
    area = editor(window).canvas.area
    ledger = window.playground.view.ledger
    assert ledger is not None
    window.menus.text.colours[2].trigger()
    settle(window, qtbot)
    qtbot.waitUntil(lambda: set(shades(area).values()) != {PLAIN})
    first = np.array(ledger.logprob)
    first[0] = np.nan
    told = Ledger(**{**{name: getattr(ledger, name) for name in Ledger.__dataclass_fields__}, "logprob": first})
    area.set_marks(area.marks.scored_by(told))
    assert shades(area)[0] == UNSCORED and UNSCORED not in list(shades(area).values())[1:]


def test_typing_leaves_no_colour_of_another_moment(opened: Open, qtbot: QtBot) -> None:
    """After every key each coloured token has exactly the score that the model gives this text."""
    window = opened("english", TEXT)
    play, area = window.playground, editor(window).canvas.area
    window.menus.text.colours[2].trigger()
    told: list[tuple[bytes, list[int], list[float]]] = []

    def look() -> None:
        marks = area.marks
        if marks.ledger is not None and marks.known and area.shown.data == play.document.data:
            known = marks.known
            told.append((area.shown.data, marks.ids[:known].tolist(), marks.ledger.logprob[:known].tolist()))

    for at, data in ((len(TEXT), b" and then"), (7, b"x"), (3, b"\xc3\xa9"), (0, b"A ")):
        play.handle(Typed(at, at, data, at + len(data)))
        look()
        for _ in range(30):
            QApplication.processEvents()
            look()
        settle(window, qtbot)
        qtbot.waitUntil(lambda: area.marks.known == len(area.marks.ids))
        look()
    assert len(told) > 8
    truth: dict[bytes, Ledger] = {}
    for text in dict.fromkeys(text for text, _, _ in told):
        play.open_document(Text.of(text))
        settle(window, qtbot)
        assert play.view.ledger is not None
        truth[text] = play.view.ledger
    partly = 0
    for text, ids, logprobs in told:
        right = truth[text]
        assert right.ids[: len(ids)].tolist() == ids
        assert np.allclose(right.logprob[: len(ids)], logprobs, atol=1e-3, equal_nan=True)
        partly += len(ids) < len(right)
    assert partly, "some were seen while they were not all scored"


def test_the_choice_is_in_the_bar_and_in_the_menu_and_is_remembered(opened: Open, qtbot: QtBot) -> None:
    window = opened()
    tools = editor(window).canvas.tools
    for button, value in zip(tools.tokens.values(), ("off", "borders", "colours"), strict=True):
        button.click()
        qtbot.waitUntil(lambda value=value: editor(window).canvas.area.marks.tokens == value)
        assert [action.isChecked() for action in window.menus.text.colours[:3]] == [
            value == other for other in ("off", "borders", "colours")
        ]
    tools.measure.setCurrentIndex(tools.measure.findData("entropy"))
    tools.measure.activated.emit(tools.measure.currentIndex())
    qtbot.waitUntil(lambda: window.panels["heatmap"].text.scale.colour_by == "entropy")  # type: ignore[attr-defined]
    window.close()
    kept = Store(window.store.path).settings()
    assert (kept.tokens, kept.colour_by) == ("colours", "entropy")


# ---- where the letters are


@pytest.fixture
def area(qtbot: QtBot) -> TextArea:
    return put_up(qtbot, TextArea(), 500, 300)


def show(area: TextArea, data: bytes, ends: list[int]) -> None:
    area.show_text(data, 0)
    ids = np.arange(len(ends))
    area.set_marks(Marks(ids, np.array(ends, np.int64), np.zeros(len(ends), bool), tokens="colours"))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(SCRIPTS)), st.data())
def test_tokens_tile_every_line_in_every_script(area: TextArea, name: str, data: st.DataObject) -> None:
    """Wherever token borders cut a text, letters too: what the tokens fill does not overlap, and fills the line."""
    text = SCRIPTS[name].encode()
    if data.draw(st.booleans()):
        text = text * 6
    cuts = data.draw(st.sets(st.integers(1, len(text) - 1), max_size=25))
    ends = [*sorted(cuts), len(text)]
    show(area, text, ends)
    lines = area.visible_lines()
    for cells in lines:
        spans = sorted(span for low, high in zip([0, *ends[:-1]], ends, strict=True) for span in cells.spans(low, high))
        assert all(b[0] - a[1] > -0.8 for a, b in pairwise(spans)), "none over another"
        whole = cells.spans(cells.start, cells.end)
        covered = sum(right - left for left, right in spans)
        assert math.isclose(covered, sum(right - left for left, right in whole), abs_tol=0.8 * len(spans) + 1)
    assert sum(cells.end - cells.start for cells in lines) <= len(text)


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_byte_under_the_mouse_is_the_one_drawn_there(area: TextArea, name: str) -> None:
    text = SCRIPTS[name].encode()
    show(area, text, list(range(1, len(text) + 1)))  # every byte is a token
    hit = set()
    for cells in area.visible_lines():
        y = cells.line.top + cells.line.height / 2
        for byte in range(cells.start, cells.end):
            for left, right in cells.spans(byte, byte + 1):
                if right - left > 0.5:
                    assert painting.byte_under([cells], QPointF((left + right) / 2, y)) == byte
                    hit.add(byte)
    assert len(hit) >= 0.7 * len(text), "signs without width of their own share the place of others"
    beside = painting.byte_under(area.visible_lines(), QPointF(area.width() - 1, 290))
    assert beside is None


def test_right_to_left_runs_the_other_way(area: TextArea) -> None:
    """Negative control: the geometry is not the logical order in disguise."""
    show(area, "abא בג".encode(), [1])
    cells = area.visible_lines()[0]
    lefts = [cells.spans(byte, byte + 2)[0][0] for byte in (2, 5, 7)]
    assert lefts == sorted(lefts, reverse=True)
    assert cells.spans(0, 1)[0][0] < cells.spans(1, 2)[0][0]


def test_a_right_to_left_paragraph_stands_on_the_right(area: TextArea) -> None:
    show(area, "שלום\nabc".encode(), [1])
    first, second = area.visible_lines()
    assert first.spans(first.start, first.end)[0][1] > area.viewport().width() - 20
    assert second.spans(second.start, second.end)[0][0] < 20
    caret = area.cursorRect()
    assert caret.left() > area.viewport().width() - 20


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_one_ink_for_a_letter_and_it_can_be_read(theme: object) -> None:
    scale = HeatScale(theme, "surprisal")  # type: ignore[arg-type]
    for shade, fill in enumerate(scale.fills):
        dark = scale.dark_on([shade])
        assert (scale.inks[shade].name() == "#000000") == dark, fill.name()
    low, high = scale.dark_on([0]), scale.dark_on([127])
    assert low != high
    assert scale.dark_on([0, 0, 1]) == low and scale.dark_on([127, 126]) == high


def test_scores_hold_up_to_the_first_token_that_differs() -> None:
    ledger, _ = abc_ledger(b"BACAB")
    ids, ends, fixed = ledger.ids, ledger.ends, np.zeros(5, bool)
    assert Marks(ids, ends, fixed).scored_by(ledger).known == 5
    other = ids.copy()
    other[3] = (other[3] + 1) % 3
    assert Marks(other, ends, fixed).scored_by(ledger).known == 3
    assert Marks(ids, ends, fixed).scored_by(None).known == 0
    edited = Marks(ids, ends, fixed).scored_by(ledger).after(2, 2, 3)
    assert edited.known == 2 and edited.scored_by(ledger).known == 2
    assert edited.ids.tolist()[2:] == [-1] * 3


def test_twenty_thousand_tokens_paint_only_what_is_seen(area: TextArea) -> None:
    """A count, not a time: a paint asks for the colours of the tokens in sight and of no others."""
    asked: list[int] = []

    class Counting(HeatScale):
        def shade(self, ledger: Ledger, first: int, stop: int) -> list[int]:
            asked.append(stop - first)
            return super().shade(ledger, first, stop)

    ledger, _ = random_ledger(prose(20_000))
    area.show_text(bytes_of(ledger.encoded), 0)
    area.set_style(LIGHT, Counting(LIGHT, "surprisal"))
    marks = Marks(ledger.ids, ledger.ends, np.zeros(len(ledger), bool), tokens="colours")
    area.set_marks(marks.scored_by(ledger))
    area.grab()
    assert asked and max(asked) < 600
