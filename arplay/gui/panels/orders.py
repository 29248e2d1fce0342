"""One joint distribution, factorised in every order: the products differ, their total does not; networks do differ."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from arplay.core.format import part_percent
from arplay.core.modalities.places import Place, places_of
from arplay.core.orders import LONGEST, Floats, Orders, orders_of
from arplay.core.two_orders import TwoOrders, pair
from arplay.export.orders import summary
from arplay.gui.intents import StopAsking, Train
from arplay.gui.panels.filled import FilledPanel
from arplay.gui.theme import SPACE, Theme
from arplay.gui.view import View
from arplay.gui.widgets.caption import Caption, Label, plain, set_role
from arplay.gui.widgets.flow import Flow
from arplay.gui.widgets.layouts import in_row
from arplay.gui.widgets.orders.rows import OrderRows, formula
from arplay.gui.widgets.orders.sheet import OrderSheet
from arplay.gui.widgets.orders.two import HIGH, WIDE, TwoOrdersView
from arplay.gui.widgets.push_button import push_button, segments

NO_MODEL = "Here the chain rule is written in every order, once a model is loaded whose joint distribution is known."
NO_JOINT = (
    "{} knows p(xᵢ | x₁ … xᵢ₋₁) in its own order only: its joint distribution is not written by hand, and the "
    "conditionals of another order would be sums over all that may stand in between. Choose a table or a joint: abc, "
    "fork or xo."
)
NOTHING = "Write a token, or paint a pixel: here its probability is factorised in every order."
TOO_MANY = "This model has {:,} tokens: not even the joint distribution of one of them is listed here."
UNTRAINED = (
    "The identity is exact in every order. Train two small networks on the same chains, each in one of these orders, "
    "and see how far apart they are: two models are not one."
)
ONE = "One token has one order only: two networks would be one."
SIDES = (
    ("Every order", "One probability in every order: exact"),
    ("Two networks", "Small networks of two orders: how far apart they are"),
)
ANY = (1 << 24) - 1
"""Qt's QWIDGETSIZE_MAX: no greatest width."""


class OrdersPanel(FilledPanel):
    explanation = (
        "<p>The chain rule holds in every order of the tokens: <b>p(x₁) p(x₂ | x₁) = p(x₂) p(x₁ | x₂)</b>. The factors "
        "differ, their product is the joint probability p(x). A row is one order; its cells are log p of each token, "
        "given those before it in that order. Point at a cell for its whole distribution; pick a row for the product "
        "in full.</p>"
        f"<p>The joint of up to {LONGEST} tokens is listed from the model's own conditionals. "
        "p(x<sub>i</sub> | what is known) is that joint, summed over all that is not known yet, and normalised. All n! "
        "orders of up to 5 tokens are shown; beyond, those with a name: rows, columns and boustrophedon (each row the "
        "other way) of a picture, backwards, and some more.</p>"
        "<p>Only a model whose joint distribution is written by hand can do that: a table, or a joint of pictures. A "
        "network learns one order; trained in another, it is another model. <b>Train</b> makes two small ones, each in "
        "an order of its own, from the same 1,000 chains drawn from the joint and with the same first weights. It "
        "tells in bits what each costs, over all chains and for this one, and how far apart they are.</p>"
    )

    waits_for = "scores"

    def __init__(self) -> None:
        super().__init__()
        self.orders: Orders | None = None
        self.places: tuple[Place, ...] = ()
        self._joints: dict[int, Floats] = {}
        self._chosen: set[str] = set()  # orders to train in, by hand
        self.rows, self.verdict, self.line, self.formula = OrderRows(), Caption(), Caption(), Label(wrap=True)
        self.formula.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.formula.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.rows.selectionModel().currentRowChanged.connect(self._show_formula)
        self.first, self.second = QComboBox(), QComboBox()
        for which, box in (("first", self.first), ("second", self.second)):
            words = f"The order in which the {which} network reads"
            box.setToolTip(plain(words))
            box.setAccessibleName(words)
            box.activated.connect(self._choose)
        tip = "Train a small network in each of these two orders, on the same chains; it takes a few seconds"
        self.train = push_button("Train", tip, self._run, role="primary")
        self.choice, self.two, self.told = Flow(), TwoOrdersView(), Caption()
        for part in (self.first, self.second, self.train):
            self.choice.add(part)
        self.exact, self.learned = QWidget(), QWidget()
        for side, parts in (
            (self.exact, (self.rows, self.line, self.formula)),
            (self.learned, (self.choice, self.two, self.told)),
        ):
            column = QVBoxLayout(side)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(SPACE[1])
            for widget in parts:
                column.addWidget(widget, 1 if widget in (self.rows, self.two) else 0)
        self.pair = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.pair.setSpacing(SPACE[3])
        self.pair.addWidget(self.exact, 1)
        self.pair.addWidget(self.learned)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(SPACE[1], SPACE[0], SPACE[1], SPACE[1])
        column.setSpacing(SPACE[1])
        self.sides = QWidget()
        self.side = segments(self, ((at, *side) for at, side in enumerate(SIDES)), lambda _: self._fit())
        self.side[0].setChecked(True)
        in_row(*self.side.values(), on=self.sides, spacing=0)
        column.addLayout(in_row((self.verdict, 1), self.sides, spacing=None))
        column.addLayout(self.pair, 1)
        self.setFocusProxy(self.rows)
        self._show_words()

    def veiled(self) -> QWidget:
        return self.body

    def show_view(self, view: View) -> None:
        before, self.view = self.view, view
        if view.info is not before.info:
            self._joints = {}
        same = view.ledger is before.ledger and view.info is before.info and view.work == before.work
        if same and view.settings.unit == before.settings.unit:
            if view.answer_to(Train) is not before.answer_to(Train):
                self._show_two()
            return
        ledger, loaded = view.ledger, view.loaded
        if ledger is not None and not ledger.complete and loaded is not None:
            return  # what is shown is under a veil until the scores are there
        self.orders = None
        if ledger is not None and loaded is not None and loaded.can.joint is not None:
            self.orders = orders_of(self._joint, len(loaded.vocabulary), ledger.encoded)
            self.places = places_of(ledger.encoded.part(0, len(self.orders.ids))) if self.orders is not None else ()
            self.rows.show_orders(self.orders, loaded.vocabulary, self.places, view.settings.unit)
            self._offer()
        self._show_words()
        self._show_two()

    def _joint(self, n: int) -> Floats:
        """Kept for each length, since every stroke of a key asks for one."""
        assert self.view.loaded is not None and self.view.loaded.can.joint is not None
        if n not in self._joints:
            self._joints[n] = self.view.loaded.can.joint(n)
        return self._joints[n]

    def _show_words(self) -> None:
        view, loaded = self.view, self.view.loaded
        self.pages.setCurrentWidget(self.body if self.orders is not None else self.empty)
        if self.orders is not None:
            self.verdict.show_text(summary(self.orders))
            self._show_formula()
        elif loaded is None or view.run is not None:
            self.empty.setText(view.work or NO_MODEL)
        elif loaded.can.joint is None:
            self.empty.setText(NO_JOINT.format(loaded.info.name))
        else:
            many = view.ledger is not None and len(view.ledger) > 0
            self.empty.setText(TOO_MANY.format(len(loaded.vocabulary)) if many else NOTHING)

    def _show_formula(self) -> None:
        product, loaded = self.rows.current, self.view.loaded
        if product is None or self.orders is None or loaded is None:
            return
        written = formula(product, self.orders.ids, loaded.vocabulary)
        self.formula.setText(written)
        self.line.show_text(written)

    # ---- two networks

    def _offer(self) -> None:
        """The orders with a name; those that a hand chose stay so where they are among them."""
        if self.orders is None:
            return
        names = [each.name for each in self.orders.products if each.name]
        usual = [each.name for each in pair(self.orders, None)] if len(names) > 1 else names
        for box, at in ((self.first, 0), (self.second, -1)):
            if names != [box.itemText(item) for item in range(box.count())]:
                chosen = box.currentText()
                box.clear()
                box.addItems(names)
                kept = chosen in names and chosen in self._chosen
                box.setCurrentText(chosen if kept else usual[at] if usual else "")

    @property
    def found(self) -> TwoOrders | None:
        """The two networks in sight."""
        return self.view.trained_here

    @property
    def names(self) -> tuple[str, str]:
        return self.first.currentText(), self.second.currentText()

    def _choose(self) -> None:
        self._chosen = set(self.names)
        self._show_two()

    def _show_two(self) -> None:
        found, asked = self.found, self.view.answer_to(Train)
        runs, one = asked.runs, self.first.count() < 2
        self.train.setText("Stop" if runs else "Train")
        set_role(self.train, "" if runs else "primary")
        same = self.names[0] == self.names[1]
        self.train.setEnabled(runs or not (one or same))
        self.two.show_found(found, ONE if one else UNTRAINED)
        told = ""
        if found is not None:
            how = f"{found.parameters:,} parameters each, {found.chains:,} chains, seed {found.seed}"
            told = f"{found.differ}; {how}"
        if found is None and asked.found is not None:
            told = "those trained before were of another text or model"
        if same and not one:
            told = "choose two orders that differ"
        elif found is not None and found.names != self.names:
            told = f"Train makes it anew in these orders; above: {found.names[0]}, and {found.names[1]}"
        if asked.share is not None:
            told = f"{asked.doing}: {part_percent(asked.share)}"
        self.told.show_text(told)

    def _run(self) -> None:
        self.intent.emit(StopAsking(Train) if self.view.answer_to(Train).runs else Train(self.names))

    # ---- looks and export

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.two.theme = theme
        self.two.update()
        self.rows.set_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The networks beside the rows where there is room for both, below them in a tall panel, else one of them."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        wide, high = self.width(), self.height()
        beside = wide >= 960
        both = high >= (190 if beside else 480)
        either = not both and wide >= 300 and high >= 100
        networks = either and self.side[1].isChecked()
        self.sides.setVisible(either)
        self.pair.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
        self.learned.setMaximumWidth(WIDE if beside and both else ANY)
        self.exact.setVisible(both or not networks)
        self.learned.setVisible(both or networks)
        self.two.setMinimumHeight(HIGH if both and not beside else 0)
        roomy = high >= (240 if wide - beside * WIDE >= 640 else 340)
        self.formula.setVisible(roomy)
        self.line.setVisible(not roomy and high >= 120)  # its tooltip has all of it

    def chart_size(self) -> tuple[int, int] | None:
        return None if self.orders is None else self._sheet(self.orders).chart_size()

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        if self.orders is not None:
            self._sheet(self.orders).paint_chart(painter, area)

    def _sheet(self, orders: Orders) -> OrderSheet:
        trained, unit = self.found, self.view.settings.unit
        return OrderSheet(orders, self.rows.table.rows, self.places, summary(orders), trained, self.theme, unit)
