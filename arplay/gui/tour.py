"""The first-run tour: a card that stands beside one panel after another and says what to do there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from arplay.gui.canvases.kind import Kind
from arplay.gui.contract import Panel
from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.layouts import FREE, in_row

KEYS = "Alt+N: next · Alt+B: back · Alt+K: skip"


def stops(kind: Kind) -> tuple[tuple[str, str, str], ...]:
    """The panel, the heading and the words of each stop. Whoever has no mouse can do all that they say."""
    return (
        ("editor", f"1 · The {kind.noun}", kind.first),
        (
            "next_token",
            "2 · What comes next?",
            "The model's probability for every possible next token. Choose one with ↑ ↓ and take it with Enter, or "
            "click it. ← takes it back.",
        ),
        (
            "decoding",
            f"3 · Let it {kind.verb}",
            "Space samples one token (Step), ← takes it back (Rewind), P goes on and pauses (Play); in the "
            f"{kind.noun} Ctrl+Space, Alt+← and Ctrl+P. The stages change which tokens may be drawn, never what the "
            "model believes: slide them, drag them, add others.",
        ),
        ("editor", "4 · What if?", kind.other),
        (
            "continuations",
            "5 · Many ways on",
            "Rollouts draw many at once, a beam search looks for the most probable, a map shows all: choose with ← →, "
            "Enter runs it. Then choose one with the arrows, and Enter writes it. F11 gives it all the window.",
        ),
        (
            "history",
            "6 · Nothing is lost",
            f"Every {kind.noun} that you had is here: a list, a tree or blocks. Choose one with the arrows, Home "
            "chooses the beginning, and Enter goes there; or click it.",
        ),
        (
            "heatmap",
            "7 · How surprising was it?",
            f"Every token of the {kind.noun}, coloured by its surprisal. Go along them with the arrows, or point at "
            "one, to see what the model expected; click it to go there.",
        ),
        (
            "ledger",
            "8 · The chain rule",
            f"log p of the whole {kind.noun} is the sum of its tokens' log p. Open a {kind.noun} of yours with Ctrl+O "
            "and look again. F1 lists all keys. Texts, pictures and sounds go the same way: english, fashion and "
            "speech are among the models (Ctrl+M).",
        ),
    )


class Tour(QFrame):
    """Non-modal: the panel that it speaks of has the keyboard, and the card has keys of its own. Esc ends it."""

    ended = Signal()

    def __init__(self, panels: Mapping[str, Panel], kind: Kind, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "note")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._window = parent
        self._panels = panels
        self._kind, self._stops = kind, stops(kind)
        self._at = 0
        self._title = Label(parent=self)
        self._title.setProperty("role", "heading")
        self._words = Label(parent=self)
        self._words.setWordWrap(True)
        self._back = QPushButton("Back", self)
        self._next = QPushButton("Next", self)
        self._next.setProperty("role", "primary")
        skip = QPushButton("Skip", self)
        for button, key in ((self._next, "Alt+N"), (self._back, "Alt+B"), (skip, "Alt+K")):
            button.setShortcut(QKeySequence(key))
            button.setToolTip(key)
        keys = Label(KEYS, self, role="caption")
        self._back.clicked.connect(self._go_back)
        self._next.clicked.connect(self._go_on)
        skip.clicked.connect(self.end)
        for button in (skip, self._back, self._next):
            button.setAutoDefault(True)  # Enter presses the focused button, as in a dialog
        row = in_row(skip, FREE, self._back, self._next)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[2])
        column.setSpacing(SPACE[1])
        column.addWidget(self._title)
        column.addWidget(self._words)
        column.addWidget(keys)
        column.addLayout(row)
        self.setFixedWidth(330)

    def begin(self, go_to: Callable[[Panel], None]) -> None:
        """``go_to`` brings a panel forward and gives it the keyboard."""
        self._go_to = go_to
        self._show_stop()

    def show_kind(self, kind: Kind) -> None:
        """Another kind of document came into the window."""
        if kind is not self._kind:
            self._kind, self._stops = kind, stops(kind)
            self._write()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.end()
        else:
            super().keyPressEvent(event)

    def place(self) -> None:
        """Stand beside the panel of this stop, else below or above it: what it speaks of is covered least."""
        window, panel = self._window, self._panels[self._stops[self._at][0]]
        self.adjustSize()
        shown = QRect(panel.mapTo(window, QPoint(0, 0)), panel.size())
        room = window.rect().adjusted(SPACE[2], SPACE[2], -SPACE[2], -SPACE[4])
        below = shown.y() + min(shown.height() // 3, 160)
        beside = (
            QPoint(shown.right() + SPACE[2], below),
            QPoint(shown.left() - self.width() - SPACE[2], below),
            QPoint(shown.left(), shown.bottom() + SPACE[1]),
            QPoint(shown.left(), shown.top() - self.height() - SPACE[1]),
            QPoint(shown.right() - self.width(), shown.bottom() - self.height()),
        )
        places = [_within(QRect(corner, self.size()), room) for corner in beside]
        self.move(min(places, key=lambda card: _covered(card, shown)).topLeft())

    def _show_stop(self) -> None:
        self._back.setEnabled(self._at > 0)
        self._next.setText("Done" if self._at == len(self._stops) - 1 else "Next")
        self._next.setShortcut(QKeySequence("Alt+N"))  # another text took it away
        self._go_to(self._panels[self._stops[self._at][0]])
        self._write()
        self.show()
        self.raise_()

    def _write(self) -> None:
        _, title, words = self._stops[self._at]
        self._title.setText(title)
        self._words.setText(words)
        self.place()

    def _go_back(self) -> None:
        self._at -= 1
        self._show_stop()

    def _go_on(self) -> None:
        if self._at == len(self._stops) - 1:
            self.end()
            return
        self._at += 1
        self._show_stop()

    def end(self) -> None:
        self.ended.emit()
        self.close()


def _within(card: QRect, room: QRect) -> QRect:
    """The card moved into the room, to its upper left corner where it is too large."""
    x = max(room.left(), min(card.left(), room.right() - card.width()))
    y = max(room.top(), min(card.top(), room.bottom() - card.height()))
    return QRect(QPoint(x, y), card.size())


def _covered(card: QRect, panel: QRect) -> int:
    """Pixels of the panel that the card hides."""
    both = card.intersected(panel)
    return both.width() * both.height() if both.isValid() else 0
