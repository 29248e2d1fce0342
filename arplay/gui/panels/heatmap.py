"""The heatmap: the text itself, every token coloured by what the model said of it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from arplay.core.chain import Ledger
from arplay.core.format import in_unit, number
from arplay.core.measures import MEASURES, difference
from arplay.core.signs import safe
from arplay.gui import kinds
from arplay.gui.canvases.kind import Kind
from arplay.gui.contract import Panel
from arplay.gui.intents import LookAtPeers, Zoom
from arplay.gui.settings import LEAST_SURPRISE, MOST_SURPRISE, Unit
from arplay.gui.stale import no_scores
from arplay.gui.theme import SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.figure_row import Figure, FigureRow
from arplay.gui.widgets.heat.legend import Legend, ProgressLine
from arplay.gui.widgets.heat.modes import ModeRow
from arplay.gui.widgets.heat.options import OptionButtons
from arplay.gui.widgets.heat.overview import RankCounts
from arplay.gui.widgets.heat.scale import HeatScale
from arplay.gui.widgets.heat.scoring_row import ScoringRow, progress
from arplay.gui.widgets.heat.sheet import FiguresSheet, Scored
from arplay.gui.widgets.labels import first_token, lead_tokens, windows
from arplay.gui.widgets.layouts import in_column, in_row
from arplay.gui.widgets.ledger.totals import note_figures
from arplay.gui.widgets.picture.beside import SIDE, put_beside
from arplay.gui.widgets.seek import SeekBar
from arplay.gui.widgets.sheet import OnSheet

STYLE = ("colour_by", "rank_bounds", "surprise", "unit", "text_size")
"""The settings that say how it looks."""

ROOMY = 280
"""Pixels of height in which a text has its figures, a legend and a minimap."""
FOLDED = 420
"""Pixels of width from which the measure is chosen in the caption's row, where it has no row of its own."""

EMPTY = (
    "Here the text appears again, every token coloured by how surprised the model was.\n"
    "Write in the editor, or open a text with File › Open."
)


class HeatmapPanel(OnSheet, Panel):
    explanation = (
        "<p>Every token of the text in the colour of its <b>surprisal</b>, −log p(x<sub>i</sub> | x<sub>&lt;i</sub>): "
        "how little the model expected it after everything before it.</p>"
        "<p><b>Rank</b> counts how many tokens were more probable; <b>entropy</b> H = −Σ p log p says how open the "
        "choice was. As H is the mean of −log p, <b>surprisal − entropy</b> is above 0 where the model was more "
        "surprised than it expected to be.</p>"
        "<p>Over the N scored tokens: NLL = −Σ log p,<br><b>perplexity</b> = exp(NLL / N), as if the model had to "
        "choose among that many equal tokens,<br><b>bits per byte</b> = NLL / (B ln 2) over their B bytes, which "
        "compares models with different tokens.</p>"
        "<p>A token is never faked: a first token without p(x<sub>1</sub>) is hatched and counts nowhere.</p>"
    )

    waits_for = "scores"

    def __init__(self) -> None:
        super().__init__()
        self.differs = False
        """Coloured by the difference to another model: of this moment, and therefore no setting."""
        self._ranks = RankCounts()
        self.figures = FigureRow()
        self.row = ScoringRow()
        self.row.asked.connect(self.intent)
        self.row.late.connect(self._fit)
        self.caption = self.row.caption
        self.progress = ProgressLine()
        self.text = self._made(kinds.KINDS[0])  # without scores it tells what is missing
        self.legend = Legend(movable=True)
        self.modes, self.buttons = ModeRow((*MEASURES, difference(None))), OptionButtons()
        self.buttons.asked.connect(self.intent)
        self.controls = QWidget()
        in_row(self.modes, (self.legend, 1), self.buttons, on=self.controls, spacing=0)
        self.head = QWidget()
        head = in_column(self.figures, self.row, self.progress, on=self.head, spacing=SPACE[0])
        self.low = QVBoxLayout()
        head.addLayout(self.low)
        head.addStretch(1)
        self.column = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self.column.setSizeConstraint(QBoxLayout.SizeConstraint.SetNoConstraint)  # what has no room is hidden
        self.column.setContentsMargins(SPACE[1], SPACE[1], SPACE[1], SPACE[1])
        self.column.setSpacing(SPACE[0])
        self.seek = SeekBar(self.text)
        self.seek.intent.connect(self.intent)
        self.column.addWidget(self.head)
        self.column.addWidget(self.seek)
        self.column.addWidget(self.text, 1)
        self.heat: Any = self.text
        self._heats: dict[str, Any] = {kinds.KINDS[0].name: self.text}
        self.column.addWidget(self.controls)
        self.setFocusProxy(self.text)
        self.modes.chosen.connect(self._choose)
        self.legend.moved.connect(self._move_mark)
        self.legend.bounded.connect(lambda bounds: self.change(rank_bounds=bounds))
        self._show_style()
        self._show_words()

    def wanted_height(self, view: View, width: int) -> int:
        """An estimate: laying out a long text only to ask would cost more than it tells."""
        return kinds.of_document(view.document).heat.height_of(view, width)

    def least_height(self, view: View) -> int:
        """A text keeps its legend and its minimap, once it has so many rows."""
        usual, wanted = super().least_height(view), self.wanted_height(view, max(1, self.width()))
        return usual if kinds.of_document(view.document).heat.beside else min(ROOMY, max(usual, wanted))

    def show_view(self, view: View) -> None:
        before, self.view = self.view, view
        settings, old = view.settings, before.settings
        if self.differs and settings.colour_by != old.colour_by:  # another was chosen elsewhere
            self.differs = False
            self.intent.emit(LookAtPeers(False))
        others = self.differs and view.parted is not before.parted
        if others or any(getattr(settings, name) != getattr(old, name) for name in STYLE):
            self._show_style()
        self._turn(kinds.of_document(view.document) if view.ledger is not None else kinds.KINDS[0])
        self.heat.show_view(view)
        self.seek.show_view(view)
        self.buttons.show_view(view)
        self._show_words()

    def open_seek(self, part: str) -> None:
        """The row for going through the text, while the text itself is out of sight."""
        self.seek.open_at(part)
        self.seek.show_view(self.view)

    def _made(self, kind: Kind) -> Any:
        """A :class:`Heat`, which is a widget."""
        heat: Any = kind.heat()
        heat.picked.connect(self.select)
        heat.zoomed.connect(self._zoom)
        return heat

    def _turn(self, kind: Kind) -> None:
        """To the heat of a kind, which is made when there is one."""
        if kind.name not in self._heats:
            self._heats[kind.name] = heat = self._made(kind)
            self.column.insertWidget(self.column.indexOf(self.text) + 1, heat, 1)
            self._show_style()
        if self._heats[kind.name] is not self.heat:
            self.heat.hide()
            self.heat = self._heats[kind.name]
            keys = self.heat.focusPolicy() != Qt.FocusPolicy.NoFocus
            self.setFocusProxy(self.heat if keys else None)  # type: ignore[arg-type]
            self.heat.show()
            self.buttons.options.show_rows(self.heat is self.text)

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.row.set_theme(theme)
        self.seek.set_theme(theme)
        self.buttons.set_theme(theme)
        self._show_style()

    def _show_style(self) -> None:
        settings = self.view.settings
        scale = self._scale()
        for heat in self._heats.values():
            heat.show_style(self.theme, scale, settings.unit, settings.text_size)
        self.legend.show_scale(self.theme, scale, settings.unit)
        self.figures.theme = self.progress.theme = self.theme
        self.figures.update()
        self.legend.show_mark(settings.surprise)
        self.modes.show_chosen("difference" if self.differs else settings.colour_by)

    def _scale(self) -> HeatScale:
        """What colours tokens now."""
        if not self.differs:
            return HeatScale.by(self.theme, self.view.settings)
        parted = self.view.parted
        return HeatScale(self.theme, difference(parted.pairs[0] if parted is not None else None))

    def _show_words(self) -> None:
        ledger, view = self.view.ledger, self.view
        self.text.show_empty(no_scores(view) or EMPTY)
        growing = ledger is not None and not ledger.complete
        self.progress.show_share(ledger.done / ledger.expected if ledger is not None and growing else None)
        if ledger is None or not len(ledger):
            self.figures.show_figures(())
            self.row.show_view(view, "")
        else:
            self.figures.show_figures(heat_figures(ledger, view.settings.unit))
            self.row.show_view(view, self._caption(ledger))
        self._fit()

    def _caption(self, ledger: Ledger) -> str:
        lead = lead_tokens(ledger, self.view.loaded)
        follows = self.view.scores_follow
        return "  ·  ".join(
            part
            for part in (
                self._of_run(),
                self._of_difference(),
                follows,
                windows(ledger, lead),
                first_token(ledger, lead),
            )
            if part
        )

    def _of_difference(self) -> str:
        """Which model the colours compare with, or what is missing for that."""
        if not self.differs:
            return ""
        peers = [peer for peer in self.view.peers if peer.ledger is not None]
        if not self.view.parted_here or not peers:
            return "no other model has scored this text: add one in the panel Comparison"
        return safe(f"B is {peers[0].name}")

    def _of_run(self) -> str:
        """That it is a saved run, of which model and of when; empty where it is none."""
        run = self.view.run
        if run is None:
            return ""
        return safe(f"saved run of {run.info.name} ({run.info.dtype}){f', {run.when}' if run.when else ''}")

    def _fit(self) -> None:
        """The text comes first: in a small panel the legend, the caption and the figures give way, in this order.

        Where there is no row for the legend, the measure is chosen in the caption's. In a low panel all of them stand
        beside a picture, which needs the height.
        """
        beside = self.heat.beside and self.height() < 300 and self.width() >= 2 * SIDE
        inner = self.width() - 2 * SPACE[1]
        side = max(SIDE, inner - self.height())
        put_beside(self.column, self.head, side if beside else None)
        row = self.low if beside else self.column
        if row.indexOf(self.controls) < 0:  # the other one has it
            row.addWidget(self.controls)
        has = self.view.ledger is not None and len(self.view.ledger) > 0
        rest = self.height() - self.heat.least
        self.figures.setVisible(has and rest >= 50)
        self.figures.set_max_rows(3 if beside else 2 if self.height() >= 300 else 1)
        captioned = (has or bool(self.view.halted) or self.row.holds) and rest >= 90
        legend = self.height() >= 130 if beside else rest >= 130 and self.width() >= 260
        self.row.setVisible(captioned)
        self.controls.setVisible(legend)
        folded = captioned and not legend and inner >= FOLDED
        self._place_modes(folded)
        room = (side if beside else inner) - self.buttons.sizeHint().width()
        self.legend.show_counts(self._counts())
        self.modes.fit(0 if folded else room - self.legend.least_width())
        self.legend.fit(room - self.modes.taken)

    def _place_modes(self, folded: bool) -> None:
        """Before the legend, or behind the caption."""
        line = (self.row if folded else self.controls).layout()
        assert isinstance(line, QHBoxLayout)
        if line.indexOf(self.modes) < 0:
            line.insertWidget(1 if folded else 0, self.modes)
            line.insertWidget(2, self.buttons)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _counts(self) -> tuple[int, ...]:
        """How many tokens are in each bucket of ranks, where these are shown."""
        ledger, settings = self.view.ledger, self.view.settings
        shown = ledger is not None and settings.colour_by == "rank" and not self.differs
        if ledger is None or not shown:
            return ()
        return self._ranks.of(ledger, settings.rank_bounds)

    def _choose(self, name: str) -> None:
        differed, self.differs = self.differs, name == "difference"
        if self.differs != differed:
            self._show_style()
            self._show_words()
            self.intent.emit(LookAtPeers(self.differs))
        if not self.differs and name != self.view.settings.colour_by:
            self.change(colour_by=name)

    def _move_mark(self, nats: float) -> None:
        self.change(surprise=min(max(nats, LEAST_SURPRISE), MOST_SURPRISE))

    def _zoom(self, steps: int) -> None:
        self.intent.emit(Zoom(steps))

    # Export

    what = "tokens"

    def count(self) -> int:
        return len(self.view.ledger) if self.view.ledger is not None else 0

    def in_sight(self) -> tuple[int, int] | None:
        seen: tuple[int, int] | None = self.heat.in_sight()
        return seen

    def sheet(self, first: int = 0, stop: int | None = None) -> FiguresSheet | None:
        """Tokens [first, stop) on paper; None if there is nothing."""
        whole = self.view.ledger
        if whole is None or not len(whole):
            return None
        stop = len(whole) if stop is None else stop
        settings, loaded = self.view.settings, self.view.loaded
        kind, scale = kinds.of_document(self.view.document), self._scale()
        ledger = whole if stop - first == len(whole) or not kind.in_parts else whole.part(first, stop)
        part = f"tokens {first + 1:,} to {stop:,} of {whole.how_many}, each read after all that stands before it  ·  "
        scored = Scored(
            ledger,
            loaded.vocabulary if loaded else None,
            lead_tokens(ledger, loaded) if first == 0 else (),
            self.theme,
            scale,
            settings.unit,
            heat_figures(ledger, settings.unit),
            ("" if ledger is whole else part) + "  ·  ".join(filter(None, (progress(self.view), self._caption(whole)))),
            settings.wrap,
        )
        return kind.sheet(scored)


def heat_figures(ledger: Ledger, unit: Unit) -> tuple[Figure, ...]:
    """The figures of the header; those of a growing ledger are of the tokens scored so far."""
    t = ledger.totals
    none = "—"
    perplexity = none if t.perplexity is None else number(t.perplexity, 2)
    per_unit = none if t.bits_per_unit is None else number(t.bits_per_unit, 3)
    return (
        *note_figures(ledger),
        Figure(ledger.how_many, "tokens", "Tokens of the text, without what is read before it."),
        Figure(f"{t.scored:,}", "scored", "Tokens that the model gave a probability; all figures are over these."),
        Figure(
            f"{number(in_unit(t.nll_nats, unit), 4 if t.nll_nats < 1000 else 1)} {unit}",
            "NLL",
            "Negative log-likelihood: the surprisals −log p of all scored tokens added up.",
        ),
        Figure(
            perplexity, "perplexity", "exp(NLL in nats / scored): as if each token were one of that many equal ones."
        ),
        Figure(per_unit, t.unit.per, f"NLL / (n ln 2) over the n = {t.units:,} {t.unit.many} of the scored tokens."),
    )
