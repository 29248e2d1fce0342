"""Be the model: bet on each next token of a text that is hidden, and see in bits what each token cost whom."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QSplitter, QStackedWidget, QWidget

from arplay.core.betting import CHIPS, Bets
from arplay.gui.contract import Panel
from arplay.gui.intents import Do, Wager
from arplay.gui.theme import SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.betting import facts
from arplay.gui.widgets.betting.guess import Guess
from arplay.gui.widgets.betting.moves import MovesView
from arplay.gui.widgets.caption import Caption, Label
from arplay.gui.widgets.figure_row import FigureRow
from arplay.gui.widgets.flow import Flow
from arplay.gui.widgets.layouts import in_column, in_row
from arplay.gui.widgets.push_button import offer, push_button

SIDE = 270
"""Pixels of the column in which one bets."""
BOTH, TALL = 470, 400
"""Pixels of width beside that column, or of height, from which there is room for the table and the lines."""
LINES = "The sums over the tokens as lines, in place of the table"
HERE = "Hides all that follows the caret and asks you for one token after the other. Nothing of the text is changed."
ALL = "Hides the whole text and asks you for one token after the other. Nothing of the text is changed."
SKIP = "Reveals the token without a bet: it counts for nobody."
LEAVE = "Ends the game: the text is there again as it was, with its history and undo. The results stay here."
REVEAL = "Shows the token that stands there, what it cost, and what the model expected (Enter on the empty field)."
BEGIN = (
    f"Be the model: the text and the chart are hidden, and you bet on the next token. Put {CHIPS} chips on the tokens "
    "that you name; what is left is for all others. The bits that each token costs you stand beside those of the "
    "model and of the token frequencies."
)
NO_MODEL = "Here you can be the model, once one is loaded to compare with."
AWAITED = "The token is revealed once the model has answered…"


class BettingPanel(Panel):
    explanation = (
        "<p>A language model is a bet on the next token. Here you make it: the rest of the text and the chart are "
        f"hidden, and you put {CHIPS} chips on the tokens that you name. A token with k chips has the probability "
        f"k/{CHIPS}; the chips that are left, one at least, are spread evenly over all others, so none has 0.</p>"
        "<p>A token that had the probability p costs <b>−log<sub>2</sub> p bits</b>. That score is proper: you expect "
        "to pay least by betting what you believe. The sum over a text is its length in bits when it is coded with "
        "those probabilities (Shannon 1951 let people guess English so).</p>"
        "<p><b>model</b>: −log<sub>2</sub> p(x<sub>i</sub> | x<sub>&lt;i</sub>) of the loaded model, before any "
        "decoding. <b>unigram</b>: (c + 1)/(n + V), where c counts the token among the n tokens before it and V is "
        "the size of the vocabulary: it knows frequencies only, of this very text.</p>"
        "<p>A skipped token counts for nobody. Leaving the game, or its end, brings the text back as it was. A game "
        "is not kept when the window closes: export it as a table or a picture.</p>"
    )

    comes = "at once"  # Enter means another thing before a token is revealed and after it

    def __init__(self) -> None:
        super().__init__()
        self.said = Label(role="caption", wrap=True)
        self.said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.said.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.here = push_button("From the caret", HERE, self._begin_here, name="Bet on what follows the caret")
        self.all = push_button("From the start", ALL, self._begin_all, role="chip", name="Bet on the whole text")
        self.guess = Guess()
        self.guess.placed.connect(self._place)
        self.guess.entered.connect(self._main)
        self.main = push_button("Reveal", REVEAL, self._main)
        self.skip = push_button("Skip", SKIP, self._skip, role="chip")
        self.leave = push_button("Leave", LEAVE, self._leave, role="chip", name="Leave the game")
        self.figures, self.last, self.verdict = FigureRow(), Caption(), Caption()
        self.moves, self.curve = MovesView(), facts.BitsCurve()
        self.one = True
        """There is room for the table or the lines, but not for both."""
        self.lines = push_button("Lines", LINES, self._fit, role="chip", checkable=True)
        self.idle, self.bets, self.results = QWidget(), QWidget(), QWidget()
        self.side = QStackedWidget()
        self._arrange()
        self._show()

    def _arrange(self) -> None:
        begin, play = Flow(), Flow()
        for flow, buttons in ((begin, (self.here, self.all)), (play, (self.main, self.skip, self.leave))):
            for button in buttons:
                flow.add(button)
        for page, above, below in ((self.idle, self.said, begin), (self.bets, self.guess, play)):
            in_column((above, 1), below, on=page, spacing=SPACE[1])
            self.side.addWidget(page)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.moves)
        self.splitter.addWidget(self.curve)
        told = in_column(self.figures, self.last, (self.splitter, 1), on=self.results, spacing=SPACE[0])
        foot = in_row((self.verdict, 1), self.lines, spacing=SPACE[1])
        told.addLayout(foot)
        in_row(self.side, (self.results, 1), on=self, margins=SPACE[1], spacing=SPACE[2])

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 80)

    def show_view(self, view: View) -> None:
        before, self.view = self.view, view
        same = (before.game, before.loaded, before.work) == (view.game, view.loaded, view.work)
        if not same or before.covered != view.covered:
            self._show()

    def _show(self) -> None:
        view, game = self.view, self.view.game
        plays = game is not None and not game.over
        held = self.guess.field.hasFocus() or self.main.hasFocus() or self.here.hasFocus() or self.all.hasFocus()
        self.side.setCurrentWidget(self.bets if plays else self.idle)
        self.setFocusProxy(self.guess.field if plays else self.here)
        self.said.setText(BEGIN if view.lacks_model is None else view.work or NO_MODEL)
        for button in (self.here, self.all):
            offer(button, view.no_model)
        tokens = view.game_of.vocabulary if view.game_of is not None else None
        if game is not None:
            if game.revealed:
                self.guess.show_bets(Bets(game.size, game.moves[-1].placed), tokens, game.moves[-1].id)
            else:
                self.guess.show_bets(game.bets, tokens)
            self.main.setText("See the end" if game.revealed and game.done else "Next" if game.revealed else "Reveal")
            self.skip.setEnabled(not game.revealed)
            self.figures.show_figures(facts.figures(game))
            self.last.show_text(AWAITED if game.asked else facts.last(game, tokens))
            self.verdict.show_text(facts.verdict(game))
        self.moves.show_game(game, tokens)
        self.curve.show_game(game, tokens)
        if held:
            self.setFocus()
        self._fit()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.figures.theme = theme
        self.figures.update()
        self.moves.set_theme(theme)
        self.guess.rows.set_theme(theme)
        self.curve.set_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Betting has the room first; beside it the results, as a table, and as lines where there is room for both."""
        width, game = self.width(), self.view.game
        beside = game is not None and width >= SIDE + 200
        self.results.setVisible(beside)
        self.side.setMaximumWidth(SIDE if beside else 16_777_215)
        self.side.setMinimumWidth(SIDE if beside else 0)
        across, down = width >= SIDE + BOTH, self.height() >= TALL
        self.splitter.setOrientation(Qt.Orientation.Horizontal if across else Qt.Orientation.Vertical)
        self.lines.setVisible(not across and not down)
        one = not across and not down
        self.curve.setVisible(not one or self.lines.isChecked())
        self.moves.setVisible(not one or not self.lines.isChecked())
        if one != self.one:
            self.one = one
            half = max(1, self.splitter.width() if across else self.splitter.height()) // 2
            self.splitter.setSizes([half, half])
        roomy = self.height() >= 170
        self.last.setVisible(roomy or not beside)
        self.verdict.setVisible(roomy)
        self.guess.rest.setVisible(self.height() >= 130)

    def _begin_here(self) -> None:
        self.intent.emit(Do("bet"))

    def _begin_all(self) -> None:
        self.intent.emit(Do("bet_all"))

    def _place(self, id: int, chips: int) -> None:
        self.intent.emit(Wager(id, chips))

    def _main(self) -> None:
        game = self.view.game
        self.intent.emit(Do("next_bet" if game is not None and game.revealed else "reveal"))

    def _skip(self) -> None:
        self.intent.emit(Do("skip_bet"))

    def _leave(self) -> None:
        self.intent.emit(Do("leave_bets"))

    # Export

    def chart_size(self) -> tuple[int, int] | None:
        return facts.SHEET if self.view.game is not None and self.view.game.counted else None

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        if self.view.game is not None and self.view.game_of is not None:
            facts.paint(painter, area, self.view.game, self.theme)
