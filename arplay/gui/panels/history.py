"""History: how did we get here, and what else was tried? As a list, as a tree, and as blocks; a click goes there."""

from __future__ import annotations

from functools import partial
from typing import cast

from PySide6.QtCore import QModelIndex, QPoint, QRectF, Qt
from PySide6.QtGui import QPainter, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QMenu,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from arplay.core import laying
from arplay.core.errors import Problem
from arplay.core.outline import Outline, Path
from arplay.core.tree import TRIED, Mark, Node
from arplay.gui.contract import Panel
from arplay.gui.intents import Goto, Report, SetBase, SetMark, Take
from arplay.gui.theme import SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.caption import Caption, Label
from arplay.gui.widgets.history_list import ROW_HEIGHT, RowPainter
from arplay.gui.widgets.history_rows import HistoryRows
from arplay.gui.widgets.layouts import in_row
from arplay.gui.widgets.push_button import segments
from arplay.gui.widgets.row_table import ChoiceTable
from arplay.gui.widgets.tree.blocks import Blocks
from arplay.gui.widgets.tree.board import Board, Want
from arplay.gui.widgets.tree.branches import Branches
from arplay.gui.widgets.tree.menu import Marks, compared, names, twig_menu
from arplay.gui.widgets.tree.shown import Shown, Words

_EMPTY = (
    "Everything that you write, pick or sample appears here, with its probability. Click a row to go back to that "
    "state; nothing is ever lost, older ways are kept as branches."
)
SINGLE = 10
PICTURE = 1280, 800
LARGEST = 7_000
"""Pixels of a picture's longer side."""
MARGIN = SPACE[3]
_VIEWS = (
    ("List", "Every state as a row, oldest first"),
    ("Tree", "Branches with their text: as wide as a token is probable, coloured by surprisal"),
    ("Blocks", "Each block is as high as the way to it is probable"),
)


class HistoryPanel(Panel):
    """The tree of everything written, picked or sampled."""

    explanation = (
        "<p>Every state of the text: what was typed, picked by hand or sampled. For a step you see "
        "<b>p</b> = p(x<sub>i</sub> | x<sub>&lt;i</sub>), the probability that the model gave to the token, and "
        "<b>u</b>, the random number that chose it: the token whose share of the cumulative distribution holds u.</p>"
        "<p>A click goes to that state. Going on from an older state starts a branch; the old way is kept.</p>"
        "<p><b>Tree</b>: the line of a token is as wide as p and as dark as it surprised, −log p. <b>Blocks</b>: a "
        "block has the share p of the block before it, so its height is the product of all p on the way, "
        "exp(Σ log p). What nobody tried is left empty. Equal ways are shown as one.</p>"
        "<p>Right click: rename, star, prune, the next tokens as pale branches, and the text in the window as a "
        "<b>gold</b> one on the tree. Ctrl and a click compares that way with where you are.</p>"
        "<p>Right click, or B, makes any state the <b>base text</b> of Comparison, which shows token by token what the "
        "text cost then and costs now.</p>"
        "<p>Arrows go from branch to branch (← back, → on, ↑ ↓ beside it), Home to the beginning, End to its end; "
        "Enter is there, Ctrl and Enter compares, F2 renames, * stars, Delete prunes.</p>"
        "<p>Wheel, pinch, + and − zoom, 0 shows all; a drag, or Shift and arrows, move. In the blocks a double-click, "
        "or Space, enlarges a block, and Backspace goes out again.</p>"
    )

    def __init__(self) -> None:
        super().__init__()
        self._view = View()
        self.model = HistoryRows(self)
        self.rows = ChoiceTable("History of the text", ROW_HEIGHT, self)
        self.rows.show_model(self.model)
        self._painter = RowPainter(self.model, self.rows)
        self.rows.setItemDelegate(self._painter)
        self.rows.setMouseTracking(True)
        self.rows.clicked.connect(self.rows.chosen)
        self.rows.chosen.connect(self._go)
        self.rows.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.rows.customContextMenuRequested.connect(self._ask_row)
        base = QShortcut(Qt.Key.Key_B, self.rows, context=Qt.ShortcutContext.WidgetShortcut)
        base.activated.connect(lambda: self._set_base([self._row_node]))
        self.branches, self.blocks = Branches(), Blocks()
        self._words = Words()
        self._outline: Outline | None = None
        self._key: tuple[object, ...] = ()
        self._gold: Path | None = None
        self._gold_left_out = 0
        self._pale: list[Path] = []
        self._compared: Node | None = None
        self._pruned_too = False
        for board in self.boards:
            board.chosen.connect(self._go_to_twig)
            board.marked.connect(self._compare)
            board.asked.connect(self._ask)
            board.wanted.connect(self._want)
        self.empty = Label(_EMPTY, wrap=True)
        self.empty.setMargin(SPACE[1])
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.views = QStackedWidget(self)
        self.head = QWidget(self)
        self.head.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        views = ((place, *view) for place, view in enumerate(_VIEWS))
        self.choices = segments(self, views, self.show_as, "History as")
        top = in_row(*self.choices.values(), on=self.head, spacing=0)
        self.told = Caption()
        top.addSpacing(SPACE[1])
        top.addWidget(self.told, 1)
        for page in (self.rows, *self.boards):
            self.views.addWidget(page)
        self.choices[0].setChecked(True)
        pages = QVBoxLayout(self)
        pages.setContentsMargins(SPACE[1], SPACE[0], SPACE[1], SPACE[1])
        pages.setSpacing(SPACE[0])
        pages.addWidget(self.empty, 1)
        pages.addWidget(self.head)
        pages.addWidget(self.views, 1)
        self._show_pages()

    @property
    def boards(self) -> tuple[Board, ...]:
        return self.branches, self.blocks

    def show_view(self, view: View) -> None:
        before, self._view = self._view, view
        if view.tree is not before.tree:
            self._gold, self._compared = None, None
        if view.node is not before.node or view.caret != before.caret or view.tree is not before.tree:
            self._pale = []
        elif (
            view.document is before.document and view.marks is before.marks and view.states == before.states
            and view.lit == before.lit and (view.lit is None or view.ledger is before.ledger)
        ):  # fmt: skip
            return
        self._show_pages()
        self._show_front()

    def _show_pages(self) -> None:
        nothing = self._view.tree is None or self._view.tree.count == 1
        self.empty.setVisible(nothing)
        self.views.setVisible(not nothing)
        self._fit_head()
        # what is hidden would take the keyboard nowhere
        self.setFocusProxy(None if nothing else self.views.currentWidget())  # type: ignore[arg-type]

    def _show_front(self) -> None:
        """What is in front; the others are made when they come to the front."""
        if self.views.currentWidget() is self.rows:
            self._show_rows()
        else:
            self._show_board()

    @property
    def _lit(self) -> frozenset[int]:
        """The numbers of the states that wrote the tokens that light up everywhere."""
        view = self._view
        tree, ledger, lit = view.tree, view.ledger, view.lit
        if tree is None or ledger is None or lit is None or view.excerpt_of is not None or view.scores_are_old:
            return frozenset()
        places = range(lit[0], min(lit[1], len(ledger)))
        return frozenset(node.serial for node in tree.origins([(i, *ledger.encoded.span(i)) for i in places]))

    def _show_rows(self) -> None:
        view, former = self._view, self.model.node
        self.model.lit = self._lit
        self.model.follow(view.tree, view.node)
        row = self.model.row_of(view.node)
        if row is not None:
            index, at = self.model.index(row, 0), self.rows.verticalScrollBar().value()
            self.rows.setCurrentIndex(index)
            if view.node is former:  # only something was tried: what one reads stays where it is
                self.rows.verticalScrollBar().setValue(at)
            else:
                self.rows.scrollTo(index)

    def _show_board(self) -> None:
        board, tree, node = self.views.currentWidget(), self._view.tree, self._view.node
        if not isinstance(board, Board):
            return
        if tree is None or node is None or tree.count == 1:
            board.show_tree(None)
            return
        board.show_tree(self._shown())

    def _shown(self) -> Shown:
        tree, node = self._view.tree, self._view.node
        assert tree is not None and node is not None
        pruned = frozenset() if self._pruned_too else tree.pruned
        if pruned:
            pruned -= {above.serial for above in node.ancestors()}  # where one stands is shown
        edit = node.edit if node.serial == next(reversed(tree.nodes)) else None  # typing that goes on changes it
        key = (tree, tree.count, edit, pruned, self._gold, tuple(self._pale))
        if self._outline is None or key != self._key:
            self._outline, self._key = Outline(tree, pruned, self._gold, self._pale), key
        outline, other = self._outline, self._compared
        shown = Shown(outline, self._words, outline.of[node.serial], names(tree.marks))
        shown.lit = frozenset(outline.of[serial] for serial in self._lit if serial in outline.of)
        many = outline.left_out
        said = [f"{many:,} pruned state{' is' if many == 1 else 's are'} not shown"] if many else []
        if self._gold is not None and self._gold_left_out:
            laid = f"the first {len(self._gold[1]):,} tokens of the gold text are laid, {self._gold_left_out:,} are not"
            said.append(laid)
        told = "; ".join(said)
        if other is not None and other.serial in outline.of:
            shown.compared = (outline.of[other.serial],)
            told = compared(outline, shown.here, shown.compared[0], shown.text)
        self.told.show_text(told)
        return shown

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._painter.set_theme(theme)
        self.rows.viewport().update()
        for board in self.boards:
            board.set_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.rows.setColumnHidden(2, self.width() < 280)
        self.rows.setColumnHidden(1, self.width() < 180)
        self._fit_head()

    def _fit_head(self) -> None:
        """Where the choice of the view has no room, the view that was chosen stays."""
        wide = sum(button.sizeHint().width() for button in self.choices.values()) + 2 * SPACE[1]
        self.head.setVisible(self.empty.isHidden() and self.width() >= wide and self.height() >= 90)

    def show_as(self, place: int) -> None:
        """The list, the tree or the blocks."""
        self.choices[place].setChecked(True)
        self.views.setCurrentIndex(place)
        self._show_pages()
        self._show_front()
        cast(QWidget, self.views.currentWidget()).setFocus()

    def show_state(self, node: Node) -> None:
        """Bring it in sight, with the keyboard on it; Enter goes there."""
        shown = None if self._view.tree is None or self._view.tree.count == 1 else self._shown()
        if shown is None:
            return
        row, twig = self.model.row_of(node), shown.outline.of.get(node.serial)
        if self.views.currentWidget() is self.rows and row is None:
            self.show_as(1)  # a state of a branch that the list has no row for
        if self.views.currentWidget() is self.rows:
            index = self.model.index(row or 0, 0)
            self.rows.setCurrentIndex(index)
            self.rows.scrollTo(index)
        elif twig is not None:
            cast(Board, self.views.currentWidget()).walk_to(twig)

    def _go(self, index: QModelIndex) -> None:
        node = self.model.rows[index.row()].node
        if node is not self._view.node:
            self.intent.emit(Goto(node))

    @property
    def _row_node(self) -> Node:
        """The state of the row that keys are about; a click of any button makes it so."""
        return self.model.rows[max(0, self.rows.currentIndex().row())].node

    def _ask_row(self, at: QPoint) -> None:
        menu = self.menu_of_row()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.rows.viewport().mapToGlobal(at))

    def menu_of_row(self) -> QMenu:
        assert self._view.tree is not None
        menu = twig_menu(Marks([self._row_node], self._view.tree.marks, self._mark, self))
        self._offer_base(menu, [self._row_node])
        return menu

    def _go_to_twig(self, twig: int) -> None:
        shown = cast(Board, self.views.currentWidget()).shown
        assert shown is not None
        nodes = shown.outline.nodes[twig]
        if nodes and twig != shown.here:
            self.intent.emit(Goto(_written(nodes)))
        elif not nodes and shown.outline.parent[twig] == shown.here:
            self.intent.emit(Take(shown.outline.laid[twig].id))

    # ---- what is done with a branch

    def _offer_base(self, menu: QMenu, nodes: list[Node]) -> None:
        menu.addAction("Set as &base text of Comparison (B)").triggered.connect(lambda: self._set_base(nodes))

    def _set_base(self, nodes: list[Node]) -> None:
        """The text that one has is compared with this state of it."""
        self.intent.emit(SetBase(_written(nodes)))

    def _compare(self, twig: int, *_: object) -> None:
        """With where one stands; the same once more ends it."""
        shown = cast(Board, self.views.currentWidget()).shown
        assert shown is not None
        nodes = shown.outline.nodes[twig]
        again = not nodes or self._compared in nodes or twig == shown.here
        self._compared = None if again else nodes[-1]
        self._show_board()

    def _ask(self, twig: int, at: QPoint) -> None:
        menu = self.menu_of(twig)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    def menu_of(self, twig: int) -> QMenu:
        shown, tree = cast(Board, self.views.currentWidget()).shown, self._view.tree
        assert shown is not None and tree is not None
        menu = twig_menu(Marks(shown.outline.nodes[twig], tree.marks, self._mark, self))
        if shown.outline.nodes[twig] and twig != shown.here:
            menu.addAction("&Compare with where you are (Ctrl+click, Ctrl+Enter)").triggered.connect(
                partial(self._compare, twig)
            )
        if shown.outline.nodes[twig]:
            self._offer_base(menu, shown.outline.nodes[twig])
        menu.addAction(f"&Single tokens: the {SINGLE} most probable here").triggered.connect(self.show_single)
        words = "Take the &gold text away" if self._gold else "Lay this text on the tree as the &gold one"
        menu.addAction(words).triggered.connect(self.show_gold)
        if tree.pruned:
            words = "&Hide what was pruned" if self._pruned_too else "Show what was &pruned"
            menu.addAction(words).triggered.connect(self._show_pruned)
        return menu

    def _want(self, twig: int, what: Want) -> None:
        """A key says what the menu offers."""
        shown, tree = cast(Board, self.views.currentWidget()).shown, self._view.tree
        assert shown is not None and tree is not None
        marks = Marks(shown.outline.nodes[twig], tree.marks, self._mark, self)
        if what == "prune" and marks.can_be_pruned:
            marks.prune()
        elif what == "base" and marks.nodes:
            self._set_base(marks.nodes)
        elif what != "prune" and marks.nodes:
            {"star": marks.star, "rename": marks.rename}[what]()

    def _mark(self, nodes: tuple[Node, ...], mark: Mark) -> None:
        self.intent.emit(SetMark(nodes, mark))

    def _show_pruned(self) -> None:
        self._pruned_too = not self._pruned_too
        self._show_board()

    def show_single(self) -> None:
        """The most probable tokens behind the caret as pale branches, until one is taken or the caret goes on."""
        view = self._view
        answer, loaded = view.answer, view.loaded
        if view.node is None or view.stale or answer is None or answer.distribution is None or loaded is None:
            self.intent.emit(Report("it is not known yet what comes next here", "wait for the model, then ask again"))
            return
        tokens = loaded.vocabulary
        self._pale = laying.single(view.node, view.document, view.caret, answer.distribution, tokens, SINGLE)
        self._show_board()

    def show_gold(self) -> None:
        """The document in the window, as far as it is scored, or nothing where one lies there already."""
        view = self._view
        if self._gold is not None:
            self._gold = None
        elif view.tree is None or view.ledger is None or view.loaded is None or view.scores_are_old:
            self.intent.emit(Report("this text is not scored yet", "wait for the heatmap, then ask again"))
        else:
            try:
                self._gold, self._gold_left_out = laying.gold(
                    view.tree, view.document, view.ledger, view.loaded.vocabulary
                )
            except Problem as problem:
                self.intent.emit(Report(problem.cause, problem.remedy))
        self._show_board()

    # ---- export

    def chart_size(self) -> tuple[int, int] | None:
        """The blocks where they are in front, else the whole tree, smaller where it is too large for a picture."""
        if self._view.tree is None or self._view.tree.count == 1:
            return None
        if self.views.currentWidget() is self.blocks:
            return PICTURE
        bounds = self._whole().bounds
        scale = min(1.0, LARGEST / max(bounds.width(), bounds.height()))
        return max(200, round(bounds.width() * scale) + 2 * MARGIN), round(bounds.height() * scale) + 2 * MARGIN

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        painter.save()
        painter.fillRect(area, self.theme.color("surface"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.views.currentWidget() is self.blocks:
            self.blocks.show_tree(self._shown())
            painter.setClipRect(area)
            self.blocks.paint_part(painter, area)
        else:
            bounds = self._whole().bounds
            inner = area.adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
            scale = min(1.0, inner.width() / bounds.width(), inner.height() / bounds.height())
            painter.translate(inner.topLeft())
            painter.scale(scale, scale)
            painter.translate(-bounds.topLeft())
            self.branches.paint_part(painter, bounds, 1.0)
        painter.restore()

    def _whole(self) -> Branches:
        self.branches.show_tree(self._shown())
        return self.branches


def _written(nodes: list[Node]) -> Node:
    """Of states that are the same the last one that was not only tried."""
    return ([node for node in nodes if node.kind not in TRIED] or nodes)[-1]
