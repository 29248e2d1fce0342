"""How a game of bets is written: figures, the last token in words, and the lines of its chart."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from arplay.core.betting import PLAYERS, Game, Move, Player
from arplay.core.format import number
from arplay.core.modalities.base import TokenSet
from arplay.gui.theme import SMALL, SPACE, Theme, interface_font
from arplay.gui.widgets.figure_row import ROW, Figure, layout, paint_figures
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.line_plot import LinePlot
from arplay.gui.widgets.plot import Drawing, Plot, Series

MEANT: dict[Player, str] = {
    "you": "−log₂ of the probability that your chips gave to the token: 100 chips are 100%.",
    "model": "−log₂ p of the token by the model's own distribution, before any decoding.",
    "unigram": "−log₂ of (c + 1) / (n + V): how often the token stood among the n tokens before it, one more for each.",
}
SHEET = (900, 520)


def figures(game: Game) -> tuple[Figure, ...]:
    """Bits a token of each, and how far it is."""
    found = []
    for player in PLAYERS:
        sum, counted = game.sum(player), len(game.counted)
        told = f"{number(sum.bits, 3)} bits of {sum.count:,} tokens together. {MEANT[player]}"
        if sum.count < counted:
            told += f" Of {counted - sum.count:,} more the model does not tell it."
        part = f" of {sum.count:,}" if sum.count < counted else ""
        unit = ", bits/token" if player == "you" else ""
        found.append(Figure(number(sum.mean, 3), f"{player}{unit}{part}", told))
    skipped = len(game.moves) - len(game.counted)
    how = f"{len(game.counted):,} with a bet, {skipped:,} skipped, which count for nobody."
    found.append(Figure(f"{len(game.moves):,} of {game.count:,}", "tokens", how))
    return tuple(found)


def cost(bits: float | None) -> str:
    return "not told" if bits is None else number(bits, 3)


def last(game: Game, tokens: TokenSet | None) -> str:
    """The token that was revealed last, and what it cost."""
    if not game.moves or tokens is None:
        return ""
    move = game.moves[-1]
    rank = "" if move.rank is None else f" (rank {move.rank:,})"
    model = "model not told" if move.model is None else f"model {number(move.model, 2)}{rank}"
    you = "skipped" if move.you is None else f"you {number(move.you, 2)}"
    return f"{label(tokens.label(move.id))}: {you}, {model}, unigram {number(move.unigram, 2)} bits"


def verdict(game: Game) -> str:
    """Who paid less, over the tokens that both told."""
    both = [(move.you, move.model) for move in game.counted if move.you is not None and move.model is not None]
    if not both:
        return ""
    apart = math.fsum(you for you, _ in both) - math.fsum(model for _, model in both)
    if not math.isfinite(apart):
        return "One token had no chance at all by the model: its bits are without end"
    way = "more" if apart > 0 else "less"
    return f"{number(abs(apart), 2)} bits {way} than the model, {len(both):,} token{'s' * (len(both) != 1)}"


class BitsCurve(LinePlot):
    """Bits together over the tokens that were bet on, of each player."""

    def __init__(self) -> None:
        super().__init__("Bits of you, the model and the unigram over the tokens")
        self.message = "The lines begin with the first bet that is revealed."
        self.game: Game | None = None
        self.tokens: TokenSet | None = None

    def show_game(self, game: Game | None, tokens: TokenSet | None) -> None:
        self.game, self.tokens = game, tokens
        self.light(None)
        if game is None or not game.counted:
            self.show_plot(Plot(), "")
            return
        said = ", ".join(f"{player} {number(game.sum(player).bits, 3)} bits" for player in PLAYERS)
        self.show_plot(plot_of(game), said)

    def words(self, lit: object) -> str:
        assert self.game is not None and self.tokens is not None and isinstance(lit, float)
        at = int(lit) - 1
        move = self.game.counted[at]
        lines = [f"{int(lit):,}  {label(self.tokens.label(move.id))}"]
        for player in PLAYERS:
            together = number(float(self.game.running(player)[at]), 3)
            lines.append(f"{player}: {cost(move.cost(player))} bits, together {together}")
        return "\n".join(lines)


def plot_of(game: Game) -> Plot:
    count = len(game.counted)
    x = np.arange(1.0, count + 1)
    looks: dict[Player, tuple[str, float, bool]] = {
        "unigram": ("muted", 1.5, True),
        "model": ("text", 1.5, False),
        "you": ("accent", 2.5, False),
    }
    series, most = [], 1.0
    for player, (color, width, dashed) in looks.items():
        y = game.running(player)
        y[~np.isfinite(y)] = np.nan
        most = max(most, float(np.nanmax(y)) if np.isfinite(y).any() else 0.0)
        series.append(Series(player, x, y, color, width, dashed=dashed, mark="dot" if count == 1 else ""))
    end = max(2.0, float(count))
    return Plot(tuple(series), ("bits together", "bits"), ("tokens bet on", "tokens"), 1.0, end, high=1.05 * most)


def paint(painter: QPainter, area: QRectF, game: Game, theme: Theme) -> None:
    """Figures, lines and the verdict, for a picture of SHEET."""
    painter.save()
    painter.translate(area.topLeft())
    painter.scale(area.width() / SHEET[0], area.width() / SHEET[0])
    painter.fillRect(QRectF(0, 0, *SHEET), theme.color("surface"))
    painter.translate(SPACE[4], SPACE[4])
    wide, high = SHEET[0] - 2 * SPACE[4], SHEET[1] - 2 * SPACE[4]
    paint_figures(painter, theme, layout(figures(game), wide, 1))
    top, foot = ROW + SPACE[2], SMALL + SPACE[2]
    Drawing(plot_of(game), QRectF(0, top, wide, high - top - foot)).paint(painter, theme)
    painter.setFont(interface_font(SMALL))
    painter.setPen(theme.color("muted"))
    painter.drawText(QRectF(0, high - foot + SPACE[1], wide, foot), 0, verdict(game))
    painter.restore()


def cells(move: Move, tokens: TokenSet) -> tuple[str, ...]:
    """A row of the table of moves."""
    you = "skipped" if move.you is None else number(move.you, 3)
    rank = "—" if move.rank is None else f"{move.rank:,}"
    return (
        f"{move.index + 1:,}",
        label(tokens.label(move.id)),
        you,
        cost(move.model),
        number(move.unigram, 3),
        rank,
    )
