"""The first-run tour: a card that stands beside one panel after another and says what to do there."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from arplay.gui.canvases.kind import Kind
from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import Label


def stops(kind: Kind) -> tuple[tuple[str, str, str], ...]:
    """The panel, the heading and the words of each stop."""
    return (
        ("editor", f"1 · The {kind.noun}", kind.first),
        (
            "next_token",
            "2 · What comes next?",
            "The model's probability for every possible next token. Click a bar, or press ↓ and Enter, to take it.",
        ),
        (
            "decoding",
            f"3 · Let it {kind.verb}",
            "Step samples one token, Rewind takes it back, Play goes on. The stages change which tokens may be drawn, "
            "never what the model believes: slide them, drag them, add others.",
        ),
        (
            "heatmap",
            "4 · How surprising was it?",
            f"Every token of the {kind.noun}, coloured by its surprisal. Point at one to see what the model expected; "
            "click it to go there.",
        ),
        (
            "ledger",
            "5 · The chain rule",
            f"log p of the whole {kind.noun} is the sum of its tokens' log p. Open a {kind.noun} of yours with Ctrl+O "
            "and look again.",
        ),
        (
            "continuations",
            "6 · Many at once",
            "Run draws many continuations together. Beam search looks for the most probable one, at once or a step at "
            "a time, and shows what it pruned. Arrows choose one, Enter writes it.",
        ),
        (
            "history",
            "7 · Every way is kept",
            "All that was tried stays here. As a Tree or as Blocks, arrows go from branch to branch, Enter is there at "
            "once, and Home is at the beginning.",
        ),
    )


class Tour(QFrame):
    """Non-modal; Next, Back and Skip; Esc ends it. ``speaks_of``: the panel of this name is to be seen now."""

    ended = Signal()
    speaks_of = Signal(str)

    def __init__(self, panels: dict[str, QWidget], kind: Kind, parent: QWidget) -> None:
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
        self._back.clicked.connect(self._go_back)
        self._next.clicked.connect(self._go_on)
        skip.clicked.connect(self._end)
        for button in (skip, self._back, self._next):
            button.setAutoDefault(True)  # Enter presses the focused button, as in a dialog
        row = QHBoxLayout()
        row.addWidget(skip)
        row.addStretch(1)
        row.addWidget(self._back)
        row.addWidget(self._next)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[3], SPACE[2], SPACE[3], SPACE[2])
        column.setSpacing(SPACE[1])
        column.addWidget(self._title)
        column.addWidget(self._words)
        column.addLayout(row)
        self.setFixedWidth(330)
        self._show_stop()

    def show_kind(self, kind: Kind) -> None:
        """Another kind of document came into the window."""
        if kind is not self._kind:
            self._kind, self._stops = kind, stops(kind)
            self._write()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._end()
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
        self._write()
        self.show()
        self.raise_()
        self._next.setFocus()

    def _write(self) -> None:
        _, title, words = self._stops[self._at]
        self._title.setText(title)
        self._words.setText(words)
        self.place()

    def _go_back(self) -> None:
        self._go(-1)

    def _go_on(self) -> None:
        if self._at == len(self._stops) - 1:
            self._end()
            return
        self._go(1)

    def _go(self, by: int) -> None:
        self._at += by
        self.speaks_of.emit(self._stops[self._at][0])
        self._show_stop()

    def _end(self) -> None:
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
