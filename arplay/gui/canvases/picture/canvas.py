"""A picture to go through and to paint: the pixel that comes next is framed, in the order in which the model reads."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QMimeData, Qt
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QIcon,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QBoxLayout, QButtonGroup, QGridLayout, QPushButton, QVBoxLayout, QWidget

from arplay.core.errors import Problem
from arplay.core.modalities.image import Picture, Raster
from arplay.gui.canvases.canvas import Canvas
from arplay.gui.canvases.picture import clipboard
from arplay.gui.canvases.picture.painted import Painted, Pasted
from arplay.gui.canvases.text import transfer
from arplay.gui.intents import CaretMoved, Do, OpenFiles, Report
from arplay.gui.theme import SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.picture.beside import SIDE, put_beside
from arplay.gui.widgets.picture.grid import PictureGrid, Square
from arplay.gui.widgets.push_button import push_button
from arplay.gui.widgets.swatch import grey

HEIGHT = 680
"""Pixels of height that it wants."""
GO, CLEAR = 1000, 1001
"""What a click does besides painting a level: goes there, or takes the paint off."""
KEYS = "0123456789abcdefg"
"""What paints a level: the digit that it is to the base of seventeen."""
LATER = 0.4
"""How much of a pixel's colour is seen where the model has not read it yet."""
MOST_NAMED = 4
"""Levels whose buttons have a name; more have a swatch alone."""
LEVEL = 34
"""Pixels of width of a button without a name."""


class PictureCanvas(Canvas):
    """Tells what the user does with the picture; shows it as the View has it."""

    least = 112  # the tools and two lines of words

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = View()
        self._raster: Raster | None = None
        self._picture: Picture | None = None
        self._caret = 0
        self._said = ""
        self._stroke: list[int] = []
        """Pixels that the mouse goes over, to be painted at once when it is let go."""
        self.grid = PictureGrid(self)
        self.grid.setAccessibleName("Picture")
        self.words = Label(parent=self, role="muted", wrap=True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.words.setMinimumHeight(2 * self.words.fontMetrics().lineSpacing())  # the picture stays where it is
        self.tools = QWidget(self)
        self._rows = QGridLayout(self.tools)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(SPACE[0])
        self.choices = QButtonGroup(self)
        tip = "Takes the paint off the framed pixel and all that come after it: they can be drawn anew (Shift+Delete)"
        self.clear_rest = push_button("Clear the rest", tip, self._clear_rest, role="chip", parent=self.tools)
        self._side = QWidget(self)
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(SPACE[1])
        side.addWidget(self.tools, 0, Qt.AlignmentFlag.AlignLeft)
        side.addWidget(self.words)
        side.addStretch(1)
        self._layout = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.setContentsMargins(SPACE[1], SPACE[1], SPACE[1], SPACE[1])
        self._layout.setSpacing(SPACE[1])
        self._layout.addWidget(self._side)
        self._layout.addWidget(self.grid, 1)
        self.setFocusProxy(self.grid)
        self.grid.pressed.connect(self._press)
        self.grid.dragged.connect(self._drag)
        self.grid.released.connect(self._end_stroke)
        self.grid.moved.connect(self._move)
        self.grid.installEventFilter(self)
        self.setAcceptDrops(True)

    def set_theme(self, theme: Theme) -> None:
        self.grid.theme = theme
        self.show_view(self._view)

    def wanted_height(self, view: View, width: int) -> int:
        return HEIGHT

    def open_seek(self, part: str) -> None:
        self.intent.emit(Report("a picture has no text to search", "click on a pixel to go there"))

    def show_view(self, view: View) -> None:
        self._view = view
        tokens, picture = view.loaded.vocabulary if view.loaded else None, view.document
        if not isinstance(picture, Picture) or not isinstance(tokens, Raster):
            self.words.setText("The picture is shown once a model that reads it is loaded.")
            return
        if tokens != self._raster:
            self._raster = tokens
            self._build(tokens)
        if picture != self._picture or view.caret != self._caret:
            self._said = ""
        self._picture, self._caret = picture, view.caret
        self._show_picture(tokens, picture)
        behind = (picture.cells[cell] for cell in tokens.order[view.caret :])
        self.clear_rest.setEnabled(any(level is not None for level in behind))
        self.words.setText(self._said or self._sentence(tokens, picture, picture.open_from(0, tokens)))

    def _show_picture(self, tokens: Raster, picture: Picture) -> None:
        """What the model has read in its own colours, what it has not pale."""
        ground = self.grid.theme.color("background")
        own = [grey(tokens.ink(id)) for id in range(len(tokens))]
        pale = [_mixed(colour, ground) for colour in own]
        squares = [Square(None)] * tokens.pixels
        for index, cell in enumerate(tokens.order):
            level = picture.cells[cell]
            if level is not None:
                squares[cell] = Square((own if index < self._caret else pale)[level])
        marked = tokens.order[self._caret] if self._caret < tokens.pixels else None
        lit = () if self._view.span is None else tokens.order[slice(*self._view.span)]
        self.grid.show_squares(tokens.width, squares, marked, self._tell)
        self.grid.show_lit(lit)
        self.grid.show_order(tokens.order, self._caret)

    def _sentence(self, tokens: Raster, picture: Picture, known: int) -> str:
        if self._caret >= tokens.pixels:
            return f"The picture is complete: all {tokens.pixels} pixels are read."
        row, column = tokens.place(self._caret)
        waiting = sum(level is not None for level in picture.cells) - known
        come = "pixel comes later and is" if waiting == 1 else "pixels come later and are"
        later = f" {waiting} painted {come} kept." if waiting else ""
        pale = " The pale pixels come later." if known > self._caret and not waiting else ""
        return (
            f"Pixel {self._caret + 1} of {tokens.pixels} comes next: row {row + 1}, column {column + 1}.{later}{pale}"
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a low panel the tools stand beside the picture, which needs the height."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = self.contentsRect()
        low = room.width() > 1.3 * room.height()
        put_beside(self._layout, self._side, max(SIDE, self.tools.sizeHint().width()) if low else None)

    def _build(self, tokens: Raster) -> None:
        """A button for going, one for clearing, and below them one for each level."""
        for button in self.choices.buttons():
            self.choices.removeButton(button)
            self._rows.removeWidget(button)
            button.deleteLater()
        self._add(GO, "Go there", "A click goes to the pixel: the chart shows what the model expects there.", 0, 0)
        self._add(CLEAR, "Clear", "A click takes the paint off (key Delete).", 0, 1)
        self._rows.addWidget(self.clear_rest, 0, 8, 1, 1)
        self.choices.button(GO).setChecked(True)
        named = len(tokens) <= MOST_NAMED
        columns = 2 if named else 8
        for id in range(len(tokens)):
            name, key = tokens.label(id)[2:], f" (key {KEYS[id].upper()})" if id < len(KEYS) else ""
            tip = f"A click paints {name}{key}; the right button goes through all levels."
            button = self._add(id, name if named else "", tip, 1 + id // columns, id % columns)
            button.setAccessibleName(f"Paint {name}")
            button.setIcon(_swatch(grey(tokens.ink(id))))
            if not named:
                button.setFixedWidth(LEVEL)
        self._fit()

    def _add(self, what: int, label: str, tip: str, row: int, column: int) -> QPushButton:
        button = push_button(label, tip, role="chip", checkable=True, parent=self.tools)
        self.choices.addButton(button, what)
        span = 1 if row and not label else 4
        self._rows.addWidget(button, row, span * column, 1, span)
        button.show()  # at once: the room that it needs is asked for now
        return button

    def _press(self, cell: int, right: bool) -> None:
        assert self._raster is not None and self._picture is not None
        what = self.choices.checkedId()
        if right:
            level = self._picture.cells[cell]
            self._paint([cell], 0 if level is None else (level + 1) % len(self._raster))
        elif what == GO:
            self._go(self._raster.order.index(cell))
        else:
            self._drag(cell)

    def _drag(self, cell: int) -> None:
        """One stroke, seen at once and painted when it ends: one undo takes it back."""
        if self.choices.checkedId() != GO and self._raster is not None and self._picture is not None:
            if cell not in self._stroke:
                self._stroke.append(cell)
            level = self._level
            self._show_picture(self._raster, self._picture.apply(self._picture.paint(self._stroke, level)))

    def _end_stroke(self) -> None:
        stroke, self._stroke = self._stroke, []
        if stroke:
            self._paint(stroke, self._level)

    @property
    def _level(self) -> int | None:
        """What is painted."""
        what = self.choices.checkedId()
        return None if what == CLEAR else what

    def _clear_rest(self) -> None:
        if self._raster is not None:
            self._paint(self._raster.order[self._caret :], None)

    def _move(self, rows: int, columns: int) -> None:
        """The nearest pixel in that direction, as far as it can be gone to."""
        raster = self._raster
        if raster is None or self._picture is None:
            return
        row, column = raster.place(min(self._caret, raster.pixels - 1))
        row = min(max(row + rows, 0), raster.height - 1)
        column = min(max(column + columns, 0), raster.width - 1)
        self._go(raster.order.index(row * raster.width + column))

    def _go(self, index: int) -> None:
        assert self._raster is not None and self._picture is not None
        known = self._picture.open_from(0, self._raster)
        if index <= known:
            self.intent.emit(CaretMoved(index))
            return
        row, column = self._raster.place(known)
        self._said = (
            f"The model reads that pixel after the one in row {row + 1}, column {column + 1}, which is not painted yet."
        )
        self.words.setText(self._said)

    def _paint(self, cells: Sequence[int], level: int | None) -> None:
        assert self._picture is not None
        changed = tuple(cell for cell in cells if self._picture.cells[cell] != level)
        if changed:
            self.intent.emit(Painted(changed, level))

    def _tell(self, cell: int) -> str:
        tokens, picture = self._raster, self._picture
        assert tokens is not None and picture is not None
        index, level = tokens.order.index(cell), picture.cells[cell]
        row, column = tokens.place(index)
        where = f"Pixel {index + 1}: row {row + 1}, column {column + 1}"
        if level is None:
            return f"{where}, not painted"
        kept = "" if index < picture.open_from(0, tokens) else "\nNot read yet: a pixel before it is not painted."
        return f"{where}, {tokens.label(level)[2:]}{kept}"

    def _paste(self, raster: Raster) -> None:
        offered = QGuiApplication.clipboard().mimeData()
        if files := transfer.local_files(offered):
            self.intent.emit(OpenFiles(files))
        else:
            self._lay("pasted", offered, raster)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """An image without a file, as browsers give it; all else is for the window."""
        offered = event.mimeData()
        if offered.hasImage() and not transfer.local_files(offered):
            transfer.take(event)
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        transfer.take(event)
        if self._raster is not None:
            self._lay("dropped", event.mimeData(), self._raster)
        else:
            self.intent.emit(Report("no model that reads pictures is here yet", "drop it again once one is loaded"))

    def _lay(self, how: str, offered: QMimeData, raster: Raster) -> None:
        """The picture that is offered, in place of the one that is here."""
        try:
            picture, changed = clipboard.content(offered, raster)
        except Problem as problem:
            self.intent.emit(Report(problem.cause, problem.remedy))
            return
        self.intent.emit(Pasted(picture))
        if changed:
            self.intent.emit(Report(f"what was {how} was {changed}", "undo brings the former picture back"))

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """Keys of the grid that mean something here."""
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress or self._raster is None:
            return False
        key, raster = event.key(), self._raster
        if key == Qt.Key.Key_Delete and event.modifiers() == Qt.KeyboardModifier.ShiftModifier:
            self._clear_rest()
            return True
        if event.matches(QKeySequence.StandardKey.Copy) and self._picture is not None:
            QGuiApplication.clipboard().setMimeData(clipboard.offer(self._picture, raster))
            return True
        if event.matches(QKeySequence.StandardKey.Paste):
            self._paste(raster)
            return True
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        level = KEYS.find(event.text().lower()) if event.text() else -1
        if 0 <= level < len(raster) and self._caret < raster.pixels:
            self._paint([raster.order[self._caret]], level)
        elif key == Qt.Key.Key_Delete and self._caret < raster.pixels:
            self._paint([raster.order[self._caret]], None)
        elif key == Qt.Key.Key_Space:
            self.intent.emit(Do("step"))
        elif key == Qt.Key.Key_Backspace:
            self.intent.emit(Do("rewind"))
        elif key == Qt.Key.Key_P:
            self.intent.emit(Do("pause" if self._view.playing else "play"))
        else:
            return False
        return True


def _swatch(color: QColor) -> QIcon:
    picture = QPixmap(4 * SPACE[2], 4 * SPACE[2])  # sharp at twice the size, too
    picture.fill(QColor("gray"))
    painter = QPainter(picture)
    painter.fillRect(picture.rect().adjusted(3, 3, -3, -3), color)
    painter.end()
    return QIcon(picture)


def _mixed(colour: QColor, ground: QColor) -> QColor:
    parts = zip(colour.getRgb()[:3], ground.getRgb()[:3], strict=True)  # type: ignore[index]
    return QColor(*(round(LATER * a + (1 - LATER) * b) for a, b in parts))
