"""Going through a text: what is searched for, tokens that surprised, a token by its number; by key, menu and bar."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from arplay.core import finding
from arplay.core.distribution import LN2
from arplay.core.finding import beside, surprise
from arplay.core.modalities import finding as places
from arplay.core.modalities.finding import MOST, Search, find
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import visible
from arplay.gui.canvases.text.typed import Typed
from arplay.gui.intents import CaretMoved, Find, Seek
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.editor import EditorPanel
from arplay.gui.playground.playground import Playground
from arplay.gui.view import View
from arplay.gui.widgets.seek import SeekBar
from tests.ledgers import abc_ledger
from tests.windows_open import Open, put_up, settle

Key, Mod = Qt.Key, Qt.KeyboardModifier
SIGNS = (" ", "\n", "\r\n", "\t", "\0", "\x1b", "\u200b", "\u00a0", "␣", "⟨E2⟩")
PLAIN = ("the", "The", "é", "É", "ß", "שלום", "😀", *SIGNS)
WORDS = ("the", "old", "dog", "man", "é", "x", "\n")
TOKENS = [*(text.encode() for text in PLAIN), b"\xff", b"\xe2\x82"]


def seek_of(window: MainWindow) -> SeekBar:
    panel = window.panels["editor"]
    assert isinstance(panel, EditorPanel)
    return panel.canvas.seek


# ---- what is found


@given(st.lists(st.sampled_from(TOKENS), max_size=30), st.integers(0, 400), st.integers(1, 12))
def test_whatever_a_view_shows_of_a_text_finds_it(tokens: list[bytes], start: int, size: int) -> None:
    """Any stretch of a text, as the views write it, leads to a place of these very bytes."""
    data = b"".join(tokens)
    part = data[start % (len(data) + 1) :][:size]
    found = find(data, visible(part), case=True)
    if not part:
        assert not len(found.spans)
        return
    assert [data[a:b] for a, b in found.spans.tolist()].count(part) >= 1 or _overlapped(data, part, found.spans)
    assert all(a < b for a, b in found.spans.tolist())
    assert (found.spans[1:, 0] >= found.spans[:-1, 1]).all()


def _overlapped(data: bytes, part: bytes, spans: np.ndarray) -> bool:
    """Whether every place of ``part`` lies over one that was found (none are found over another)."""
    places = [m.start() for m in re.finditer(b"(?=" + re.escape(part) + b")", data)]
    return all(any(a < p + len(part) and p < b for a, b in spans.tolist()) for p in places)


def test_words_are_found_in_any_case_unless_it_counts() -> None:
    data = "The naïve STRASSE, the straße; NAÏVE".encode()
    assert len(find(data, "the").spans) == 2 and len(find(data, "the", case=True).spans) == 1
    assert len(find(data, "naïve").spans) == 2 and len(find(data, "naïve", case=True).spans) == 1
    assert len(find(data, "straße").spans) == 2
    assert len(find(data, "xyz").spans) == 0, "negative control"
    assert len(find(b".*[", ".*[").spans) == 1, "no pattern, but letters"


def test_a_sign_stands_for_itself_too() -> None:
    data = "a b␣c ⟨E2⟩ \u00e2\udce2".encode("utf-8", "surrogateescape")
    assert [data[a:b] for a, b in find(data, "␣").spans.tolist()] == [b" ", "␣".encode(), b" ", b" "]
    found = [data[a:b] for a, b in find(data, "⟨E2⟩").spans.tolist()]
    assert "⟨E2⟩".encode() in found and b"\xe2" in found
    assert find("\u200b".encode(), "⟨U+200B⟩").spans.tolist() == [[0, 3]]
    assert find(b"a\x00", "⟨NUL⟩").spans.tolist() == [[1, 2]]


def test_more_places_than_are_counted_are_said() -> None:
    found = find(b"a" * (MOST + 1), "a")
    assert len(found.spans) == MOST and found.more
    assert not find(b"a" * MOST, "a").more


@given(st.text("aAbé ␣", max_size=60), st.text("aAbé␣", min_size=1, max_size=3), st.booleans(), st.integers(1, 9))
def test_a_search_in_slices_finds_the_same_places(text: str, wanted: str, case: bool, size: int) -> None:
    search, looked = Search(text.encode(), wanted, case), 0
    while not search.done:
        before = search.found
        assert before.more
        search.go_on(size)
        assert search.found.spans[: len(before.spans)].tolist() == before.spans.tolist()
        looked += 1
    whole = find(text.encode(), wanted, case)
    assert search.found.spans.tolist() == whole.spans.tolist() and search.found.more == whole.more
    assert looked <= -(-len(text.encode()) // size)


@given(st.lists(st.floats(-20, -0.01), min_size=1, max_size=30), st.integers(0, 30), st.sampled_from([1, -1]))
def test_the_next_surprise_is_the_nearest_one(logprobs: list[float], index: int, step: int) -> None:
    ledger, _ = abc_ledger(b"A" * len(logprobs))
    ledger = replace(ledger, logprob=np.array(logprobs))
    index = min(index, len(logprobs))
    high = [i for i, logprob in enumerate(logprobs) if -logprob >= 6.0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finding, "BLOCK", 7)
        found = surprise(ledger, index, step, 6.0)
    ahead = [i for i in high if (i > index if step > 0 else i < index)]
    if not high:
        assert found is None
    elif ahead:
        assert found == ((min if step > 0 else max)(ahead), False)
    else:
        assert found == ((min if step > 0 else max)(high), True)


def test_nothing_is_beside_nothing() -> None:
    assert beside(np.zeros((0, 2), np.int64), 3, 1) is None


# ---- in the window


def test_find_as_you_type_and_go_on_by_key(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"The cat and the dog and the old man went there.")
    play = window.playground
    play.handle(CaretMoved(8))
    window.activateWindow()
    window.focus_editor()
    qtbot.keyClick(window, Key.Key_F, Mod.ControlModifier)
    seek = seek_of(window)
    qtbot.waitUntil(seek.field.hasFocus)
    places = []
    for text in ("t", "th", "the"):
        seek.field.setText(text)
        places.append(stands(play))
    assert places == [12, 12, 12], "typing on stays at the first place behind the caret"
    assert play.view.caret == 11, "before the token ␣the that has it"
    qtbot.waitUntil(lambda: seek.count.text() == "2 of 4")
    walk = []
    for key, mod, where in (
        (Key.Key_Return, Mod.NoModifier, seek.field),
        (Key.Key_F3, Mod.NoModifier, window),
        (Key.Key_F3, Mod.NoModifier, window),
        (Key.Key_F3, Mod.ShiftModifier, window),
        (Key.Key_Return, Mod.ShiftModifier, seek.field),
    ):
        qtbot.keyClick(where, key, mod)
        walk.append(stands(play))
    assert walk == [24, 41, 0, 41, 24]
    assert play.view.found is not None and not play.view.found.wrapped
    seek.case.click()
    qtbot.waitUntil(lambda: seek.count.text() == "2 of 3")
    seek.field.setText("␣the")
    qtbot.waitUntil(lambda: seek.count.text() == "3 of 3")
    seek.field.setText("nowhere in it")
    qtbot.waitUntil(lambda: seek.count.text() == "nowhere")
    qtbot.keyClick(seek.field, Key.Key_Escape)
    qtbot.waitUntil(lambda: window.panels["editor"].canvas.area.hasFocus())  # type: ignore[attr-defined]
    assert not seek.isVisible() and play.view.found is None
    settle(window, qtbot)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.sampled_from(WORDS), min_size=2, max_size=9),
    data=st.data(),
)
def test_finding_leads_to_every_place_and_never_into_a_token(
    words: list[str], data: st.DataObject, english: MainWindow, qtbot: QtBot
) -> None:
    """Whatever is searched for, round the whole text, each place is reached once and no token is cut by it."""
    text = " ".join(words).encode()
    play, seek, editor = english.playground, seek_of(english), english.panels["editor"]
    assert isinstance(editor, EditorPanel)
    play.open_document(Text.of(text))
    settle(english, qtbot)
    sought = data.draw(st.sampled_from([word for word in words if word.strip()] + ["e", "o"]))
    spans = find(text, sought).spans[:, 0].tolist()
    english.menus.text.edit[0].trigger()
    seek.field.setText("")
    seek.field.setText(sought)
    reached = []
    for _ in spans:
        settle(english, qtbot)
        assert not any("inside the token" in note.text for note in editor.canvas.notes.notes)
        reached.append(stands(play))
        qtbot.keyClick(seek.field, Key.Key_Return)
    assert sorted(reached) == spans
    seek.close_bar()
    settle(english, qtbot)
    inside = next((end - 1 for start, end in tokens_of(play) if end - start > 1 and text[end - 1] < 0x80), None)
    if inside is not None:  # the note is there for who puts the caret there
        play.handle(CaretMoved(inside))
        settle(english, qtbot)
        assert any("inside the token" in note.text for note in editor.canvas.notes.notes)


def tokens_of(play: Playground) -> list[tuple[int, int]]:
    assert play.view.ledger is not None
    return list(zip(play.view.ledger.starts.tolist(), play.view.ledger.ends.tolist(), strict=True))


def stands(play: Playground) -> int:
    """The byte of the place that is found now."""
    found = play.view.found
    assert found is not None and found.at is not None
    return int(found.spans[found.at, 0])


@pytest.fixture
def english(opened: Open) -> MainWindow:
    return opened("english", b"The cat")


def test_what_was_found_follows_the_text(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BACABA")
    play, seek = window.playground, seek_of(window)
    window.menus.text.edit[0].trigger()
    seek.field.setText("ab")
    qtbot.waitUntil(lambda: seek.count.text() == "1 of 1 ↻")
    play.handle(Typed(0, 0, b"AB", 2))
    assert play.view.found is not None and play.view.found.spans.tolist() == [[0, 2], [5, 7]]
    assert play.view.found.at is None and play.view.caret == 2, "an edit goes nowhere"
    settle(window, qtbot)


def test_bytes_are_found_as_the_views_write_them(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"a\x00b\r\nc\xe2\x82d caf\xc3\xa9")
    play, seek = window.playground, seek_of(window)
    window.menus.text.edit[0].trigger()
    for text, place in (("⟨NUL⟩b", 1), ("⟨CR⟩↵c", 3), ("⟨E2⟩⟨82⟩", 6), ("␣caf", 9), ("⟨A9⟩", 14)):
        seek.field.setText(text)
        qtbot.waitUntil(lambda: seek.count.text().startswith("1 of 1"))
        assert play.view.caret == place
    settle(window, qtbot)


def test_from_surprise_to_surprise(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"It was a dark and stormy xylophone, and the old man went to zebra. He said it was.")
    window.activateWindow()
    play, seek = window.playground, seek_of(window)
    ledger = play.view.ledger
    assert ledger is not None
    play.handle(CaretMoved(0))
    settle(window, qtbot)
    for nats in (8.0, 5.0):
        seek.open_at("surprise")
        seek.show_view(play.view)
        seek.threshold.setValue(nats)
        assert play.view.settings.surprise == nats
        high = np.flatnonzero(-ledger.logprob >= nats).tolist()
        assert len(high) >= 2
        play.handle(CaretMoved(0))
        settle(window, qtbot)
        walked = []
        for _ in range(len(high) + 1):
            qtbot.keyClick(window, Key.Key_F8)
            walked.append(play.view.selected)
            settle(window, qtbot)
        order = [index for index in high if index > 0]
        assert walked == (order + high)[: len(walked)]
        qtbot.keyClick(window, Key.Key_F8, Mod.ShiftModifier)
        assert play.view.selected == high[(high.index(walked[-1]) - 1) % len(high)]
        settle(window, qtbot)
    qtbot.waitUntil(lambda: "nats" in seek.sought.text())
    window.change(unit="bits")
    qtbot.waitUntil(lambda: seek.threshold.suffix() == " bits")
    assert math.isclose(seek.threshold.value(), 5.0 / LN2, abs_tol=0.06)
    assert play.view.settings.surprise == 5.0, "showing it in bits changes nothing"
    seek.threshold.setValue(50.0)
    qtbot.keyClick(window, Key.Key_F8)
    qtbot.waitUntil(lambda: seek.sought.text().startswith("none of "))


def test_go_to_a_token_by_its_number(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"It was a dark and stormy night, and the old man")
    window.activateWindow()
    play, seek = window.playground, seek_of(window)
    qtbot.keyClick(window, Key.Key_G, Mod.ControlModifier)
    qtbot.waitUntil(seek.number.hasFocus)
    ledger = play.view.ledger
    assert ledger is not None
    for wanted, index in (("5", 4), ("1", 0), (str(len(ledger)), len(ledger) - 1)):
        seek.number.selectAll()
        qtbot.keyClicks(seek.number, wanted)
        qtbot.keyClick(seek.number, Key.Key_Return)
        settle(window, qtbot)
        assert play.view.selected == index and play.view.caret == ledger.starts[index]
    qtbot.keyClick(seek.number, Key.Key_Escape)
    assert not seek.isVisible()


def test_the_heatmap_that_has_the_window_has_the_row_too(opened: Open, qtbot: QtBot) -> None:
    window = opened("english", b"It was a dark and stormy night, and the old man")
    window.activateWindow()
    play, heat = window.playground, window.panels["heatmap"]
    seek = heat.seek  # type: ignore[attr-defined]
    window.arrangement.enlarge(heat)
    qtbot.keyClick(window, Key.Key_G, Mod.ControlModifier)
    qtbot.waitUntil(seek.number.hasFocus)
    qtbot.keyClicks(seek.number, "5")
    qtbot.keyClick(seek.number, Key.Key_Return)
    assert play.view.selected == 4 and window.arrangement.enlarged is heat
    qtbot.keyClick(window, Key.Key_F, Mod.ControlModifier)
    qtbot.waitUntil(seek.field.hasFocus)
    qtbot.keyClicks(seek.field, "man")
    qtbot.waitUntil(lambda: seek.count.text() == "1 of 1")
    window.arrangement.restore()
    assert not seek.isVisible() and play.view.found is None
    qtbot.keyClick(window, Key.Key_F8)
    assert seek_of(window).isVisible(), "where the text is in sight the row stands above it"
    settle(window, qtbot)
    window.arrangement.enlarge(window.panels["ledger"])
    qtbot.keyClick(window, Key.Key_F, Mod.ControlModifier)
    qtbot.waitUntil(seek_of(window).field.hasFocus)
    assert window.arrangement.enlarged is None, "the ledger has no row for it: the text comes back"


def test_a_long_text_is_searched_slice_by_slice(opened: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there already is told, the first place behind the caret is gone to once, and the rest is counted."""
    monkeypatch.setattr(places, "SLICE", 50)
    text = b"AB" * 100 + b"C" + b"BA" * 150 + b"CC" + b"AB" * 20
    window = opened(text=text)
    settle(window, qtbot)
    play = window.playground
    play.handle(CaretMoved(250))
    settle(window, qtbot)
    told: list[tuple[int, int | None, bool]] = []

    def note(view: View) -> None:
        if view.found is not None:
            told.append((len(view.found.spans), view.found.at, view.found.more))

    play.changed.connect(note)
    play.handle(Find("C", True))
    assert told[0] == (0, None, True), "nothing in the first slice"
    qtbot.waitUntil(lambda: play.view.found is not None and not play.view.found.more)
    found = play.view.found
    assert (
        found is not None and found.spans[:, 0].tolist() == [200, 501, 502] and (found.at, found.wrapped) == (1, False)
    )
    assert play.view.caret == 501
    play.handle(Seek("found", 1))
    assert play.view.found is not None and play.view.found.at == 2
    play.handle(CaretMoved(530))
    play.handle(Find("", True))
    play.handle(Find("CB", True))
    qtbot.waitUntil(lambda: play.view.found is not None and not play.view.found.more)
    assert play.view.found is not None and (play.view.found.at, play.view.found.wrapped) == (0, True), "from the start"
    play.handle(Find("CBB", True))
    play.handle(Find("", True))
    assert play.view.found is None and not play.finding._timer.isActive(), "a search that was ended goes on no more"


@pytest.mark.parametrize("width", [200, 420, 700, 1200])
@pytest.mark.parametrize("part", ["find", "token", "surprise"])
def test_the_part_that_was_called_for_is_there_at_any_width(qtbot: QtBot, width: int, part: str) -> None:
    panel = put_up(qtbot, EditorPanel(), width, 400)
    panel.open_seek(part)
    parts = panel.canvas.seek.parts
    assert parts[part].isVisible() and panel.width() == width
    assert all(one.isVisible() for one in parts.values()) == (width >= 700)
    right = max(one.geometry().right() for one in parts.values() if one.isVisible())
    assert right < width or width == 200
