"""The tokens that were revealed as rows: what each cost you, the model and the unigram."""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from arplay.core.betting import Game, Move
from arplay.core.modalities.base import TokenSet
from arplay.gui.theme import BODY, LIGHT, Theme, fixed_font, number_font
from arplay.gui.widgets.betting.facts import MEANT, cells
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.labels import label

Index = QModelIndex | QPersistentModelIndex
ROW = 24
NUMBER, TOKEN, YOU, MODEL, UNIGRAM, RANK = range(6)
HEADERS = ("#", "token", "you", "model", "unigram", "rank")
TIPS = (
    "The place of the token in the text, from 1.",
    "The token that stood there.",
    f"Bits. {MEANT['you']}",
    f"Bits. {MEANT['model']}",
    f"Bits. {MEANT['unigram']}",
    "Its rank by the model's own probability, from 1.",
)
WIDTHS = {NUMBER: 48, TOKEN: 72, YOU: 66, MODEL: 66, UNIGRAM: 66, RANK: 56}
_FIRST = (TOKEN, YOU, MODEL, UNIGRAM, RANK, NUMBER)


class MovesTable(QAbstractTableModel):
    """A row a move; a game that goes on adds rows."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.moves: tuple[Move, ...] = ()
        self.tokens: TokenSet | None = None
        self.theme: Theme = LIGHT

    def show_game(self, game: Game | None, tokens: TokenSet | None) -> None:
        moves = game.moves if game is not None and tokens is not None else ()
        had = len(self.moves)
        if tokens is self.tokens and moves[:had] == self.moves:
            if len(moves) > had:
                self.beginInsertRows(QModelIndex(), had, len(moves) - 1)
                self.moves = moves
                self.endInsertRows()
            return
        self.beginResetModel()
        self.moves, self.tokens = moves, tokens
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.moves)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(HEADERS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADERS[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(TIPS[section])
        return _side(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if self.tokens is None or not 0 <= index.row() < len(self.moves):
            return None
        move = self.moves[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return cells(move, self.tokens)[index.column()]
        if role == Qt.ItemDataRole.FontRole:
            return fixed_font(BODY) if index.column() == TOKEN else number_font(BODY)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(index.column())
        if role == Qt.ItemDataRole.ForegroundRole:
            quiet = index.column() in (NUMBER, RANK) or move.you is None
            return self.theme.color("muted" if quiet else "text")
        return plain(self._bets(move)) if role == Qt.ItemDataRole.ToolTipRole else None

    def _bets(self, move: Move) -> str:
        assert self.tokens is not None
        chips = ", ".join(f"{label(self.tokens.label(id))} {chips}" for id, chips in move.placed)
        return f"Your chips: {chips}" if chips else "No chips were placed: every token was as likely."


class MovesView(QTableView):
    def __init__(self) -> None:
        super().__init__()
        self.table = MovesTable(self)
        self.setModel(self.table)
        self.setAccessibleName("Tokens that were bet on")
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(24)
        for column, width in WIDTHS.items():
            self.setColumnWidth(column, width)
        header.setSectionResizeMode(TOKEN, QHeaderView.ResizeMode.Stretch)

    def show_game(self, game: Game | None, tokens: TokenSet | None) -> None:
        self.table.show_game(game, tokens)
        self.scrollToBottom()

    def set_theme(self, theme: Theme) -> None:
        self.table.theme = theme
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The most telling columns first."""
        room = self.viewport().width()
        for column in _FIRST:
            room -= WIDTHS[column]
            self.setColumnHidden(column, room < 0 and column != TOKEN)
        super().resizeEvent(event)


def _side(column: int) -> int:
    side = Qt.AlignmentFlag.AlignLeft if column == TOKEN else Qt.AlignmentFlag.AlignRight
    return int(side | Qt.AlignmentFlag.AlignVCenter)
