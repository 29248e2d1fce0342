"""With the keyboard alone, from the tour: step, another token in the middle, branch, a beam search, the first branch.

Every key goes to what has the keyboard at that moment; nothing here sets the focus or calls a part of the window.
"""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage, QKeySequence, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QLabel,
    QMenu,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from arplay.core.decoding.stages import STAGES
from arplay.core.modalities.text import text_of
from arplay.gui.contract import Panel
from arplay.gui.help import KEYS
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.decoding import DecodingPanel
from arplay.gui.panels.tokenizers import MODES, TokenizersPanel
from arplay.gui.tour import Tour
from tests.windows_open import PATIENCE, Open, opened, settle

__all__ = ["opened"]
TAB = Qt.FocusPolicy.TabFocus

ROUNDING = 2
"""By how much a channel of a pixel may differ where the same is painted onto another picture."""


class Typist:
    """Whoever sits before the window and has no mouse."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self._window, self._qtbot = window, qtbot

    def press(self, *keys: str) -> None:
        """Each to what has the keyboard, until what it asked for is there."""
        play, window = self._window.playground, self._window
        for words in keys:
            combination = QKeySequence(words)[0]  # type: ignore[index]
            QTest.keyClick(self.focus, combination.key(), combination.keyboardModifiers())
            self._qtbot.waitUntil(lambda: not any(button.isDown() for button in window.findChildren(QAbstractButton)))
            self._qtbot.waitUntil(lambda: not play.writing.waiting and not play.view.trying, timeout=PATIENCE)
            settle(self._window, self._qtbot)
            if QApplication.focusWidget() is None and QApplication.activePopupWidget() is None:
                window.activateWindow()  # a menu closed, and here is no window manager that would do this
                self._qtbot.waitUntil(lambda: QApplication.focusWidget() is not None)

    @property
    def focus(self) -> QWidget:
        focus = QApplication.activePopupWidget() or QApplication.focusWidget()
        assert focus is not None and focus.isVisible(), "nobody would know where keys go"
        return focus

    @property
    def panel(self) -> str:
        """The panel that has the keyboard."""
        return next(name for name, panel in self._window.panels.items() if panel.isAncestorOf(self.focus))

    @property
    def text(self) -> str:
        return text_of(self._window.playground.document).data.decode()

    @property
    def last(self) -> str:
        """What was done last on this branch."""
        return self._window.playground.tree.node.kind

    @property
    def told(self) -> str:
        cards = [card for card in self._window.findChildren(Tour) if card.isVisible()]
        return " ".join(label.text() for card in cards for label in card.findChildren(QLabel))


@pytest.fixture
def typist(opened: Open, qtbot: QtBot) -> Typist:
    window = opened(text=b"BAC")
    window.activateWindow()
    window.start_tour()
    return Typist(window, qtbot)


def test_the_tour_leads_through_everything_with_keys_alone(typist: Typist) -> None:
    window = typist._window
    play = window.playground
    assert typist.panel == "editor" and "Alt+N" in typist.told
    QTest.keyClicks(typist.focus, "A")
    typist.press("End")
    assert typist.text == "BACA", "one can type at once"
    typist.press("Alt+N")
    assert typist.panel == "next_token"
    typist.press("Down", "Return")
    first_pick = typist.text
    assert len(first_pick) == 5 and typist.last == "picked"
    typist.press("Alt+N")
    assert typist.panel == "decoding"
    typist.press("Space", "Space", "Left", "Space")  # step, step, rewind, step
    stepped = typist.text
    assert len(stepped) == 7 and stepped.startswith(first_pick) and typist.last == "sampled"

    typist.press("Alt+N")
    assert typist.panel == "editor" and "Ctrl+." in typist.told
    typist.press("Left", "Left", "Ctrl+.", "Down", "Return")
    other = typist.text
    assert len(other) == 6 and other[:5] == stepped[:5] and play.tree.put_aside() is not None
    typist.press("Ctrl+B")
    branched = typist.text
    assert len(branched) == 6 and branched[:5] == other[:5] and branched[5] not in (other[5], "")

    typist.press("Alt+N")
    assert typist.panel == "continuations"
    typist.press("Right", "Return")  # from Rollouts to the beam search, and run it
    found = play.view.searched
    assert found is not None and found.done and typist.panel == "continuations"
    typist.press("Return")
    assert typist.text.startswith(branched) and len(typist.text) > len(branched)
    best = found.finished[0].ids
    assert play.tree.node.step is not None and play.tree.node.step.id == best[-1]

    typist.press("Alt+N")
    assert typist.panel == "history"
    typist.press("Home")
    for _ in range(50):
        if typist.text == stepped:
            break
        typist.press("Down", "Return")
    assert typist.text == stepped and typist.last == "sampled"
    typist.press("Alt+N")
    assert typist.panel == "heatmap"
    typist.press("Alt+N")
    assert typist.panel == "ledger"
    typist.press("Alt+B")
    assert typist.panel == "heatmap"
    typist.press("Alt+N", "Alt+N")
    assert not typist.told and typist.panel == "editor" and window.store.flag("tour_seen")


@pytest.mark.parametrize("way", [("Alt+K",), ("Escape", "Escape")])
def test_the_tour_ends_by_a_key(typist: Typist, way: tuple[str, ...]) -> None:
    typist.press(*way[:-1])
    assert typist.told  # negative control: not yet
    typist.press(way[-1])
    assert not typist.told and typist.panel == "editor"


def test_every_panel_has_a_key_and_the_next_one_too(typist: Typist) -> None:
    window = typist._window
    typist.press("Alt+K")
    names = list(window.panels)
    for n, name in enumerate(names[:9], 1):  # there are nine such keys; F6 goes to the others
        typist.press(f"Ctrl+{n}")
        dock = window.docks.get(name)
        assert not window.panels[name].visibleRegion().isEmpty(), f"{name} came forward"
        assert window.panels[name].isAncestorOf(typist.focus) or (dock and dock.isAncestorOf(typist.focus))
    window.docks["heatmap"].hide()
    typist.press("Ctrl+1")
    seen = []
    for _ in names[1:]:
        typist.press("F6")
        seen += [name for name, dock in window.docks.items() if dock.isAncestorOf(typist.focus)]
    assert seen == [name for name in names[1:] if name != "heatmap"]
    assert typist.panel == "editor"
    typist.press("Shift+F6")
    assert window.docks[names[-1]].isAncestorOf(typist.focus)
    typist.press(f"Ctrl+{names.index('heatmap') + 1}")
    assert typist.panel == "heatmap", "one that is hidden comes back"


def test_the_list_of_keys_is_a_key_away_and_names_what_the_tour_names(typist: Typist) -> None:
    typist.press("F1")
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, QDialog)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    keys = " ".join(keys for _, entries in KEYS for keys, _ in entries)
    for key in ("Ctrl+B", "Ctrl+.", "Ctrl+Space", "F11", "F6"):
        assert key in keys


def test_a_stage_that_is_added_has_the_keyboard(typist: Typist, qtbot: QtBot) -> None:
    panel = typist._window.panels["decoding"]
    assert isinstance(panel, DecodingPanel)
    every = [action for group in panel.add.menu().findChildren(QMenu) for action in group.actions()]
    next(action for action in every if action.text() == STAGES["regex"].title).trigger()
    qtbot.waitUntil(lambda: panel.stages.rows[-1].stage is STAGES["regex"])
    assert panel.stages.rows[-1].inputs[0].field.hasFocus()


def test_shift_tab_leaves_every_panel(opened: Open, qtbot: QtBot) -> None:
    """What stands for a panel in the order of Tab, such as its title, must not lead back into it."""
    window = opened(text=b"BAC")
    window.activateWindow()
    for name in window.panels:
        if name == "editor":
            continue
        window.arrangement.go_to(window.panels[name])
        settle(window, qtbot)
        dock, came = window.docks[name], list[QWidget]()
        focus = QApplication.focusWidget()
        while focus is not None and dock.isAncestorOf(focus):
            assert focus not in came, f"{name}: round and round"
            came.append(focus)
            QTest.keyClick(focus, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
            focus = QApplication.focusWidget()
        assert came and focus is not None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_has_the_keyboard_is_seen(opened: Open, qtbot: QtBot, theme: str) -> None:
    """Also what looks chosen without it: checked boxes and segments, and the tab in front."""
    window = opened(text=b"BAC")
    window.set_theme(theme)
    window.activateWindow()
    window.focus_editor()
    settle(window, qtbot)
    kinds = (QAbstractButton, QTabBar, QComboBox, QAbstractSpinBox)
    parts = [part for kind in kinds for part in window.findChildren(kind)]
    parts = [part for part in parts if part.isVisible() and part.isEnabled() and part.focusPolicy() & TAB]
    assert len(parts) > 40 and {type(part) for part in parts} > {QCheckBox, QTabBar}
    before = [part.grab().toImage() for part in parts]
    for part, without in zip(parts, before, strict=True):
        part.setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.waitUntil(part.hasFocus)
        assert part.grab().toImage() != without, f"{part} {part.accessibleName()}"


def test_a_click_on_a_title_gives_its_panel_the_keyboard(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"BAC")
    window.activateWindow()
    for name in ("heatmap", "ledger"):
        panel, bar = window.panels[name], window.docks[name].bar
        QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.rect().center())
        qtbot.waitUntil(lambda panel=panel: panel.isAncestorOf(QApplication.focusWidget()))


def channels(picture: QPixmap) -> np.ndarray:
    image = picture.toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(bytes(image.constBits()), np.uint8).reshape(image.height(), -1).astype(int)


def test_what_has_the_keyboard_is_painted_with_it_and_then_without(opened: Open, qtbot: QtBot) -> None:
    """Before and after each Tab a part stands on the screen as it would be painted anew, also on pages turned to."""
    window = opened(text=b"BAC")
    window.activateWindow()
    went = set[QWidget]()

    def shown(part: QWidget) -> bool:
        place = QRect(part.mapTo(window, QPoint()), part.size())
        assert window.rect().contains(place), f"{part} {part.accessibleName()} is out of sight"
        screen = window.screen().grabWindow(window.winId()).copy(place)
        there, anew = (channels(picture) for picture in (screen, window.grab(place)))
        return there.shape == anew.shape and bool(np.abs(there - anew).max() <= ROUNDING)

    def walk(panel: Panel) -> None:
        settle(window, qtbot)
        while (focus := QApplication.focusWidget()) is not None and panel.isAncestorOf(focus) and focus not in went:
            qtbot.waitUntil(lambda focus=focus: shown(focus))
            went.add(focus)
            QTest.keyClick(focus, Qt.Key.Key_Tab)
            settle(window, qtbot)
            qtbot.waitUntil(lambda focus=focus: shown(focus))

    for name, panel in window.panels.items():
        if name != "editor":  # Tab is a sign in it
            window.arrangement.go_to(panel)
            walk(panel)
    tokenizers = window.panels["tokenizers"]
    assert isinstance(tokenizers, TokenizersPanel)
    window.arrangement.go_to(tokenizers)
    for mode in tokenizers.tabs.group.buttons():
        mode.setFocus(Qt.FocusReason.TabFocusReason)
        mode.click()
        went.clear()
        walk(tokenizers)
        assert any(isinstance(part, QAbstractScrollArea) for part in went)


def test_tab_goes_dock_by_dock_through_what_is_in_sight(opened: Open, qtbot: QtBot) -> None:
    """Also where panels stand behind others' tabs, and where pages were made long after the docks."""
    window = opened(text=b"BAC")
    window.activateWindow()
    for panel in window.panels.values():  # all are made, and most stand behind another
        window.arrangement.go_to(panel)
    tokenizers = window.panels["tokenizers"]
    assert isinstance(tokenizers, TokenizersPanel)
    window.arrangement.go_to(tokenizers)
    tokenizers.tabs.group.button(list(MODES).index("merges")).click()
    docks: list[str] = []
    window.arrangement.go_to(window.panels["decoding"])
    while (focus := QApplication.focusWidget()) is not None and not window.panels["editor"].isAncestorOf(focus):
        dock = next((name for name, dock in window.docks.items() if dock.isAncestorOf(focus)), "")
        assert window.rect().contains(focus.mapTo(window, focus.rect().center())), f"{focus} is out of sight"
        if docks[-1:] != [dock]:
            assert dock not in docks, f"{dock} twice"
            docks.append(dock)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
        settle(window, qtbot)
    assert docks == ["decoding", "candidates", "tokenizers", "orders", ""]
