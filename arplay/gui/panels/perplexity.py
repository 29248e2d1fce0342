"""What perplexity means: the figures of this text, what they are made of, and what other conventions call so."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from arplay.core.chain import Ledger
from arplay.core.format import part_percent
from arplay.engine.conventions import Compared, planned
from arplay.export.perplexity import Perplexities
from arplay.gui.contract import Panel
from arplay.gui.intents import CompareConventions, StopAsking
from arplay.gui.stale import no_scores
from arplay.gui.theme import SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.caption import Caption, Label, set_role
from arplay.gui.widgets.figure_row import FigureRow
from arplay.gui.widgets.perplexity.figures import conventions_of, figures
from arplay.gui.widgets.perplexity.rows import ConventionRows, Shown
from arplay.gui.widgets.perplexity.sheet import PerplexitySheet
from arplay.gui.widgets.push_button import push_button

EMPTY = "Go on: the perplexity of what you write stands here, with all that it is made of."
BEFORE = "Those compared before were of another text, model or reading: Compare makes them anew."


class PerplexityPanel(Panel):
    name = "perplexity"
    title = "Perplexity"
    explanation = (
        "<p><b>Perplexity</b> is exp(NLL / N), with the NLL −Σ log p(x<sub>i</sub> | x<sub>&lt;i</sub>) in nats over "
        "N tokens: among so many equally likely tokens one would be as surprised. It is a figure of a text <i>and</i> "
        "of conventions: which tokens are counted, what the first one is given, how much context the others have, and "
        "what a token is.</p>"
        "<p>Models with different tokenizers are compared by <b>bits per byte</b> (or per character, per word), as "
        "these do not depend on how a text is cut into tokens: NLL / (ln 2 · bytes).</p>"
        "<p><b>Compare</b> reads the same text by the usual conventions. A text that fits the context is read alike by "
        "all, but for what stands before it. <b>lm-evaluation-harness</b> puts BOS (else EOS) before a text and reads "
        "disjoint windows. The <b>Hugging Face</b> recipe moves by a stride; as published it counts one token too few "
        "in each later window. The <b>mean of window means</b> weighs a short last window as a full one.</p>"
        "<p>The page <i>Scoring</i> (menu Help) has it all.</p>"
    )

    waits_for = "scores"

    def __init__(self) -> None:
        super().__init__()
        self.view = View()
        self._rows: Shown | None = None
        self._rows_of: tuple[object, ...] = ()
        self.figures, self.how, self.told = FigureRow(), Caption(), Caption()
        self.rows = ConventionRows()
        tip = "Score the same text by each of these conventions, by passes of its own"
        self.compare = push_button("Compare", tip, self._run, role="primary")
        self.empty = Label(role="caption", wrap=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.body = QWidget()
        head = QHBoxLayout()
        head.setSpacing(SPACE[2])
        head.addWidget(self.figures, 1)
        head.addWidget(self.compare, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(SPACE[1], SPACE[1], SPACE[1], SPACE[0])
        column.setSpacing(SPACE[0])
        column.addLayout(head)
        column.addWidget(self.how)
        column.addWidget(self.rows, 1)
        column.addWidget(self.told)
        self.pages = QStackedLayout(self)
        self.pages.addWidget(self.empty)
        self.pages.addWidget(self.body)
        self._show()

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 80)

    def veiled(self) -> QWidget:
        return self.body

    @property
    def compared(self) -> Compared | None:
        """The conventions of what is scored here."""
        found, ledger = self.view.answer_to(CompareConventions).found, self.view.ledger
        if found is None or ledger is None or not ledger.complete or found.info is not self.view.info:
            return None
        mine, windows = found.figures[0], ledger.windows
        alike = (mine.context, mine.stride, mine.first_token) == (windows.window, windows.stride, ledger.first_token)
        return found if alike and ledger.encoded.is_of(found.document) else None

    @property
    def found(self) -> Perplexities:
        """What is in sight besides the ledger's own figures."""
        return Perplexities(self.compared)

    def show_view(self, view: View) -> None:
        before, self.view = self.view, view
        same = (
            view.ledger is before.ledger, view.info is before.info, view.work == before.work,
            view.answer_to(CompareConventions) is before.answer_to(CompareConventions),
            view.settings.unit == before.settings.unit, view.problem is before.problem,
            view.document is before.document,
        )  # fmt: skip
        if not all(same):
            self._show()

    def _show(self) -> None:
        view, ledger = self.view, self.view.ledger
        has = ledger is not None and len(ledger) > 0
        self.pages.setCurrentWidget(self.body if has else self.empty)
        self.setFocusProxy(self.rows if has else None)  # type: ignore[arg-type]
        if ledger is None or not has:
            self.empty.setText(no_scores(view) or EMPTY)
            return
        unit, asked = view.settings.unit, view.answer_to(CompareConventions)
        self.figures.show_figures(figures(ledger, unit))
        progress = "" if ledger.complete else f"{ledger.done:,} of {len(ledger):,} tokens scored so far; "
        self.how.show_text(progress + conventions_of(ledger, unit))
        compared = self.compared
        new = ledger, compared, unit
        if new != self._rows_of:
            self._rows, self._rows_of = Shown.of(ledger, compared), new
            self.rows.show_rows(self._rows, unit)
        self.compare.setText("Stop" if asked.runs else "Compare")
        set_role(self.compare, "" if asked.runs else "primary")
        self.compare.setEnabled(asked.runs or (view.loaded is not None and ledger.complete))
        self.told.show_text(self._told(ledger))

    def _told(self, ledger: Ledger) -> str:
        asked, cost = self.view.answer_to(CompareConventions), f"Compare reads about {planned(ledger):,} tokens"
        if asked.share is not None:
            return f"{asked.doing}: {part_percent(asked.share)}"
        if self.compared is not None:
            return "one text, so many perplexities: point at a name for what is counted, and who reports it"
        return f"{BEFORE} {cost}." if asked.found is not None else f"{cost}: the same text by each convention."

    def _run(self) -> None:
        runs = self.view.answer_to(CompareConventions).runs
        self.intent.emit(StopAsking(CompareConventions) if runs else CompareConventions())

    # ---- looks and export

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.figures.theme = theme
        self.figures.update()
        self.rows.set_theme(theme)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """A low panel has the rows, and what there is room for besides."""
        high = self.height()
        self.figures.set_max_rows(2 if high >= 300 else 1)
        self.how.setVisible(high >= 200)
        self.told.setVisible(high >= 150)

    def chart_size(self) -> tuple[int, int] | None:
        return None if (sheet := self._sheet()) is None else sheet.chart_size()

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        if (sheet := self._sheet()) is not None:
            sheet.paint_chart(painter, area)

    def _sheet(self) -> PerplexitySheet | None:
        if self.view.ledger is None or self._rows is None or not len(self.view.ledger):
            return None
        return PerplexitySheet(self._rows, self.theme, self.view.settings.unit)
