"""The chain-rule ledger: a row a token, the running sum and product, the total and its independent check."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QMenu,
    QSplitter,
    QVBoxLayout,
)

from arplay.core.chain import Ledger
from arplay.gui.intents import Do, Magnify, Select, ShowState
from arplay.gui.panels.filled import FilledPanel
from arplay.gui.stale import NOT_SCORED, no_scores
from arplay.gui.theme import SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.caption import Caption, plain
from arplay.gui.widgets.figure_row import FigureRow
from arplay.gui.widgets.layouts import in_column, in_row
from arplay.gui.widgets.ledger.curve import SurprisalCurve
from arplay.gui.widgets.ledger.sheet import LedgerSheet
from arplay.gui.widgets.ledger.table import LedgerTable
from arplay.gui.widgets.ledger.totals import figures, in_words, reconciliation
from arplay.gui.widgets.ledger.view import ALL_COLUMNS, LedgerView
from arplay.gui.widgets.plot import of_tokens, tokens_in
from arplay.gui.widgets.push_button import offer, push_button
from arplay.gui.widgets.sheet import OnSheet

CHECK = (
    "Scores the whole text once more in one teacher-forced pass without any cache, by other code than the one that "
    "made this ledger. Both must give the same NLL but for rounding: if they did not, a cache would be wrong."
)

HISTORY = "The state at which this token, or what stands before it, was written: there it got this probability"
NO_HISTORY = "A long text that is read only, and one that is not scored yet, has no states here"
EMPTY = "Go on: each token adds a row here, its log p to the sum and its p to the product."


class LedgerPanel(OnSheet, FilledPanel):
    explanation = (
        "<p>The chain rule takes the probability of a text apart, token by token:<br>"
        "p(x<sub>1</sub>…x<sub>n</sub>) = Π p(x<sub>i</sub> | x<sub>&lt;i</sub>), so "
        "log p(x<sub>1</sub>…x<sub>n</sub>) = Σ log p(x<sub>i</sub> | x<sub>&lt;i</sub>).</p>"
        "<p>Each row multiplies one more p into the product, or adds one more log p to the sum. The product of a long "
        "text is too small for a 64-bit float; the sum never is. That is why models work with logs.</p>"
        "<p>−Σ log p is the <b>NLL</b>. exp(NLL / N) is the perplexity. The curve shows −log p of every token, its "
        "<b>surprisal</b>, and the mean so far.</p>"
        "<p>A click selects the token in the heatmap and shows its distribution in the chart; with the right button "
        "(or the menu key) <b>Show in history</b> shows the state at which it was written.</p>"
        "<p><b>Check</b> counts the same sum a second time in one pass without cache.</p>"
    )

    waits_for = "scores"

    def __init__(self) -> None:
        super().__init__()
        self.model = LedgerTable()
        self.model.setParent(self)
        self.table = LedgerView(self.model)
        self.figures = FigureRow()
        self.product, self.check = Caption(lines=2), Caption(lines=2)
        self.check.tip = CHECK
        self.button = push_button("Check", CHECK, role="chip", name="Check against an uncached pass")
        self.curve = SurprisalCurve()
        self.curve.picked.connect(self.select)
        self.curve.spanned.connect(self._magnify)
        self.curve_ledger: Ledger | None = None
        self.arranged = False
        self._shows = False
        """Rows are shown, and not chosen by hand."""
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.table)
        self.splitter.addWidget(self.curve)
        self.foot = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._lay_out()
        self.button.clicked.connect(self._check)
        self.table.selectionModel().currentRowChanged.connect(self._row_chosen)
        self.table.clicked.connect(self._clicked)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._ask)
        self._show_words()

    def _lay_out(self) -> None:
        words = in_column(self.product, self.check, spacing=0)
        beside = in_row((words, 1), self.button, spacing=SPACE[2])
        self.foot.setSpacing(SPACE[0])
        self.foot.addWidget(self.figures)
        self.foot.addLayout(beside, 1)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(SPACE[1], SPACE[1], SPACE[1], SPACE[0])
        column.setSpacing(SPACE[0])
        column.addWidget(self.splitter, 1)
        column.addLayout(self.foot)

    def wanted_height(self, view: View, width: int) -> int:
        """About: a border moves where another text opens, not where its tokens are counted."""
        return 120 + 24 * min(18, max(4, len(view.document) // 4))

    def show_view(self, view: View) -> None:
        before, self.view = self.view, view
        if view.settings.unit != before.settings.unit:
            self._show_style()
        if view.ledger is not before.ledger:
            tokens = view.loaded.vocabulary if view.loaded else None
            self.model.show_ledger(view.ledger, tokens)
            self.table.show_places(tokens is not None and tokens.length is not None)
        if view.ledger is not before.ledger or view.lit != before.lit:
            self._shows = True
            self.table.show_tokens(view.lit)
            self._shows = False
        if view.ledger is not before.ledger and view.follows:
            self.table.scrollToBottom()
        self._show_words()
        self._show_curve()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._show_style()

    def _show_style(self) -> None:
        self.figures.theme = self.theme
        self.figures.update()
        self.model.show_style(self.theme, self.view.settings.unit)
        self.curve.set_theme(self.theme)
        self.curve.set_unit(self.view.settings.unit)

    def _show_words(self) -> None:
        ledger, unit = self.view.ledger, self.view.settings.unit
        has = ledger is not None and len(ledger) > 0
        self.pages.setCurrentWidget(self.body if has else self.empty)
        # a hidden table would take the keyboard nowhere
        self.setFocusProxy(self.table if has else None)  # type: ignore[arg-type]
        if ledger is None or not has:
            self.empty.setText(no_scores(self.view) or EMPTY)
            return
        self.figures.show_figures(figures(ledger, unit))
        progress = self.view.scores_follow if ledger.complete else f"{ledger.done:,} of {ledger.how_many} scored so far"
        self.product.show_text(progress or in_words(ledger))
        reconciled = self.view.reconciled if ledger.complete else None
        self.check.show_text(reconciliation(ledger, reconciled, unit))
        ready = ledger.complete and ledger.totals.scored > 0
        offer(self.button, self.view.no_model or ("" if ready else NOT_SCORED))
        self._fit()

    def _show_curve(self) -> None:
        """While somebody looks."""
        ledger = self.view.ledger
        if ledger is None or not self.isVisible() or not self._curve_fits():
            return
        if self.curve_ledger is not ledger:
            self.curve_ledger = ledger
            self.curve.show_ledger(ledger, self.model.vocabulary)
        self.curve.show_here(of_tokens(self.view.lit))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_curve()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
        self._show_curve()

    def _tall(self) -> bool:
        return self.height() >= 380 and self.width() < 2 * self.height()

    def _curve_fits(self) -> bool:
        return self._tall() or self.width() >= 760

    def _fit(self) -> None:
        """In a low panel the curve stands to the right of the table, in a tall one above it, in a small one nowhere."""
        width, height = self.width(), self.height()
        tall = self._tall()
        roomy = height >= 120
        stacked = width < 600
        self.foot.setDirection(QBoxLayout.Direction.TopToBottom if stacked else QBoxLayout.Direction.LeftToRight)
        self.figures.setVisible(roomy)
        self.figures.set_max_rows(2 if tall and width < 420 else 1)
        wide = width - 2 * SPACE[1]
        share = 42 if self.product.full else 56
        self.figures.set_wanted_width(None if stacked else self.figures.width_within(wide * share // 100))
        for widget in (self.product, self.check):
            widget.setVisible(roomy and (not stacked or height >= 200) and bool(widget.full))
        self.button.setVisible(roomy and (not stacked or height >= 200))
        self.curve.setVisible(self._curve_fits())
        wanted = Qt.Orientation.Vertical if tall else Qt.Orientation.Horizontal
        if not self.arranged or self.splitter.orientation() != wanted:
            self.arranged = True
            self.splitter.setOrientation(wanted)
            self.splitter.insertWidget(0 if tall else 1, self.curve)
            table = max(ALL_COLUMNS + 16, wide // 2)
            self.splitter.setSizes([height // 3, height] if tall else [table, max(120, wide - table)])

    def _check(self) -> None:
        self.intent.emit(Do("reconcile"))

    def _magnify(self, span: tuple[float, float] | None) -> None:
        self.intent.emit(Magnify(tokens_in(span)))

    def _row_chosen(self, current: QModelIndex, _: QModelIndex) -> None:
        if current.isValid() and not self._shows and current.row() != self.view.selected:
            self.select(current.row())

    def _clicked(self, index: QModelIndex) -> None:
        """The first row of a word is current already: a click chooses it alone."""
        if self.view.span is not None and index.row() == self.view.selected:
            self.select(index.row())

    def _ask(self, at: QPoint) -> None:
        index = self.table.indexAt(at)
        row = index.row() if index.isValid() else self.table.currentIndex().row()
        if row >= 0:
            menu = self.menu_of(row)
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(self.table.viewport().mapToGlobal(at))

    def menu_of(self, row: int) -> QMenu:
        """What can be done with a token."""
        menu, view, ledger = QMenu(self), self.view, self.view.ledger
        assert ledger is not None
        menu.addAction("&Go to this token", partial(self.intent.emit, Select(row)))
        state = menu.addAction("Show in &history", partial(self._show_state, row))
        state.setEnabled(view.tree is not None and view.excerpt_of is None and not view.scores_are_old)
        menu.setToolTipsVisible(True)
        state.setToolTip(plain(HISTORY if state.isEnabled() else NO_HISTORY))
        return menu

    def _show_state(self, row: int) -> None:
        tree, ledger = self.view.tree, self.view.ledger
        if tree is not None and ledger is not None and row < len(ledger):
            self.intent.emit(ShowState(tree.origin(row, *ledger.encoded.span(row))))

    # Export

    what = "rows"

    def count(self) -> int:
        return self.view.ledger.done if self.view.ledger is not None else 0

    def in_sight(self) -> tuple[int, int] | None:
        first, last = self.table.rowAt(0), self.table.rowAt(self.table.viewport().height() - 1)
        return None if first < 0 else (first, last + 1 if last >= 0 else self.count())

    def sheet(self, first: int = 0, stop: int | None = None) -> LedgerSheet | None:
        """Rows [first, stop) on paper; None if there is nothing."""
        view, ledger = self.view, self.view.ledger
        if ledger is None or not ledger.done:
            return None
        reconciled = view.reconciled if ledger.complete else None
        stop = ledger.done if stop is None else stop
        return LedgerSheet(ledger, self.model.vocabulary, reconciled, self.theme, view.settings.unit, first, stop)
