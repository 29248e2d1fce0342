"""The causality lab: change a token, see what moves; let the model run freely, beside the real tokens; break a mask."""

from __future__ import annotations

from typing import Any, get_args

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from arplay.core.format import part_percent
from arplay.core.masks import why
from arplay.engine.causality import MOST, Changed
from arplay.engine.free_running import Freed
from arplay.engine.masks import KINDS, Broke, Measured
from arplay.export.causality import poisoned, told, verdict
from arplay.gui import kinds
from arplay.gui.canvases.field import DistanceField
from arplay.gui.contract import Panel
from arplay.gui.intents import Do, Measure
from arplay.gui.settings import Lab
from arplay.gui.theme import SMALL, SPACE, Theme, interface_font
from arplay.gui.view import View
from arplay.gui.widgets.caption import Caption, plain, set_role
from arplay.gui.widgets.causality import lines
from arplay.gui.widgets.causality.broken import BrokenView, paint_broken
from arplay.gui.widgets.causality.lines import EFFECTS, FIGURES, Effect, Figure, MeasureLines
from arplay.gui.widgets.causality.triangle import SHEET, Squares, TriangleView
from arplay.gui.widgets.flow import Flow
from arplay.gui.widgets.layouts import in_row
from arplay.gui.widgets.plot import Drawing, Plot, of_tokens
from arplay.gui.widgets.push_button import offer, push_button, segments

LABS: dict[Lab, tuple[str, str, str]] = {
    "triangle": (
        "Triangle",
        "Change each token, see which conditionals move",
        f"Measure changes each of up to {MOST} tokens to another one and looks how far p(xᵢ | before) moves, for every "
        "i. Nothing may move at or before the changed token.",
    ),
    "reached": (
        "What reached it",
        "Change each token before this one, see how far its own distribution moves",
        "Measure changes each token before the chosen one, and looks how far the distribution at the chosen one moves: "
        "its receptive field.",
    ),
    "poisoned": (
        "Poison it",
        "Change this token, see how long it is felt",
        "Measure changes the chosen token to 8 others, and looks how far the distributions behind it move, and how "
        "much more or less probable the real tokens there become.",
    ),
    "free": (
        "Free running",
        "Rollouts from here, beside the real tokens",
        "Measure draws rollouts behind the caret and compares them with the real tokens there: surprise, entropy, "
        "repetition, and how far the distributions drift apart.",
    ),
    "mask": (
        "Break the mask",
        "Train a small network, and one that sees the future, side by side",
        "Train makes two small networks of one kind, on the same data, in about a minute: one of them sees what it is "
        "to predict. Its loss will be wonderful.",
    ),
}


class CausalityPanel(Panel):
    explanation = (
        "<p>The chain rule log p(x<sub>1</sub>…x<sub>n</sub>) = Σ log p(x<sub>i</sub> | x<sub>&lt;i</sub>) needs "
        "conditionals that do not see what they predict. Here that is <b>measured</b>: token j is changed to another "
        "one (the seed says which), and how far each p(x<sub>i</sub> | before) moved is drawn in row i, "
        "column j. Only the triangle below the diagonal, j &lt; i, may move; anything else is drawn in the colour of "
        "warnings. The distance is the total variation ½ Σ |p − q|, on a scale of powers of ten.</p>"
        "<p><b>connected</b> beside it is what the architecture says: every token before (attention, an LSTM's state), "
        "the last few (n-grams, windows), the pixels that the masks connect, the samples that dilations reach. Striped "
        "cells are connected and did not move.</p>"
        "<p><b>What reached it</b> is a row of the triangle, <b>Poison it</b> a column: how far the "
        "distributions behind a wrong token move, and the log p of the real tokens, and how long it is felt: the "
        "median and the quarters over 8 other tokens.</p>"
        "<p><b>Free running</b>: in training a model reads real text (teacher forcing), in sampling its own. Rollouts "
        "from the caret stand beside the real tokens, the median and the quarters over the seeds; the decoding is that "
        "of the window.</p>"
        "<p><b>Break the mask</b> trains two small networks that differ in one connection, on data of their own. What "
        "sees the future has a wonderful loss and draws nothing of worth: while nothing later is there, as in "
        "sampling, it gives the same held-out chains far less, and its factors do not multiply to a probability. "
        "<b>Causality is in the connectivity, not in the loss.</b> The page <i>Causality</i> (menu Help) has it "
        "all.</p>"
    )

    def __init__(self) -> None:
        super().__init__()
        self.lab: Lab = "triangle"
        self.head, pair = Flow(), QWidget()
        self.modes = segments(self, ((lab, words, tip) for lab, (words, tip, _) in LABS.items()), self._choose)
        self.modes[self.lab].setChecked(True)
        in_row(*self.modes.values(), on=pair, spacing=0)
        self.chains, self.tokens = QSpinBox(minimum=2, maximum=64, value=8), QSpinBox(minimum=4, maximum=512, value=64)
        for box, words, tip in (
            (self.chains, " rollouts", "How many rollouts are drawn, with the seeds from the window's on"),
            (self.tokens, " tokens", "Tokens of each rollout"),
        ):
            box.setSuffix(words)
            box.lineEdit().setTextMargins(SPACE[1], 0, SPACE[0], 0)
            box.setToolTip(plain(tip))
            box.setAccessibleName(words.strip())
        self.figure = QComboBox()
        for key in get_args(Figure):
            self.figure.addItem(FIGURES[key][0], key)
        self.figure.setToolTip(plain("What is drawn by position: " + "; ".join(": ".join(f) for f in FIGURES.values())))
        self.figure.setAccessibleName("What is drawn by position")
        self.figure.currentIndexChanged.connect(self._show)
        self.effect = QComboBox()
        for effect in get_args(Effect):
            self.effect.addItem(EFFECTS[effect][0], effect)
        self.effect.setToolTip(plain("What is drawn by distance: " + "; ".join(": ".join(e) for e in EFFECTS.values())))
        self.effect.setAccessibleName("What is drawn by distance")
        self.effect.currentIndexChanged.connect(self._show)
        self.kind = QComboBox()
        for kind in KINDS:
            self.kind.addItem(kind.title, kind.name)
            self.kind.setItemData(self.kind.count() - 1, plain(kind.broken), Qt.ItemDataRole.ToolTipRole)
        self.kind.setToolTip(plain("Which kind of network is trained, with its mask and without"))
        self.kind.setAccessibleName("Kind of network")
        self.run = push_button("Measure", "Measure it now, on the loaded model", self._run, role="primary")
        for part in (pair, self.chains, self.tokens, self.figure, self.effect, self.kind, self.run):
            self.head.add(part)
        self.triangle, self.plot, self.broken = TriangleView(), MeasureLines(), BrokenView()
        self.triangle.chosen.connect(self.select)
        self.plot.clicked.connect(self._go_along)
        self.broken.laid.connect(self._fit)
        self.fields: dict[str, Any] = {}
        self.field: Any = None
        self.said, self.about = Caption(), Caption()
        self.body = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.body.setSpacing(SPACE[1])
        self.body.addWidget(self.triangle, 3)
        self.body.addWidget(self.plot, 2)
        self.body.addWidget(self.broken, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[1], SPACE[0], SPACE[1], SPACE[0])
        column.setSpacing(SPACE[0])
        column.addWidget(self.head)
        column.addLayout(self.body, 1)
        column.addWidget(self.said)
        column.addWidget(self.about)
        self._show()

    @property
    def found(self) -> Measured | None:
        """What is in sight."""
        return self.view.measured.get(self.lab)

    def show_view(self, view: View) -> None:
        before, self.view = self.view, view
        same = (
            view.measured is before.measured, view.measuring == before.measuring, view.loaded is before.loaded,
            view.measured_share == before.measured_share, view.document is before.document,
            view.lit == before.lit, view.work == before.work,
        )  # fmt: skip
        if not all(same):
            if view.measured is not before.measured and before.loaded is None and view.measured:
                self._choose(next(iter(view.measured)))  # what is there at first is what is to be seen
            self._show()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.triangle.theme = theme
        self.triangle.update()
        self.plot.set_theme(theme)
        self.broken.set_theme(theme)
        for field in self.fields.values():
            field.set_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The lines beside the triangle where there is room for both, and below it in a tall panel."""
        wide, high = self.width(), self.height()
        of_triangle = self.lab == "triangle"
        self.triangle.setVisible(of_triangle)
        of_mask = self.lab == "mask"
        self.broken.setVisible(of_mask)
        for field in self.fields.values():
            field.setVisible(field is self.field)
        roomy = wide >= 620 or (high >= 460 and wide >= 260)
        beside_it = roomy and self.found is not None  # else the same words would stand twice
        self.plot.setVisible(not of_mask and (self.field is None or roomy) and (not of_triangle or beside_it))
        beside = wide >= 620
        self.body.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
        self.about.setVisible(high >= 150)
        self.said.setVisible(not (of_mask and self.broken.tells_why))
        for part in (self.chains, self.tokens, self.figure):
            part.setVisible(self.lab == "free")
        self.effect.setVisible(self.lab == "poisoned")
        self.kind.setVisible(of_mask)

    # ---- what is shown

    def _show(self) -> None:
        view, found = self.view, self.found
        of_mask = self.lab == "mask"
        here = not isinstance(found, Changed | Freed) or _is_of(found, view)
        words = LABS[self.lab][2] if of_mask or view.lacks_model is None else view.work or view.no_model
        self.triangle.message = self.plot.message = words
        runs = view.measuring == self.lab
        self.run.setText("Stop" if runs else "Train" if of_mask else "Measure")
        set_role(self.run, "" if runs else "primary")
        offer(self.run, "" if of_mask or runs else view.no_model)
        said = _said(found)
        if found is not None and not here:
            said = f"of before ({found.info.name}), Measure makes it anew: {said}"
        if runs:
            said = f"{'training both' if of_mask else 'measuring'}: {part_percent(view.measured_share)}"
        self.said.show_text(said)
        self.about.show_text(self._about(found))
        self.triangle.show_changed(
            found if isinstance(found, Changed) and self.lab == "triangle" else None, not here, said
        )
        lit = view.lit if here and isinstance(found, Changed) else None
        self.triangle.show_here(lit)
        self.plot.show_here(of_tokens(lit) if self.lab == "reached" else ())
        self.broken.show_broke(found if isinstance(found, Broke) else None, "starting to train" if runs else words)
        self._show_field(found)
        if not isinstance(found, Broke):
            self.plot.show_found(found, self._plot(found), said)
        self._fit()

    def _show_field(self, found: Measured | None) -> None:
        """What reached a token of a document that has a shape of its own, in that shape."""
        self.field = None
        if not isinstance(found, Changed) or self.lab != "reached":
            return
        kind = kinds.of_document(found.document)
        if kind.field is DistanceField:
            return  # the line over its tokens tells more
        if kind.name not in self.fields:
            self.fields[kind.name] = made = kind.field()
            made.set_theme(self.theme)
            made.chosen.connect(self._reach)
            self.body.insertWidget(0, made, 2)
        self.field = self.fields[kind.name]
        self.field.show_field(lines.reached_of(found))

    def _about(self, found: Measured | None) -> str:
        if isinstance(found, Broke):
            pair = found.pair
            return (
                f"{found.title}: {pair.broken}; {pair.data}; {max(pair.parameters):,} parameters each; seed {pair.seed}"
            )
        if found is None or not isinstance(found, Changed):
            return ""
        wiring = f"connected: {found.wiring}" if found.wiring else "this model does not tell what it connects"
        return f"{wiring}; {found.read:,} tokens read; seed {found.seed}"

    def _plot(self, found: Changed | Freed | None) -> Plot:
        if isinstance(found, Freed):
            return lines.free_plot(found, self.figure.currentData())
        if found is None:
            return Plot()
        if self.lab == "triangle":
            return lines.by_distance_plot(found)
        if self.lab == "reached":
            return lines.reached_plot(found)
        return lines.poisoned_plot(found, self.effect.currentData())

    # ---- what is asked

    def _choose(self, lab: Lab) -> None:
        self.lab = lab
        self.modes[lab].setChecked(True)
        self._show()

    def _run(self) -> None:
        if self.view.measuring == self.lab:
            self.intent.emit(Do("stop_measuring"))
            return
        if self.lab == "mask":
            self.intent.emit(Measure(self.lab, 0, 0, 0, 0, self.kind.currentData()))
            return
        answer, view = self.view.answer, self.view
        at = view.selected if view.selected is not None else answer.prefix.index if answer is not None else 0
        self._measure(at)

    def _measure(self, at: int) -> None:
        answer, ledger = self.view.answer, self.view.ledger
        count = len(ledger) if ledger is not None else len(answer.encoded) if answer is not None else 0
        at = max(0, min(at, count - 1))
        self.intent.emit(Measure(self.lab, at, count, self.chains.value(), self.tokens.value()))

    def _reach(self, index: int) -> None:
        """To another token of the shape, and what reached that one."""
        self.select(index)
        self._measure(index)

    def _go_along(self, x: float) -> None:
        """To the token that a point of the lines is of."""
        found = self.found
        if isinstance(found, Changed) and self.lab == "reached":
            self.select(max(0, min(round(x) - 1, int(found.columns[-1]))))
        elif isinstance(found, Changed) and self.lab == "poisoned":
            self.select(min(int(found.columns[0]) + max(1, round(x)), int(found.rows[-1])))

    # ---- export

    def chart_size(self) -> tuple[int, int] | None:
        return SHEET if self.found is not None else None

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        found = self.found
        if found is None:
            return
        painter.save()
        painter.translate(area.topLeft())
        painter.scale(area.width() / SHEET[0], area.width() / SHEET[0])
        painter.fillRect(QRectF(0, 0, *SHEET), self.theme.color("surface"))
        inner = QRectF(SPACE[4], SPACE[4], SHEET[0] - 2 * SPACE[4], SHEET[1] - 2 * SPACE[4] - 2 * SMALL)
        below = inner
        if isinstance(found, Broke):
            paint_broken(painter, self.theme, inner.adjusted(0, 0, 0, 2 * SMALL), found)
            painter.restore()
            return
        if isinstance(found, Changed) and self.lab == "triangle":
            upper = QRectF(inner.topLeft(), QSize(int(inner.width()), 300))
            Squares(found, upper).paint(painter, self.theme)
            below = QRectF(
                inner.left(), upper.bottom() + SPACE[2], inner.width(), inner.bottom() - upper.bottom() - SPACE[2]
            )
        if self.field is not None:
            half = QRectF(inner.topLeft(), QSize(int(0.46 * inner.width()), int(inner.height())))
            self.field.paint_chart(painter, half)
            below = inner.adjusted(half.width() + SPACE[3], 0, 0, 0)
        Drawing(self._plot(found), below).paint(painter, self.theme)
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.theme.color("muted"))
        painter.drawText(QRectF(inner.left(), inner.bottom() + 4, inner.width(), 2 * SMALL), 0, _said(found))
        painter.restore()


def _is_of(found: Changed | Freed, view: View) -> bool:
    """Whether it was measured of what is in the window."""
    return found.document == view.document and found.info is view.info


def _said(found: Measured | None) -> str:
    """What it came to, in a sentence."""
    if isinstance(found, Broke):
        return why(found.pair)
    if isinstance(found, Changed):
        return poisoned(found) if found.again and found.agreement.holds else verdict(found)
    return "" if found is None else told(found)
