"""One joint distribution, factorised in every order: the products differ, their total does not."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from arplay.core.format import nats_and_bits, power_cell
from arplay.core.modalities.places import places_of
from arplay.core.orders import LONGEST, Floats, Orders, orders_of
from arplay.gui.contract import Panel, View
from arplay.gui.theme import SPACE, Theme
from arplay.gui.widgets.caption import Caption, Label
from arplay.gui.widgets.order_rows import OrderRows, formula

NO_MODEL = "Here the chain rule is written in every order, once a model is loaded whose joint distribution is known."
NO_JOINT = (
    "{} knows p(xᵢ | x₁ … xᵢ₋₁) in its own order only: its joint distribution is not written by hand, and the "
    "conditionals of another order would be sums over all that may stand in between. Choose a table or a joint: abc, "
    "fork or xo."
)
NOTHING = "Write a token, or paint a pixel: here its probability is factorised in every order."
TOO_MANY = "This model has {:,} tokens: not even the joint distribution of one of them is listed here."


def summary(found: Orders) -> str:
    """What the totals say, and which tokens they are of."""
    count = f"{'all ' if found.every else ''}{len(found.products):,} orders"
    orders = "the only order" if len(found.products) == 1 else count
    apart = power_cell(found.largest_difference) if found.largest_difference else "0"
    first = f"The first {len(found.ids)} of {found.of:,} tokens: " if len(found.ids) < found.of else ""
    orders = orders if first else orders[0].upper() + orders[1:]
    return f"{first}{orders}, one total: log p = {nats_and_bits(found.total)}; largest difference {apart} nats"


class OrdersPanel(Panel):
    name = "orders"
    title = "Orders"
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
        "network has learned one order; trained in another, it is another model: <tt>arplay orders FILE --train</tt> "
        "trains two small ones in two orders, and tells how many bits they are apart.</p>"
    )

    waits_for = "scores"

    def __init__(self) -> None:
        super().__init__()
        self.view = View()
        self.orders: Orders | None = None
        self._joints: dict[int, Floats] = {}
        self.empty = Label(role="caption", wrap=True)
        self.empty.setMargin(SPACE[2])
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.rows, self.verdict, self.line, self.formula = OrderRows(), Caption(), Caption(), Label(wrap=True)
        self.formula.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.formula.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.rows.selectionModel().currentRowChanged.connect(self._show_formula)
        self.body = QWidget()
        column = QVBoxLayout(self.body)
        column.setContentsMargins(SPACE[1], SPACE[0], SPACE[1], SPACE[1])
        column.setSpacing(SPACE[1])
        column.addWidget(self.verdict)
        column.addWidget(self.rows, 1)
        column.addWidget(self.line)
        column.addWidget(self.formula)
        self.pages = QStackedLayout(self)
        self.pages.addWidget(self.empty)
        self.pages.addWidget(self.body)
        self.setFocusProxy(self.rows)
        self._show_words()

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 80)

    def veiled(self) -> QWidget:
        return self.body

    def show_view(self, view: View) -> None:
        before, self.view = self.view, view
        if view.info is not before.info:
            self._joints = {}
        same = view.ledger is before.ledger and view.info is before.info and view.work == before.work
        if same and view.settings.unit == before.settings.unit:
            return
        ledger, loaded = view.ledger, view.loaded
        if ledger is not None and not ledger.complete and loaded is not None:
            return  # what is shown is under a veil until the scores are there
        self.orders = None
        if ledger is not None and loaded is not None and loaded.can.joint is not None:
            self.orders = orders_of(self._joint, len(loaded.vocabulary), ledger.encoded)
            places = places_of(ledger.encoded.part(0, len(self.orders.ids))) if self.orders is not None else ()
            self.rows.show_orders(self.orders, loaded.vocabulary, places, view.settings.unit)
        self._show_words()

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
        elif loaded is None:
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

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.rows.set_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        roomy = self.height() >= (240 if self.width() >= 640 else 340)
        self.formula.setVisible(roomy)
        self.line.setVisible(not roomy and self.height() >= 120)  # its tooltip has all of it
