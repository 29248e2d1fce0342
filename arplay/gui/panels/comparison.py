"""Several models on one text: what each pays for it, where they part, and how far they are apart by each place."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import cast

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QFileDialog,
    QMenu,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from arplay.core.aligned import Aligned
from arplay.core.edited import Edited
from arplay.core.matching import two
from arplay.core.signs import safe
from arplay.core.tree import Node
from arplay.engine.divergence import Diverged
from arplay.export.comparing import Beside, Here
from arplay.export.scorefile import ENDING
from arplay.gui.contract import Panel
from arplay.gui.intents import AddRun, CompareDistributions, Do, Magnify, RemovePeer, SetBase, StopAsking, Zoom
from arplay.gui.peers import MOST, Peer
from arplay.gui.theme import SPACE, Theme, icon
from arplay.gui.view import View
from arplay.gui.widgets.caption import Caption
from arplay.gui.widgets.choice import Choice
from arplay.gui.widgets.comparison.chips import Chips
from arplay.gui.widgets.comparison.curve import DifferenceCurve
from arplay.gui.widgets.comparison.here import SHOWN
from arplay.gui.widgets.comparison.pages import CHANGED, HERE, SPANS, TEXT, TOTALS, Pages
from arplay.gui.widgets.comparison.sheet import Paper, sheet_of
from arplay.gui.widgets.comparison.side import Side
from arplay.gui.widgets.comparison.states import choices
from arplay.gui.widgets.comparison.totals import NOW, Row, TotalsTable, base_rows
from arplay.gui.widgets.comparison.words import Seen, of_edit, of_models, why_not
from arplay.gui.widgets.flow import Flow
from arplay.gui.widgets.menu_button import give_menu
from arplay.gui.widgets.plot import of_tokens, tokens_in
from arplay.gui.widgets.push_button import offer, push_button, quiet_button
from arplay.gui.widgets.row_table import RowTable

NO_PEER = (
    "Add a model to compare with: another one, or the same in another number type or quantisation. Both read this "
    "text, whatever tokens they cut it into."
)
NO_MODEL = "Here several models are compared on one text, once the window has one."
NO_BASE = (
    "Set this text as base, then edit it: each token that stays is compared with what it cost before, under the same "
    "model."
)
WHICH = "Which model is compared with the first one"
STATES_TIP = "Compare the text with an earlier state of it, or with another branch: the model scores it as well"
BASE_TIP = "Remember this text, or a state of the history that you went to, and compare what is made of it"
MODES = (
    ("Models", "Several models, number types or quantisations on this text"),
    ("Base text", "This text against what it was before an edit, under the window's model"),
)
PAGES = (
    ("Totals", "What each model pays for the whole text, and how far they have come apart by each place"),
    ("Spans", "The spans of the text where two models part most, as a table"),
    ("Text", "The text coloured by which of two models knew better, or both side by side"),
    ("Here", "What two models say comes next at the place that the window shows, in one chart"),
    ("What changed", "KL, total variation and ranks token by token, of two models with the same tokens"),
)
LOW = 170
"""Pixels of height from which the models have a line of their own."""
ANY = (1 << 24) - 1
"""Qt's QWIDGETSIZE_MAX: no greatest height."""


class ComparisonPanel(Panel):
    explanation = (
        "<p>Up to four models read the same text. Each has tokens of its own, so they are compared over the "
        "<b>spans</b> between places where a token of each ends: −log p of a span is the sum over its tokens, and "
        "depends on no tokenizer.</p>"
        "<p><b>Bits per byte</b> = NLL / (n ln 2) over the n bytes that all of them score. <b>Perplexity</b> = exp(NLL "
        "/ tokens) is per token: a model with longer tokens has a higher one for the same NLL. Comparing perplexities "
        "across tokenizers is a common mistake, so both stand here.</p>"
        "<p>The curve is Σ (−log p<sub>B</sub> + log p<sub>A</sub>) along the text: it falls where B knew better, and "
        "rises where A did. A click goes to the token there, and so does one on a row of <b>Where they part</b>.</p>"
        "<p>A model that is added has memory of its own, as the list of models tells before it is loaded, and gives it "
        "back when it is removed. The window goes on with its own model.</p>"
        "<p><b>Text</b> colours each span by the difference, or shows both models' surprisal side by side. <b>Here</b> "
        "has both distributions at the place that the window shows; tokens that write the same are one row. <b>What "
        "changed</b>, of models with the same tokens only, is KL(p‖q) = Σ p (log p − log q) and the total variation "
        "½ Σ |p − q| at every token, the change of log p of the actual one, of its rank, and of the best token.</p>"
    )

    waits_for = "scores"

    def __init__(self) -> None:
        super().__init__()
        self.view = View()
        self._shown: object = None
        self.side: Beside | None = None
        """The scores side by side, with their models."""
        self.head, self.chips = Flow(), Chips()
        self.chips.removed.connect(lambda slot: self.intent.emit(RemovePeer(slot)))
        tip = "Choose a model to stand beside the window's own: the list tells its memory"
        self.add = push_button("+ Model…", tip, lambda: self.intent.emit(Do("compare")), role="chip")
        self.add_run = push_button(
            "+ Run…", "Choose a scoring run of this text that was saved to a file (.npz)", self._add_run, role="chip"
        )
        self.modes = Choice("What is compared", "Several models, or the text before and after an edit")
        self.modes.set_options(MODES)
        self.modes.chosen.connect(self._turn)
        self.set_base = push_button("Set as base", BASE_TIP, lambda: self.intent.emit(Do("set_base")))
        self.from_history = push_button("History", STATES_TIP)
        self.states = QMenu(self.from_history)  # a window of the panel's own would tear its order of Tab apart
        self.states.aboutToShow.connect(self._list_states)
        give_menu(self.from_history, self.states)
        self.forget_base = quiet_button(
            "Forget the base: the text that was remembered is none any more",
            lambda: self.intent.emit(Do("forget_base")),
        )
        self.sides = Choice("What is shown", "Totals, spans, the text, the distributions here, or what changed")
        self.sides.set_options(PAGES)
        self.sides.chosen.connect(self._turn)
        self.mode, self.group = self.modes.group, self.sides.group
        self.beside = QComboBox()
        self.beside.setToolTip(WHICH)
        self.beside.setAccessibleName(WHICH)
        self.beside.activated.connect(self._show)
        base, models = (self.set_base, self.from_history, self.forget_base), (self.chips, self.add, self.add_run)
        for part in (self.modes, self.sides, self.beside, *base, *models):
            self.head.add(part)
        self.totals, self.table = TotalsTable(), RowTable("What each model pays", 24)
        self.totals.setParent(self)
        self.table.show_model(self.totals)
        self.table.setMinimumSize(0, 0)
        self._two: object = None
        self._here: Here | None = None
        self.curve = DifferenceCurve()
        self.curve.message = "Here the difference adds up along the text."
        self.curve.picked.connect(self.select)
        self.curve.spanned.connect(self._magnify)
        self.both, first = QBoxLayout(QBoxLayout.Direction.LeftToRight), QWidget()
        self.both.setContentsMargins(0, 0, 0, 0)
        self.both.setSpacing(SPACE[1])
        self.both.addWidget(self.table, 5)
        self.both.addWidget(self.curve, 4)
        first.setLayout(self.both)
        self.body, self.said = QWidget(), Caption()
        self.body.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)  # the head comes first
        self.pages = Pages(self.body, first)
        self.pages.picked.connect(self.select)
        self.pages.spanned.connect(self._magnify)
        self.pages.zoomed.connect(lambda steps: self.intent.emit(Zoom(steps)))
        self.pages.asked.connect(self._ask)
        self.pages.turned.connect(self._show_beside)
        self.pages.turned.connect(self._show_words)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[1], SPACE[0], SPACE[1], SPACE[0])
        column.setSpacing(SPACE[0])
        column.addWidget(self.head)
        column.addWidget(self.body, 1)
        column.addWidget(self.said)
        self._show()

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 80)

    def veiled(self) -> QWidget:
        return self.body

    def wanted_height(self, view: View, width: int) -> int:
        return 280

    # ---- what is shown

    def show_view(self, view: View) -> None:
        before, self.view = self.view, view
        self._pair_up()
        same = (
            view.peers is before.peers, view.parted is before.parted, view.ledger is before.ledger,
            view.base is before.base, view.edited is before.edited,
            view.info is before.info, view.settings is before.settings, view.work == before.work,
            view.problem is before.problem,
        )  # fmt: skip
        if not all(same):
            self._show()
        elif view.answer is not before.answer or (
            view.answer_to(CompareDistributions) is not before.answer_to(CompareDistributions)
        ):
            self._show_page()
        elif self.group.checkedId() == TEXT:
            self._show_text()
        if view.lit != before.lit or view.parted is not before.parted:
            self.curve.show_here(of_tokens(view.lit))

    def _pair_up(self) -> None:
        """Whose the scores side by side are; as soon as they come, since each model scores the next text on its own."""
        view, parted = self.view, self.view.parted
        if parted is None or view.loaded is None:
            self.side = None
        elif self.side is None or self.side.parted is not parted:
            found = [(letter, peer) for letter, peer in self.lettered if peer.ledger in parted.ledgers[1:]]
            models = (view.loaded, *(peer.loaded for _, peer in found if peer.loaded is not None))
            letters, names = "".join(letter for letter, _ in found), (self.own, *(peer.name for _, peer in found))
            whole = len(models) == len(parted.ledgers)
            self.side = Beside(parted, models, names, f"A{letters}") if whole else None

    @property
    def lettered(self) -> list[tuple[str, Peer]]:
        """Those beside the window's own, by their letters."""
        return list(zip("BCD", self.view.peers, strict=False))

    @property
    def found(self) -> Beside | Here | Diverged | Edited | None:
        """What the page in sight is of."""
        if self.based:
            return self.view.edited
        if self.group.checkedId() == HERE:
            return self._here
        if self.group.checkedId() == CHANGED:
            return cast(Diverged | None, self.view.answer_to(CompareDistributions).found)
        return self.side

    @property
    def own(self) -> str:
        """The window's model as it is told apart from another one of the same weights; "" where there is none."""
        info = self.view.info
        return f"{info.name} {info.dtype}" if info is not None else ""

    @property
    def based(self) -> bool:
        """Whether a base text is compared, and not models."""
        return self.mode.checkedId() == 1

    @property
    def pair(self) -> Aligned | None:
        """The first model with the one that is chosen beside it, or the base text with that of now."""
        if self.based:
            return self.view.edited
        found, at = self.side, max(0, self.beside.currentIndex())
        return found.parted.pairs[at] if found is not None and at < len(found.parted.pairs) else None

    def _show(self) -> None:
        view, found, based = self.view, self.side, self.based
        pages = PAGES[:HERE] if based else PAGES
        if len(self.group.buttons()) != len(pages):
            self.sides.set_options(pages, self.group.checkedId())
        self.set_base.setVisible(based)
        self.from_history.setVisible(based)
        self.set_base.setText("Set anew" if view.base is not None else "Set as base")
        self.forget_base.setVisible(based and view.base is not None)
        self.table.message = NO_BASE if based else NO_PEER
        if view.loaded is None:
            self.table.message = view.work or NO_MODEL
        self.chips.show_models(self.own, view.peers)
        for part in (self.add, self.add_run):
            offer(part, view.no_model if view.loaded is None else "")
        offer(self.set_base, view.no_model)
        if view.ledger is not None:
            unit = view.ledger.unit
            self.totals.show_rows(self._rows(), view.settings.unit, unit.per, unit.many)
        elif self.totals.rows:
            self.totals.reset(())
        others = list(found.titles[1:]) if found is not None else []
        if others != [self.beside.itemText(at) for at in range(self.beside.count())]:
            chosen = self.beside.currentText()
            self.beside.clear()
            self.beside.addItems(others)
            self.beside.setCurrentIndex(others.index(chosen) if chosen in others else min(0, len(others) - 1))
        self._show_beside()
        first = self.set_base if based else self.add
        self.setFocusProxy(self.modes if self.totals.rows or not first.isEnabled() else first)
        self._show_pair()
        self._show_page()
        self._fit()

    def _rows(self) -> list[Row]:
        """What each pays; of one that scores the text anew, what it paid before."""
        if self.based:
            return base_rows(self.view.edited)
        found = self.side
        shares = dict(zip(found.letters, found.parted.shares, strict=True)) if found is not None else {}
        rows = [Row(f"A  {self.own}", shares.get("A"))] if self.view.peers else []
        for letter, peer in self.lettered:
            said = ". ".join(peer.problem) if peer.problem else peer.doing
            rows.append(Row(f"{letter}  {peer.name}", None if peer.problem else shares.get(letter), said))
        return rows

    def _show_beside(self) -> None:
        """Where one of several is chosen: not where all are in sight."""
        page = self.group.checkedId()
        alone = page != TOTALS and not (page == TEXT and self.pages.text.beside)
        self.beside.setVisible(not self.based and self.beside.count() > 1 and alone)

    def _show_pair(self) -> None:
        """What is drawn of the scores side by side: anew where they are others."""
        found, pair, unit = self.side, self.pair, self.view.settings.unit
        tokens = self.view.loaded.vocabulary if self.view.loaded is not None else None
        key = pair, unit, found.parted if found is not None else None
        if key == self._shown:
            return
        self._shown = key
        names, pairs = (found.titles[1:], found.parted.pairs) if found is not None else ((), ())
        if self.based:
            names, pairs = ((NOW,), (pair,)) if pair is not None else ((), ())
        self.curve.show_pairs(pairs, names, tokens, unit)

    @property
    def letter(self) -> str:
        """That of the one that is chosen beside the first."""
        chosen = self.side.letters[1 + max(0, self.beside.currentIndex()) :] if self.side is not None else ""
        return "B" if self.based or not chosen else chosen[0]

    @property
    def peer(self) -> Peer | None:
        """The one that is chosen beside the first."""
        return dict(self.lettered).get(self.letter)

    def _show_page(self) -> None:
        """What only the page in sight shows."""
        view, page, peer = self.view, self.group.checkedId(), self.peer
        tokens = view.loaded.vocabulary if view.loaded is not None else None
        if page == SPANS:
            table, pair = self.pages.spans.table, self.pair
            table.show_unit(view.settings.unit)
            if pair is not table.pair:
                table.show_pair(pair, tokens, ("A", self.letter))
        elif page == TEXT:
            self._show_text()
        elif page == HERE:
            key = (view.answer, peer.answer, peer.match, view.settings.unit) if peer is not None else None
            if key != self._two:
                self._two, self._here = key, self._both(peer)
                self.pages.here.show_here(self._here)
        elif page == CHANGED:
            encoded = view.ledger.encoded if view.ledger is not None else None
            asked = view.answer_to(CompareDistributions)
            of = view.info, peer.loaded.info if peer is not None and peer.loaded is not None else None
            self.pages.changed.show_asked(asked, encoded, tokens, view.settings.unit, why_not(view, peer), of)
        self._show_words()

    def _show_text(self) -> None:
        self.pages.text.show_sides(self.view, self.scorings, self.pair, self.letter)

    @property
    def scorings(self) -> list[Side]:
        """The scorings of the text that stand beside each other."""
        view, found = self.view, self.side
        if view.loaded is None or view.ledger is None:
            return []
        if self.based and view.edited is not None:
            each = zip(("A  base text", NOW), view.edited.ledgers, view.edited.bits_per_unit, strict=True)
            return [Side(name, ledger, view.loaded, bits) for name, ledger, bits in each]
        if self.based or found is None:
            return [Side(f"A  {self.own}", view.ledger, view.loaded, view.ledger.totals.bits_per_unit)]
        bits = [share.bits_per_unit for share in found.parted.shares]
        return [Side(*each) for each in zip(found.titles, found.parted.ledgers, found.models, bits, strict=True)]

    def _both(self, peer: Peer | None) -> Here | None:
        """What both say comes next; None where it is not there yet."""
        view, own = self.view, self.view.answer
        if own is None or own.distribution is None or view.loaded is None or peer is None or peer.loaded is None:
            return None
        if peer.answer is None or peer.answer.distribution is None or peer.match is None or peer.answered is not own:
            return None
        found = two(own.distribution, peer.answer.distribution, peer.match, SHOWN)
        return Here(found, (view.loaded, peer.loaded), (self.own, peer.name), self.letter)

    def _ask(self) -> None:
        if self.view.answer_to(CompareDistributions).runs:
            self.intent.emit(StopAsking(CompareDistributions))
        elif self.peer is not None:
            self.intent.emit(CompareDistributions(self.peer.slot))

    def _show_words(self) -> None:
        if self.based:
            said = of_edit(self.view)
        else:
            here, abreast = self._here, self.pages.text.beside if self.group.checkedId() == TEXT else False
            page, side = self.group.checkedId(), self.side
            said = of_models(Seen(self.view, page, self.own, self.peer, side, self.pair, here, abreast))
        self.said.show_text(said)
        self.said.setVisible(bool(said))

    # ---- what is done

    def _add_run(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Compare with a saved run", filter=f"Scoring runs (*{ENDING})")
        if path:
            self.intent.emit(AddRun(Path(path)))

    def _list_states(self) -> None:
        """Those of the history that there are now."""
        self.states.clear()
        found = choices(self.view.tree) if self.view.tree is not None else []
        for words, node in found:
            action = self.states.addAction(safe(words).replace("&", "&&"))
            action.triggered.connect(partial(self._base_on, node))
        if not found:
            self.states.addAction("The history has this state only").setEnabled(False)

    def _base_on(self, node: Node, _: bool = False) -> None:
        self.intent.emit(SetBase(node))

    def _magnify(self, span: tuple[float, float] | None) -> None:
        self.intent.emit(Magnify(tokens_in(span)))

    def _turn(self, _: int) -> None:
        if self.based and self.group.checkedId() in (HERE, CHANGED):
            self.sides.show_at(TOTALS)
        self.pages.show(self.group.checkedId())
        self._show()

    # ---- looks and export

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.forget_base.setIcon(icon("x", theme, "muted"))
        for part in (self.chips, self.table, self.curve, self.pages):
            part.set_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The curve beside the table in a low panel, below it in a tall one."""
        wide, high = self.width(), self.height()
        beside = wide >= 560 and high < 330
        roomy = high >= LOW or not self.view.peers  # else what was added takes its room from what it shows
        self.chips.setVisible(not self.based and roomy)
        for part in (self.add, self.add_run):
            part.setVisible(not self.based and roomy and len(self.view.peers) < MOST)
        rows = len(self.totals.rows)
        self.table.setMaximumHeight(ANY if beside or high < 260 or not rows else 34 + 24 * max(2, rows))
        self.both.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
        self.curve.setVisible(bool(self.totals.rows) and (beside or high >= 260))

    def chart_size(self) -> tuple[int, int] | None:
        sheet = self._sheet()
        return None if sheet is None else sheet.chart_size()

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        sheet = self._sheet()
        if sheet is not None:
            sheet.paint_chart(painter, area)

    def _sheet(self) -> Paper | None:
        """The page in sight on paper."""
        return None if self.found is None else sheet_of(self.found, self.view.settings.unit, self.theme)
