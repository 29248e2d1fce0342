"""The scored text as plots: surprisal along it, its histograms, calibration, and the tokens at both ends."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QHideEvent, QPainter, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QDoubleSpinBox,
    QListWidget,
    QListWidgetItem,
    QSpinBox,
    QWidget,
)

from arplay.export.plots import BINS, BY_NAME, FIRST, MEANS, PLOTS, Chosen, Kind, extreme
from arplay.gui.intents import Change, Magnify
from arplay.gui.panels.filled import FilledPanel
from arplay.gui.stale import no_scores
from arplay.gui.theme import SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.caption import Caption, plain
from arplay.gui.widgets.layouts import in_column, in_row
from arplay.gui.widgets.plot import tokens_in
from arplay.gui.widgets.plots.counting import Counting
from arplay.gui.widgets.plots.extremes import ExtremesSheet, ExtremesTable
from arplay.gui.widgets.plots.figures import FIGURES, Counted
from arplay.gui.widgets.plots.sheet import PlotSheet
from arplay.gui.widgets.plots.view import PlotView

EMPTY = (
    "Here the scored text is drawn: surprisal along it, how it is distributed, whether the model's probabilities are "
    "right.\nWrite in the editor, or open a text with File › Open."
)
LIST, LINE = 176, 28
"""Pixels of the list of plots: its width, and the height of a line."""


class PlotsPanel(FilledPanel):
    explanation = (
        "<p>What the scored text is like as a whole. The <b>surprisal</b> of a token is −log p(x<sub>i</sub> | "
        "x<sub>&lt;i</sub>), the <b>entropy</b> H = −Σ p log p the surprisal that the model expected before the token "
        "came, the <b>rank</b> its place among all tokens by probability.</p>"
        "<p><b>Calibration</b>: of all tokens that were given about p, a share of p should come. The expected "
        "calibration error is the mean distance of both, weighted by how many there are (Naeini et al. 2015); the bars "
        "are Wilson's, 95 %. It is asked of the five most probable tokens at every place, so it tells nothing of what "
        "the model held less probable.</p>"
        "<p>The wheel zooms along the axis, dragging moves it, a double click shows all of it. A click goes to a token "
        "where one is meant; ← and → go along, Enter goes there.</p>"
    )

    waits_for = "scores"

    def __init__(self) -> None:
        super().__init__()
        self.kind: Kind = PLOTS[0]
        self.part: tuple[int, int] | None = None
        self.counting = Counting(self)
        self.counting.told.connect(self._draw)
        self.list, self.combo = QListWidget(), QComboBox()
        self.list.setProperty("role", "pages")
        self.list.setFixedWidth(LIST)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for kind in PLOTS:
            item = QListWidgetItem(kind.title, self.list)
            item.setToolTip(plain(kind.says))
            item.setSizeHint(QSize(0, LINE))
            self.combo.addItem(kind.title)
        self.combo.setToolTip("Which plot is shown")
        for chooser in (self.list, self.combo):
            chooser.setAccessibleName("Which plot is shown")
        self.list.setCurrentRow(0)
        self.list.currentRowChanged.connect(self._choose)
        self.combo.currentIndexChanged.connect(self._choose)
        self.width_box = QSpinBox(minimum=MEANS[0], maximum=MEANS[1], value=FIRST.how.width)
        self.width_box.setPrefix("mean of ")
        self.width_box.setStepType(QSpinBox.StepType.AdaptiveDecimalStepType)
        self.width_box.setToolTip(plain("Over how many tokens, up to each one, the mean is taken"))
        self.width_box.setAccessibleName("Tokens of the rolling mean")
        self.bin_box = QDoubleSpinBox(minimum=BINS[0], maximum=BINS[1], value=FIRST.how.bin, singleStep=0.25)
        self.bin_box.setPrefix("bins of ")
        self.bin_box.setToolTip(plain("How much surprisal one bar of the histogram holds"))
        self.bin_box.setAccessibleName("Width of a bin")
        for box in (self.width_box, self.bin_box):
            box.setKeyboardTracking(False)
            box.lineEdit().setTextMargins(SPACE[1], 0, SPACE[0], 0)
            box.valueChanged.connect(self._set)
        self.told, self.says = Caption(lines=2), Caption(lines=2)
        self.plot = PlotView()
        self.plot.picked.connect(self.select)
        self.plot.spanned.connect(self._magnify)
        self.table: ExtremesTable | None = None
        self._lay_out()
        self._show_words()

    def _lay_out(self) -> None:
        self.head = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.head.setSpacing(SPACE[1])
        self.head.addWidget(self.combo)
        self.head.addWidget(self.told, 1)
        for box in (self.width_box, self.bin_box):
            self.head.addWidget(box)
        self.inner = in_column(self.head, (self.plot, 1), self.says, spacing=SPACE[0])
        in_row(
            self.list, (self.inner, 1), on=self.body, margins=(SPACE[1], SPACE[0], SPACE[1], SPACE[0]), spacing=SPACE[1]
        )

    def show_view(self, view: View) -> None:
        before, self.view = self.view, view
        chosen = view.settings.chosen_plot
        if chosen != before.settings.chosen_plot:
            self._turn(chosen)
        same = view.ledger is before.ledger and view.info is before.info
        if not same or chosen != before.settings.chosen_plot:
            self._count()
        if view.lit != before.lit:
            self._show_selected()
        self._show_words()

    def _turn(self, chosen: Chosen) -> None:
        """To another plot, or another way to show it."""
        self.kind = BY_NAME[chosen.plot]
        controls = (self.list, self.combo, self.width_box, self.bin_box)
        for control in controls:
            control.blockSignals(True)
        self.list.setCurrentRow(PLOTS.index(self.kind))
        self.combo.setCurrentIndex(PLOTS.index(self.kind))
        self.width_box.setValue(chosen.how.width)
        self.bin_box.setValue(chosen.how.bin)
        for control in controls:
            control.blockSignals(False)
        if self.kind.name not in FIGURES:
            self._table()
        self._fit()

    def _choose(self, row: int) -> None:
        self.change(plot=PLOTS[row].name)

    def _set(self) -> None:
        settings = self.view.settings
        chosen = replace(settings, plot_mean=self.width_box.value(), plot_bin=round(self.bin_box.value(), 2))
        if chosen != settings:
            self.intent.emit(Change(chosen))

    def _count(self) -> None:
        """Count anew what is shown, or what is new of it."""
        ledger, how = self.view.ledger, self.view.settings.chosen_plot.how
        if self.counting.show(ledger if ledger is not None and len(ledger) else None, self.kind, how):
            self.plot.message = "Counting…"
            self.plot.show_figure(None, "")
            self.told.show_text("")

    def _draw(self) -> None:
        """What is counted."""
        counting, tokens = self.counting, self.view.loaded.vocabulary if self.view.loaded is not None else None
        ledger, tally, how = counting.ledger, counting.tally, counting.how
        self.bin_box.setSuffix(f" {how.unit}")
        if ledger is None:
            self.plot.show_figure(None, "")
            return
        told = self.kind.told(tally, how)
        some = self.kind.counted(tally) > 0
        if self.kind.name in FIGURES:
            broken = [note.sentence for note in ledger.notes if "NaN" in note.label]
            self.plot.message = "\n".join([told, *broken])
            self.plot.show_figure(FIGURES[self.kind.name](Counted(tally, ledger, tokens, how)) if some else None, told)
        elif tokens is not None:
            rows = [extreme(ledger, tokens, index, how.unit) for index in tally.rows.tolist()]
            table = self._table()
            table.message = "" if some else told
            table.show_rows(rows, how.unit, tally.surprising)
        growing = "" if ledger.complete else f"{ledger.done:,} of {ledger.how_many} tokens so far: "
        self.told.show_text(f"{growing}{told}" if some else "")
        self._say()
        self._show_selected()
        self.show_part(self.part)

    def _table(self) -> ExtremesTable:
        """Made where it is first seen."""
        if self.table is None:
            self.table = ExtremesTable()
            self.table.picked.connect(self.select)
            self.inner.insertWidget(self.inner.indexOf(self.plot) + 1, self.table, 1)
            self.table.set_theme(self.theme)
            self._fit()
        return self.table

    def _show_selected(self) -> None:
        self.plot.show_lit(self.view.lit)
        if self.table is not None and not self.table.isHidden():
            self.table.show_lit(self.view.lit)

    def _show_words(self) -> None:
        ledger = self.view.ledger
        has = ledger is not None and len(ledger) > 0
        self.pages.setCurrentWidget(self.body if has else self.empty)
        if not has:
            self.empty.setText(no_scores(self.view) or EMPTY)
        self._say()
        self.setFocusProxy(self._shown() if has else None)  # type: ignore[arg-type]

    def _say(self) -> None:
        """What the plot is, behind its key figure where that has no room of its own."""
        figure = [self.told.full] if self.told.isHidden() and self.told.full else []
        self.says.show_text("  ·  ".join([*figure, self.kind.says]))

    def _shown(self) -> QWidget:
        return self.plot if self.kind.name in FIGURES or self.table is None else self.table

    def show_part(self, part: tuple[int, int] | None) -> None:
        """The tokens [first, stop) that another view of the text has in sight; None: it is all in sight."""
        self.part = part
        ledger = self.view.ledger
        some = part is not None and ledger is not None and part[1] - part[0] < len(ledger)
        self.plot.show_part(part if some and self.kind.name == "along" else None)

    def _magnify(self, span: tuple[float, float] | None) -> None:
        if span is None or self.kind.name == "along":
            self.intent.emit(Magnify(tokens_in(span)))

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.plot.set_theme(theme)
        if self.table is not None:
            self.table.set_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The list becomes a box where the panel is narrow or low; the sentence goes first, then the figure."""
        wide, high = self.width(), self.height()
        listed = wide >= 640 and high >= 190
        self.list.setVisible(listed)
        self.combo.setVisible(not listed)
        self.told.setVisible(listed or wide >= 420)
        self.says.setVisible(high >= 170)
        self._say()
        roomy = listed or wide >= 300
        self.width_box.setVisible(self.kind.name == "along" and roomy)
        self.bin_box.setVisible(self.kind.name == "histogram" and roomy)
        self.plot.setVisible(self.kind.name in FIGURES)
        if self.table is not None:
            self.table.setVisible(self.kind.name not in FIGURES)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.counting.go_on()

    def hideEvent(self, event: QHideEvent) -> None:
        self.counting.rest()
        super().hideEvent(event)

    # ---- exported

    @property
    def found(self) -> Chosen:
        """Which plot the table behind the picture is of."""
        return self.view.settings.chosen_plot

    def _sheet(self) -> PlotSheet | ExtremesSheet | None:
        counting = self.counting
        counting.finish()
        ledger, loaded, tally = counting.ledger, self.view.loaded, counting.tally
        if ledger is None or loaded is None or not self.kind.counted(tally):
            return None
        told, unit = self.kind.told(tally, counting.how), counting.how.unit
        if self.kind.name in FIGURES:
            of = Counted(tally, ledger, loaded.vocabulary, counting.how)
            return PlotSheet(self.kind, told, FIGURES[self.kind.name](of).plot, self.theme)
        shown = self.table.table.rows if self.table is not None else ()
        rows = list(shown) or [extreme(ledger, loaded.vocabulary, index, unit) for index in tally.rows.tolist()]
        return ExtremesSheet(self.kind.title, told, rows, unit, self.theme)

    def chart_size(self) -> tuple[int, int] | None:
        sheet = self._sheet()
        return None if sheet is None else sheet.chart_size()

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        sheet = self._sheet()
        if sheet is not None:
            sheet.paint_chart(painter, area)
