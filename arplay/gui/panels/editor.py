"""The document, and what the user does with it: around the canvas of its kind."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from arplay.core.chain import Ledger
from arplay.gui import kinds
from arplay.gui.canvases.canvas import Canvas
from arplay.gui.canvases.kind import Kind
from arplay.gui.contract import Panel
from arplay.gui.theme import Theme
from arplay.gui.view import View


class EditorPanel(Panel):
    """Shows the document in the canvas of its kind, each of which is made when there is one."""

    explanation = (
        "<p>The text whose continuation you see. The <b>caret</b> is the position in the chain: everything before it "
        "is the prefix x<sub>&lt;i</sub>, and the chart shows p(x<sub>i</sub> | x<sub>&lt;i</sub>).</p>"
        "<p>A model reads <b>tokens</b>, not letters. <b>Borders</b> gives every other token a faint ground, "
        "<b>Colours</b> every token the colour of its surprisal, rank or entropy, as in the heatmap; a token that was "
        "just changed has none until it is scored. Tokens that were picked or sampled keep their ids and are "
        "underlined; what you type is cut into tokens by the tokenizer. Where kept ids differ from what the tokenizer "
        "would choose for the same text, a dotted line says so.</p>"
        "<p>Ctrl+Enter takes the most probable token, Ctrl+Space samples one, Alt+← and Alt+→ go back and forward, "
        "Esc leaves the text. Ctrl+F finds words, F8 goes to the next surprising token, Ctrl+G to a token by its "
        "number.</p>"
    )

    comes = "at once"  # a key speaks of the text that the editor shows

    leave = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._canvases: dict[str, Canvas] = {}
        self.beside_title = QWidget(self)
        self.beside_title.hide()  # until it stands in a title bar
        self._heads = QHBoxLayout(self.beside_title)
        self._heads.setContentsMargins(0, 0, 0, 0)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.canvas = self.canvas_of(kinds.KINDS[0])
        self._turn(self.canvas)

    def canvas_of(self, kind: Kind) -> Canvas:
        canvas = self._canvases.get(kind.name)
        if canvas is None:
            canvas = self._canvases[kind.name] = kind.canvas()
            canvas.hide()
            canvas.intent.connect(self.intent)
            canvas.leave.connect(self.leave)
            canvas.set_theme(self.theme)
            self._column.addWidget(canvas, 1)
            if canvas.beside_title is not None:
                canvas.beside_title.hide()
                self._heads.addWidget(canvas.beside_title, 1)
        return canvas

    def _turn(self, canvas: Canvas) -> None:
        for each, shown in ((self.canvas, False), (canvas, True)):
            each.setVisible(shown)
            if each.beside_title is not None:
                each.beside_title.setVisible(shown)
        self.canvas = canvas
        self.setFocusProxy(canvas)
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.canvas.least)

    def wanted_height(self, view: View, width: int) -> int:
        return self.canvas_of(kinds.of_document(view.document)).wanted_height(view, width)

    def show_view(self, view: View) -> None:
        canvas = self.canvas_of(kinds.of_document(view.document))
        if canvas is not self.canvas:
            self._turn(canvas)
        canvas.show_view(view)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for canvas in self._canvases.values():
            canvas.set_theme(theme)

    def open_seek(self, part: str) -> None:
        """The row for going through the document, with this part of it."""
        self.canvas.open_seek(part)

    def selected_tokens(self, ledger: Ledger | None) -> tuple[int, int] | None:
        """The tokens [first, stop) of ``ledger`` that are selected; None where it is of another document."""
        return self.canvas.selected_tokens(ledger)
