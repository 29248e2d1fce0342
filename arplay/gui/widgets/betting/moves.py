"""The tokens that were revealed as rows: what each cost you, the model and the unigram."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex

from arplay.core.betting import Game, Move
from arplay.core.modalities.base import TokenSet
from arplay.gui.widgets.betting.facts import MEANT, cells
from arplay.gui.widgets.labels import label
from arplay.gui.widgets.row_table import Column, RowTable, TableRows

ROW = 24
NUMBER, TOKEN, YOU, MODEL, UNIGRAM, RANK = range(6)


class MovesTable(TableRows):
    """A row a move; a game that goes on adds rows."""

    columns = (
        Column("#", "The place of the token in the text, from 1.", 48, 374),
        Column("token", "The token that stood there.", kind="token"),
        Column("you", f"Bits. {MEANT['you']}", 66, 138),
        Column("model", f"Bits. {MEANT['model']}", 66, 204),
        Column("unigram", f"Bits. {MEANT['unigram']}", 66, 270),
        Column("rank", "Its rank by the model's own probability, from 1.", 56, 326),
    )
    rows: tuple[Move, ...]
    tokens: TokenSet | None = None

    def show_game(self, game: Game | None, tokens: TokenSet | None) -> None:
        moves = game.moves if game is not None and tokens is not None else ()
        had = len(self.rows)
        if tokens is self.tokens and moves[:had] == self.rows:
            if len(moves) > had:
                self.beginInsertRows(QModelIndex(), had, len(moves) - 1)
                self.rows = moves
                self.endInsertRows()
            return
        self.tokens = tokens
        self.reset(moves)

    def text(self, row: int, column: int) -> str:
        assert self.tokens is not None
        return cells(self.rows[row], self.tokens)[column]

    def ink(self, row: int, column: int) -> str:
        return "muted" if column in (NUMBER, RANK) or self.rows[row].you is None else "text"

    def tip(self, row: int, column: int) -> str:
        return self._bets(self.rows[row])

    def _bets(self, move: Move) -> str:
        assert self.tokens is not None
        chips = ", ".join(f"{label(self.tokens.label(id))} {chips}" for id, chips in move.placed)
        return f"Your chips: {chips}" if chips else "No chips were placed: every token was as likely."


class MovesView(RowTable):
    def __init__(self) -> None:
        super().__init__("Tokens that were bet on", ROW)
        self.table = MovesTable(self)
        self.show_model(self.table, pulled=True)

    def show_game(self, game: Game | None, tokens: TokenSet | None) -> None:
        self.table.show_game(game, tokens)
        self.scrollToBottom()
