"""How texts are read, in a small window beside the text: presets, fields, and beforehand what it costs."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from arplay.core.chain import Totals
from arplay.core.errors import Problem
from arplay.core.format import how_many, number, part_percent, rough
from arplay.core.modalities.base import Encoded
from arplay.core.reading import PRESETS, FirstToken, Reading, offered, preset_of
from arplay.core.windows import Cost, windows_of
from arplay.engine.load import Loaded
from arplay.gui.intents import AddUp, StopAsking
from arplay.gui.pace import speed_of
from arplay.gui.theme import SPACE
from arplay.gui.view import View
from arplay.gui.widgets.caption import Label, plain
from arplay.gui.widgets.first_token import FirstTokenBox, rules
from arplay.gui.widgets.labels import capital, label
from arplay.gui.widgets.layouts import in_column, in_row
from arplay.gui.widgets.push_button import offer, push_button

MOST_CONTEXT = 1_000_000
"""That can be chosen where a model has no limit."""
WIDE = 640
AS_IT_IS = "The text is read so already"
NOT_MEASURED = "how long it takes is not measured yet"


class ReadingSettings(QDialog):
    """``chosen`` emits a Reading, ``asked`` what else is wanted of the playground. Nothing is read before *Apply*."""

    chosen = Signal(object)
    asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Reading a long text")
        self._view = View()
        self._reading = Reading()
        self._count: int | None = None  # of the text's tokens, as it was counted last
        self._known = True  # it is no estimate
        self._encoded: Encoded | None = None
        self._totals: dict[Reading, Totals] = {}  # of this text, by this model
        self.presets = QButtonGroup(self)
        self.context, self.stride = _count_box("Context"), _count_box("Stride")
        self.limit, self.usual = Label(role="caption"), Label(role="caption")
        self.first = FirstTokenBox(self)
        self.every = QCheckBox("Begin every window as the text begins", self)
        self.differs, self.cost = Label(role="caption", wrap=True), Label(wrap=True)
        self.both = [_Total(self), _Total(self)]
        self.apply = push_button("Apply", "Read the text so from now on", self._apply, role="primary")
        self.apply.setDefault(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE[3], SPACE[3], SPACE[3], SPACE[3])
        column.setSpacing(SPACE[2])
        intro = "A text longer than the context is read in windows, and every token is scored once."
        column.addWidget(Label(intro, self, role="caption", wrap=True))
        column.addLayout(self._presets())
        column.addLayout(self._fields())
        column.addWidget(self.differs)
        column.addWidget(self._costs())
        column.addStretch(1)
        foot = QHBoxLayout()
        foot.addStretch(1)
        self.shut = push_button("Close", slot=self.close)
        foot.addWidget(self.shut)
        foot.addWidget(self.apply)
        column.addLayout(foot)
        for box in (self.context, self.stride):
            box.valueChanged.connect(self._edited)
        self.first.activated.connect(self._edited)
        self.every.clicked.connect(self._edited)
        self.setMinimumWidth(WIDE)
        for part in (self.differs, *self.both):  # what comes and goes moves nothing
            policy = part.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            part.setSizePolicy(policy)
        self.differs.setMinimumHeight(3 * self.differs.fontMetrics().height())
        self.differs.setAlignment(Qt.AlignmentFlag.AlignTop)

    # ---- building

    def _presets(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE[3])
        grid.setVerticalSpacing(SPACE[0])
        for at, preset in enumerate(PRESETS):
            button = QRadioButton(preset.title, self)
            button.setToolTip(plain(preset.says))
            self.presets.addButton(button, at)
            grid.addWidget(button, at, 0)
            grid.addWidget(Label(preset.says, self, role="caption"), at, 1)
        other = QRadioButton("As below", self)
        self.presets.addButton(other, len(PRESETS))
        grid.addWidget(other, len(PRESETS), 0)
        grid.addWidget(Label("A context and a stride of your own.", self, role="caption"), len(PRESETS), 1)
        grid.setColumnStretch(1, 1)
        self.presets.idClicked.connect(self._preset)
        return grid

    def _fields(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE[1])
        grid.setVerticalSpacing(SPACE[0])
        self.context.setToolTip(plain("Tokens that are read before one at most"))
        self.stride.setToolTip(plain("How many tokens each window moves on: 1 gives every token all the context"))
        for at, (words, box, beside) in enumerate(
            (("&Context", self.context, self.limit), ("&Stride", self.stride, self.usual))
        ):
            name = Label(words, self)
            name.setBuddy(box)
            grid.addWidget(name, at, 0)
            grid.addWidget(box, at, 1)
            grid.addWidget(beside, at, 2)
        grid.addWidget(self.first, 2, 0, 1, 3, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(self.every, 3, 0, 1, 3)
        grid.setColumnStretch(2, 1)
        return grid

    def _costs(self) -> QFrame:
        card = QFrame(self)
        card.setProperty("role", "card")
        column = in_column(self.cost, on=card, margins=None, spacing=SPACE[0])
        for each in self.both:
            column.addWidget(each)
            each.asked.connect(self.asked)
        return card

    # ---- what is shown

    def show_view(self, view: View) -> None:
        before, self._view = self._view, view
        if self.presets.checkedButton() is None:
            self._fill(view.settings.reading)
        ledger = view.ledger
        if ledger is not None and not view.scores_are_old:
            if ledger.encoded is not self._encoded or view.info is not before.info:
                self._encoded, self._totals = ledger.encoded, {}
            self._count, self._known = ledger.expected, ledger.encoded.whole
            if ledger.complete:
                self._totals[view.settings.reading] = ledger.totals
        elif ledger is not None:
            self._count = None
        found = view.answer_to(AddUp).found
        if found is not None and found.info is view.info and self._encoded and self._encoded.is_of(found.document):
            self._totals[found.reading] = found.totals
        if view.loaded is not before.loaded or view.settings.reading != before.settings.reading:
            self._fill(view.settings.reading)
        else:
            self._tell()

    def open_at(self, view: View) -> None:
        """Show it, with the keyboard on the preset that is chosen."""
        self.show()
        self.show_view(view)
        self.raise_()
        self.activateWindow()
        self.presets.button(self._chosen()).setFocus()

    @property
    def reading(self) -> Reading:
        """As the fields say."""
        return self._reading

    @property
    def _rules(self) -> list[FirstToken]:
        return rules(self._view.loaded)

    @property
    def _most(self) -> int | None:
        """The model's own context."""
        return self._view.info.context if self._view.info is not None else None

    def _lead(self, reading: Reading) -> int:
        """How many tokens stand before the text."""
        return len(lead_ids(self._view.loaded, reading.first_token))

    def _fill(self, reading: Reading) -> None:
        """Show it in the fields, within what the model can."""
        self._reading = reading
        most = self._most
        with QSignalBlocker(self.context), QSignalBlocker(self.stride):
            self.context.setSpecialValueText("" if most else "no limit")
            self.context.setRange(1 if most else 0, most or MOST_CONTEXT)
            self.context.setValue(reading.context or most or 0)
            room = self._room(reading)
            self.stride.setEnabled(room > 0)
            self.stride.setRange(min(1, room), max(1, room))
            self.stride.setValue(reading.stride or self._half(reading))
        self.first.show_rule(reading.first_token, self._view.loaded)
        before = before_words(self._view.loaded, reading)
        self.every.setText(f"Begin every window as the text begins{f', with {before}' if before else ''}")
        self.every.setEnabled(bool(before))
        self.every.setChecked(reading.window_lead)
        self.limit.setText(f"of at most {most:,} tokens" if most else "tokens; this model reads a text of any length")
        self.usual.setText(f"tokens; half a window is {self._half(reading):,}" if room else "")
        for button in self.presets.buttons():
            button.setEnabled(self.presets.id(button) in (*range(len(offered(most))), len(PRESETS)))
        self.presets.button(self._chosen()).setChecked(True)
        self._tell()

    def _chosen(self) -> int:
        """The number of the preset that the fields are of."""
        preset = preset_of(self._reading, self._most, self._rules)
        return PRESETS.index(preset) if preset else len(PRESETS)

    def _room(self, reading: Reading) -> int:
        """The longest stride; 0 where there are no windows."""
        context = reading.context or self._most or 0
        return max(0, context - (self._lead(reading) if reading.window_lead else 0))

    def _half(self, reading: Reading) -> int:
        return max(1, self._room(reading) // 2)

    def _tell(self) -> None:
        """What the fields mean: what differs from a convention, what it costs, both totals."""
        preset = preset_of(self._reading, self._most, self._rules)
        self.differs.setText(preset.differs if preset else "")
        offer(self.apply, self._view.no_model or AS_IT_IS * (self._reading == self._view.settings.reading))
        if self._view.lacks_model is not None:
            self.cost.setText(self._view.no_model)
            for row in self.both:
                row.hide()
            return
        cost = self._cost_of(self._reading)
        if isinstance(cost, Problem):
            self.cost.setText(f"{capital(cost.cause)}; {cost.remedy}.")
        elif cost is None:
            self.cost.setText("What it costs is known once the text has been cut into tokens.")
        else:
            self.cost.setText(cost_words(cost, self._count or 0, speed_of(self._view), self._known))
        asked = self._view.answer_to(AddUp)
        shows = isinstance(cost, Cost) and cost.windows > 1 and self._lead(self._reading) > 0
        name = before_words(self._view.loaded, self._reading)
        for row, every in zip(self.both, (False, True), strict=True):
            reading = replace(self._reading, window_lead=every)
            where = f"{name} before every window" if every else f"{name} before the text only"
            its = self._cost_of(reading)
            price = _price(its, speed_of(self._view)) if isinstance(its, Cost) else "impossible with this stride"
            row.setVisible(shows)
            said, possible = f"not scored, {price}", isinstance(its, Cost)
            if self._view.scoring and reading == self._view.settings.reading:
                said, possible = "being scored", False
            row.show_total(where, self._totals.get(reading), said, reading, possible)
            row.show_share(asked.share)

    def _cost_of(self, reading: Reading) -> Cost | Problem | None:
        if self._count is None:
            return None
        lead = self._lead(reading)
        length = self._count + lead
        try:
            return windows_of(self._most, length, reading, lead).cost(length)
        except Problem as problem:
            return problem

    # ---- what the user does

    def _preset(self, at: int) -> None:
        if at < len(PRESETS):
            self._fill(PRESETS[at].made(self._reading, self._most or 0, self._rules))
        else:
            self.context.setFocus()

    def _edited(self) -> None:
        """Half a window stays half a window where the context changes."""
        before, most = self._reading, self._most
        context = self.context.value()
        own = None if context in (0, most) else context
        new = replace(before, context=own, first_token=self.first.rule, window_lead=self.every.isChecked())
        stride = self.stride.value()
        if self.sender() is not self.stride and before.stride is None:
            new = replace(new, stride=None)
        else:
            stride = min(stride, max(1, self._room(new)))
            new = replace(new, stride=None if stride == self._half(new) else stride)
        self._fill(new)

    def _apply(self) -> None:
        self.shut.setFocus()  # there is nothing to apply now, and Qt would go to a field that a key changes
        self.chosen.emit(self._reading)


class _Total(QWidget):
    """The total by one reading, or what it would cost to know it."""

    asked = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.words = Label(wrap=True)
        self.button = push_button("Score it", slot=self._ask, role="chip")
        self._reading = Reading()
        self._runs = False
        in_row((self.words, 1), self.button, on=self)

    def show_total(self, where: str, totals: Totals | None, said: str, reading: Reading, possible: bool) -> None:
        """``said``: what there is to say where the total is not known; ``possible``: whether it can be asked for."""
        self._reading, self._where = reading, where
        self.button.setVisible(totals is None and possible)
        if totals is None:
            self.words.setText(f"{capital(where)}: {said}")
        else:
            perplexity = "" if totals.perplexity is None else f", perplexity {number(totals.perplexity, 2)}"
            self.words.setText(f"{capital(where)}: NLL {number(totals.nll_nats, 2)} nats{perplexity}")

    def show_share(self, share: float | None) -> None:
        self._runs = share is not None
        self.button.setText("Score it" if share is None else f"Stop ({part_percent(share)})")
        self.button.setAccessibleName(f"{self.button.text()}: {self._where}")

    def _ask(self) -> None:
        self.asked.emit(StopAsking(AddUp) if self._runs else AddUp(self._reading))


def lead_ids(loaded: Loaded | None, rule: FirstToken) -> tuple[int, ...]:
    """What stands before a text by this rule."""
    if loaded is None:
        return ()
    own = {"auto": loaded.lead, "bos": (loaded.bos,), "eos": (loaded.eos,)}.get(rule, ())
    return tuple(id for id in own if id is not None)


def before_words(loaded: Loaded | None, reading: Reading) -> str:
    """The same as its tokens are written; "" where nothing stands there."""
    if loaded is None:
        return ""
    return " ".join(label(loaded.vocabulary.label(id)) for id in lead_ids(loaded, reading.first_token))


def cost_words(cost: Cost, tokens: int, speed: float | None, is_known: bool = True) -> str:
    """What a reading of ``tokens`` costs; ``is_known``: they are counted, and no estimate.

    >>> cost_words(Cost(12, 6144), 3300, 2048.0)
    '12 windows, each a forward: 6,144 tokens read to score 3,300, about 3 s at the 2,048 tokens/s measured here'
    >>> cost_words(Cost(1, 80), 80, None)
    'One window, a forward: 80 tokens read to score 80; how long it takes is not measured yet'
    """
    windows = f"{capital(how_many(cost.windows, is_known))} windows, each a forward"
    windows = "One window, a forward" if cost.windows == 1 else windows
    words = f"{windows}: {how_many(cost.read, is_known)} tokens read to score {how_many(tokens, is_known)}"
    if speed is None:
        return f"{words}; {NOT_MEASURED}"
    return f"{words}, about {rough(max(1.0, cost.read / speed))} at the {speed:,.0f} tokens/s measured here"


def _price(cost: Cost, speed: float | None) -> str:
    return f"{cost.read:,} tokens to read" if speed is None else f"takes about {rough(max(1.0, cost.read / speed))}"


def _count_box(name: str) -> QSpinBox:
    box = QSpinBox(minimum=1, maximum=1)
    box.setGroupSeparatorShown(True)
    box.setKeyboardTracking(True)
    box.setAccessibleName(name)
    box.setMinimumWidth(110)
    box.lineEdit().setTextMargins(SPACE[1], 0, SPACE[0], 0)
    return box
