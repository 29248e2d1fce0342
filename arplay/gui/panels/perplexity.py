"""What perplexity means: the figures of this text, what they are made of, and what other conventions call so."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from arplay.core.chain import Ledger
from arplay.core.errors import Problem
from arplay.core.format import part_percent
from arplay.core.sweeps import Axis, affordable
from arplay.engine.conventions import Compared, planned
from arplay.engine.curves import Swept, plan
from arplay.export.perplexity import Perplexities, left_out
from arplay.gui.intents import Ask, ByContext, ByStride, CompareConventions, StopAsking
from arplay.gui.pace import takes
from arplay.gui.panels.filled import FilledPanel
from arplay.gui.stale import NOT_SCORED, no_scores
from arplay.gui.theme import SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.caption import Caption, set_role
from arplay.gui.widgets.choice import Choice
from arplay.gui.widgets.figure_row import FigureRow
from arplay.gui.widgets.layouts import FREE, in_row
from arplay.gui.widgets.perplexity.curve import PerplexityCurve
from arplay.gui.widgets.perplexity.figures import conventions_of, figures
from arplay.gui.widgets.perplexity.rows import ConventionRows, Shown
from arplay.gui.widgets.perplexity.sheet import PerplexitySheet
from arplay.gui.widgets.push_button import offer, push_button

MODES: tuple[tuple[str, str, type[Ask]], ...] = (
    ("Conventions", "The same text by the usual conventions", CompareConventions),
    ("By stride", "The same text at several strides: less context, or more forwards", ByStride),
    ("By context", "The same text with several contexts: what more context is worth", ByContext),
)
AXES: dict[type[Ask], Axis] = {ByStride: "stride", ByContext: "context"}
SAVED = "A saved run has no model that could be asked: score its text anew for that."
EMPTY = "Go on: the perplexity of what you write stands here, with all that it is made of."
BEFORE = "Those compared before were of another text, model or reading: Compare makes them anew."


class PerplexityPanel(FilledPanel):
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
        "<p><b>By stride</b> and <b>By context</b> score the text once more at each of several strides W, W/2, W/4 … "
        "or contexts 16, 32 … W, as far as that does not cost too many forwards. The upright line is at the scores in "
        "sight.</p>"
        "<p>The page <i>Scoring</i> (menu Help) has it all.</p>"
    )

    waits_for = "scores"

    def __init__(self) -> None:
        super().__init__()
        self._rows: Shown | None = None
        self._rows_of: tuple[object, ...] = ()
        self.figures, self.how, self.told = FigureRow(), Caption(lines=2), Caption(lines=2)
        self.rows, self.curve = ConventionRows(), PerplexityCurve()
        tip = "Score the same text once more by each of these, by passes of its own"
        self.compare = push_button("Compare", tip, self._run, role="primary")
        self.choice = Choice("What is compared", "The same text by conventions, strides or contexts")
        self.choice.set_options([(words, tip) for words, tip, _ in MODES])
        self.choice.chosen.connect(self._choose)
        self.modes = self.choice.group
        head = in_row(self.choice, FREE, self.compare, spacing=SPACE[2])
        column = QVBoxLayout(self.body)
        column.setContentsMargins(SPACE[1], SPACE[1], SPACE[1], SPACE[0])
        column.setSpacing(SPACE[0])
        column.addWidget(self.figures)
        column.addWidget(self.how)
        column.addLayout(head)
        column.addWidget(self.rows, 1)
        column.addWidget(self.curve, 1)
        column.addWidget(self.told)
        self._show()

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
        curves = (self.swept(kind) for kind in AXES)
        return Perplexities(self.compared, tuple(swept for swept in curves if swept is not None))

    def swept(self, kind: type[Ask]) -> Swept | None:
        """The curve of this kind, of what is scored here."""
        found, ledger = self.view.answer_to(kind).found, self.view.ledger
        if found is None or ledger is None or not ledger.complete or found.info is not self.view.info:
            return None
        alike = found.first_token == ledger.first_token and ledger.encoded.is_of(found.document)
        context = kind is ByContext or found.points[0].context == ledger.windows.window
        return found if alike and context else None

    @property
    def asks(self) -> type[Ask]:
        """What the button asks, of the mode that is chosen."""
        return MODES[self.modes.checkedId()][2]

    def show_view(self, view: View) -> None:
        before, self.view = self.view, view
        same = (
            view.ledger is before.ledger, view.info is before.info, view.work == before.work,
            view.asked is before.asked, view.settings.reading == before.settings.reading,
            view.settings.unit == before.settings.unit, view.problem is before.problem,
            view.document is before.document, view.run is before.run,
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
        unit, kind = view.settings.unit, self.asks
        asked = view.answer_to(kind)
        self.figures.show_figures(figures(ledger, unit))
        progress = "" if ledger.complete else f"{ledger.done:,} of {ledger.how_many} tokens scored so far; "
        self.how.show_text(progress + conventions_of(ledger, unit))
        compared = self.compared
        new = ledger, compared, unit
        if new != self._rows_of:
            self._rows, self._rows_of = Shown.of(ledger, compared), new
            self.rows.show_rows(self._rows, unit)
        self.rows.setVisible(kind not in AXES)
        self.curve.setVisible(kind in AXES)
        self.compare.setText("Stop" if asked.runs else "Measure" if kind in AXES else "Compare")
        set_role(self.compare, "" if asked.runs else "primary")
        offer(self.compare, "" if asked.runs else view.no_model or ("" if ledger.complete else NOT_SCORED))
        said = self._of_curve(kind, ledger) if kind in AXES else self._told(ledger)
        said = SAVED if view.run is not None else said
        swept = self.swept(kind) if kind in AXES else None
        self.told.show_text("" if kind in AXES and swept is None else said)  # it stands in place of the curve
        if kind in AXES:
            self.curve.message = said
            self.curve.show_swept(swept, ledger, said)
            self.curve.update()

    def _of_curve(self, kind: type[Ask], ledger: Ledger) -> str:
        view, swept, asked = self.view, self.swept(kind), self.view.answer_to(kind)
        if asked.share is not None:
            return f"{asked.doing}: {part_percent(asked.share)}"
        if swept is not None:
            known = "the upright line is at the scores in sight"
            known = known if swept.whole else f"stopped: Measure goes on with what is missing; {known}"
            return f"{left_out(swept)}; {known}" if swept.left_out else known
        if not ledger.complete or view.info is None:
            return "wait for the scores"
        try:
            points = plan(view.info.context, ledger, view.settings.reading, AXES[kind])
        except Problem as problem:
            offer(self.compare, f"{problem.cause}: {problem.remedy}")
            return f"{problem.cause}: {problem.remedy}"
        kept = affordable(points, ledger.before + len(ledger))
        cost = sum(point.read for point in kept if point.found is None)
        before = "What was measured before was of another text, model or reading. " if asked.found is not None else ""
        scored = f"{before}Measure scores the text at {len(kept)} {AXES[kind]}s"
        return f"{scored}: {cost:,} tokens to be read{takes(cost, view)}."

    def _told(self, ledger: Ledger) -> str:
        asked, tokens = self.view.answer_to(CompareConventions), planned(ledger)
        cost = f"Compare reads about {tokens:,} tokens{takes(tokens, self.view)}"
        if asked.share is not None:
            return f"{asked.doing}: {part_percent(asked.share)}"
        if self.compared is not None:
            return "one text, so many perplexities: point at a name for what is counted, and who reports it"
        return f"{BEFORE} {cost}." if asked.found is not None else f"{cost}: the same text by each convention."

    def _run(self) -> None:
        kind = self.asks
        self.intent.emit(StopAsking(kind) if self.view.answer_to(kind).runs else kind())

    def _choose(self, _: int) -> None:
        self._show()

    # ---- looks and export

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.figures.theme = theme
        self.figures.update()
        self.rows.set_theme(theme)
        self.curve.set_theme(theme)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """A low panel has the rows, and what there is room for besides."""
        high = self.height()
        self.figures.set_max_rows(2 if high >= 320 else 1)
        self.figures.setVisible(high >= 190)
        self.told.setVisible(high >= 120)
        self.how.setVisible(high >= 230)

    def chart_size(self) -> tuple[int, int] | None:
        return None if (sheet := self._sheet()) is None else sheet.chart_size()

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        if (sheet := self._sheet()) is not None:
            sheet.paint_chart(painter, area)

    def _sheet(self) -> PerplexitySheet | None:
        if self.view.ledger is None or self._rows is None or not len(self.view.ledger):
            return None
        return PerplexitySheet(self._rows, self.found.curves, self.theme, self.view.settings.unit)
