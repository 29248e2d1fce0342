"""How a word becomes tokens: each merge as a row, with what was made by it marked."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractScrollArea

from arplay.core.format import number
from arplay.core.merges import Made
from arplay.engine.tokenizing import MadeOf, Tokenization
from arplay.gui.intents import MakeTokens
from arplay.gui.theme import BODY, LIGHT, SMALL, SPACE, Theme, fixed_font, number_font
from arplay.gui.widgets.frame import paint_frame, paint_message
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.tokenizers.page import TokenizerPage

ROW, RANK = 24, 76
EMPTY = "Type a word and press Enter: every merge that makes its tokens stands here, with its rank."
TIP = "A word, with the space before it if it has one; Enter tells how its tokens are made"
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_CENTER = Qt.AlignmentFlag.AlignCenter


@dataclass(frozen=True, slots=True)
class Step:
    """``symbols`` with ``said`` before them and ``told`` behind; the one with index ``at`` was just made."""

    said: str
    symbols: tuple[str, ...]
    at: int = -1
    told: str = ""
    last: bool = False


def steps(made: Made) -> tuple[Step, ...]:
    """A row each: what a word begins with, every merge, and what comes of it."""
    found = list[Step]()
    for word in made.words:
        if word.symbols:
            found.append(Step("begins", word.symbols))
        found += [Step(f"{merge.rank:,}", merge.symbols, merge.at) for merge in word.merges]
        scores = f"scores {', '.join(number(score, 2) for score in word.scores)}" if word.scores else ""
        ids = f"ids {', '.join(f'{id:,}' for id in word.ids)}"
        told = "; ".join(filter(None, (ids, scores, word.note)))
        found.append(Step("tokens", word.tokens, -1, told, True))
    return tuple(found)


class StepView(QAbstractScrollArea):
    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = LIGHT
        self.steps: tuple[Step, ...] = ()
        self.message = EMPTY
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setAccessibleName("Merges")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 40)

    def show_steps(self, made: tuple[Step, ...], message: str) -> None:
        self.steps, self.message = made, message
        self.setAccessibleDescription("; ".join(f"{step.said}: {' '.join(step.symbols)}" for step in made[:100]))
        self.fit()

    def fit(self) -> None:
        room = self.viewport().size()
        for bar, wanted, page in (
            (self.verticalScrollBar(), len(self.steps) * ROW + 2 * SPACE[1], room.height()),
            (self.horizontalScrollBar(), self.wide, room.width()),
        ):
            bar.setRange(0, max(0, wanted - page))
            bar.setPageStep(page)
            bar.setSingleStep(ROW)
        self.viewport().update()

    @property
    def wide(self) -> int:
        """Pixels of the widest row."""
        metrics, small = QFontMetricsF(fixed_font(BODY)), QFontMetricsF(number_font(SMALL))
        return int(max((_wide(step, metrics, small) for step in self.steps), default=0)) + 2 * SPACE[1]

    def resizeEvent(self, event: object) -> None:
        self.fit()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.viewport().update()  # the frame is painted there

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        frame = paint_frame(painter, self.theme, self.viewport().rect(), self.hasFocus())
        if not self.steps:
            paint_message(painter, self.theme, frame, self.message)
        else:
            painter.setClipRect(frame.adjusted(1, 1, -1, -1))
            top = SPACE[1] - self.verticalScrollBar().value()
            first = max(0, -top // ROW)
            for at in range(first, min(len(self.steps), first + self.viewport().height() // ROW + 2)):
                x = SPACE[1] - self.horizontalScrollBar().value()
                paint_step(painter, self.theme, self.steps[at], x, top + at * ROW)
        painter.end()


def _wide(step: Step, metrics: QFontMetricsF, small: QFontMetricsF) -> float:
    boxes = sum(metrics.horizontalAdvance(label(symbol)) + 14 for symbol in step.symbols)
    return RANK + SPACE[1] + boxes + small.horizontalAdvance(step.told) + SPACE[2]


def paint_step(painter: QPainter, theme: Theme, step: Step, x: float, y: float) -> None:
    """A row: the rank of the merge, and the symbols as boxes."""
    painter.setFont(number_font(SMALL))
    painter.setPen(theme.color("text" if step.last else "muted"))
    painter.drawText(QRectF(x, y, RANK - SPACE[1], ROW), _RIGHT, step.said)
    metrics = QFontMetricsF(fixed_font(BODY))
    left = x + RANK
    for at, symbol in enumerate(step.symbols):
        text = label(symbol)
        box = QRectF(left, y + 2, metrics.horizontalAdvance(text) + 10, ROW - 5)
        tint = ("fill", 0.9) if at == step.at else ("fill", 0.45) if step.last else ("border", 0.5)
        painter.fillRect(box, theme.color(*tint))
        painter.setFont(fixed_font(BODY))
        painter.setPen(theme.color("text"))
        painter.drawText(box, _CENTER, text)
        left = box.right() + 4
    if step.told:
        painter.setFont(number_font(SMALL))
        painter.setPen(theme.color("muted"))
        painter.drawText(QRectF(left + SPACE[0], y, 4000, ROW), _LEFT, step.told)
    if step.last:
        painter.fillRect(QRectF(x, y + ROW - 1, 4000, 1), theme.color("border"))


class MergesPage(TokenizerPage):
    """``choose``: a word that was clicked in the text."""

    def __init__(self) -> None:
        super().__init__("a word", "Word whose tokens are made", TIP)
        self.steps = StepView()
        self.column.addWidget(self.steps, 1)
        self.column.addWidget(self.said)
        self.field.textChanged.connect(self.show_now)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.steps.theme = theme
        self.steps.viewport().update()

    def show_now(self) -> None:
        asked, chosen = self.view.answer_to(MakeTokens), self.chosen
        found: MadeOf | None = asked.found
        if found is None or chosen is None or not self._is_of(found, chosen):
            self.steps.show_steps((), "; ".join(asked.problem) if asked.problem else EMPTY)
            self.said.show_text("")
            return
        self.steps.show_steps(steps(found.made), EMPTY)
        merges = sum(len(word.merges) for word in found.made.words)
        tokens = sum(len(word.ids) for word in found.made.words)
        told = f"{found.made.kind}: {merges:,} merges make {tokens:,} token{'s' * (tokens != 1)}"
        if not any(word.symbols for word in found.made.words):
            told = f"{found.made.kind}: {tokens:,} token{'s' * (tokens != 1)}, nothing is merged"
        self.said.show_text(f"{told}; a low rank was learnt early, from a frequent pair")

    def _is_of(self, found: MadeOf, chosen: Tokenization) -> bool:
        """Whether it is what is typed, by the tokenizer that is chosen."""
        known = chosen.tokens is not None and found.tokens == chosen.tokens.name and found.spec == chosen.spec
        return known and found.document.file.decode() == self.field.text()

    def ask(self) -> None:
        chosen = self.chosen
        if chosen is not None and self.field.text():
            self.intent.emit(MakeTokens(chosen.spec, self.field.text()))
        else:
            self.show_now()
