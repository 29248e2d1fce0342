"""A rule of Play in one row: what is looked at, from where on, and what is done then."""

from __future__ import annotations

from typing import get_args

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QWidget

from arplay.core.errors import Problem
from arplay.core.watch import MOST_CHARACTERS, Rule, Then, Watch, What
from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.scrolling import into_sight

NEVER = "No rule for Play"
WHATS: dict[What, tuple[str, str, str]] = {
    "p": ("p of the token below", "0.01", "The model's own probability of the token that was drawn, from 0 to 1"),
    "rank": ("Rank above", "100", "How many tokens are at least as probable to the model as the one that was drawn"),
    "entropy": ("Entropy above, nats", "4", "How undecided the model is where the token was drawn"),
    "text": ("Text", "the end", "Where this text comes in what Play writes"),
}
THENS: dict[Then, tuple[str, str]] = {
    "stop": ("Stop", "Play ends behind the token"),
    "pause": ("Pause", "Play waits behind the token, and goes on with the tokens that were left"),
    "branch": ("Branch", "Play ends before the token, which stays in the history as a branch"),
}


class RuleRow(QWidget):
    """``changed`` tells the rules: this one, or none, in place of the first; the others stay. ``told``: a problem."""

    changed = Signal(object)
    told = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rules: Watch = ()
        self._chosen = False
        self.what, self.at, self.then = QComboBox(self), QLineEdit(self), QComboBox(self)
        self.what.addItem(NEVER, None)
        for what, (words, _, tip) in WHATS.items():
            self.what.addItem(words, what)
            self.what.setItemData(self.what.count() - 1, plain(tip), Qt.ItemDataRole.ToolTipRole)
        for then, (words, tip) in THENS.items():
            self.then.addItem(words, then)
            self.then.setItemData(self.then.count() - 1, plain(tip), Qt.ItemDataRole.ToolTipRole)
        self.at.setMaxLength(MOST_CHARACTERS)
        self.what.setAccessibleName("Where Play ends by a rule")
        self.at.setAccessibleName("From where on the rule is met")
        self.then.setAccessibleName("What Play does then")
        self.at.setToolTip("A number, or the text, at which the rule is met")
        self.then.setToolTip("What Play does where the rule is met")
        for box in (self.what, self.then):
            box.setMinimumContentsLength(4)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(SPACE[0])
        grid.addWidget(self.what, 0, 0, 1, 2)
        grid.addWidget(self.at, 1, 0)
        grid.addWidget(self.then, 1, 1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        self.what.activated.connect(self._on_what)
        self.then.activated.connect(self._tell)
        self.at.editingFinished.connect(self._tell)
        self.show_rules(())

    @property
    def stops(self) -> list[QWidget]:
        """What the Tab key goes through."""
        return [self.what, self.at, self.then]

    def show_rules(self, rules: Watch) -> None:
        """The first of them."""
        former, self._rules = self._rules, rules
        rule = rules[0] if rules else None
        self.what.setCurrentIndex(0 if rule is None else self.what.findData(rule.what))
        self.what.setToolTip(plain("Play can end by a rule" if rule is None else WHATS[rule.what][2]))
        for widget in (self.at, self.then):
            widget.setVisible(rule is not None)
        if rule is not None:
            self.then.setCurrentIndex(self.then.findData(rule.then))
            self.then.setToolTip(plain(THENS[rule.then][1]))
            if not self.at.hasFocus() or former != rules:
                self._show_at()
            if self._chosen:
                into_sight(self)
        self._chosen = False

    def _show_at(self) -> None:
        if self._rules:
            rule = self._rules[0]
            self.at.setText(rule.text if rule.what == "text" else f"{rule.at:g}")

    def _on_what(self) -> None:
        what = self.what.currentData()
        self.at.setText(WHATS[what][1] if what is not None else "")
        self._chosen = True
        self._tell()

    def _tell(self) -> None:
        what, then = self.what.currentData(), self.then.currentData()
        rest = self._rules[1:]
        if what is None:
            rules = rest
        else:
            assert what in get_args(What)
            try:
                text = self.at.text()
                rules = (
                    Rule(what, text=text, then=then) if what == "text" else Rule(what, float(text), then=then),
                    *rest,
                )
            except (Problem, ValueError) as error:  # what was there stays
                no_number = Problem(f"“{self.at.text()}” is no number", "write one such as 0.01")
                problem = error if isinstance(error, Problem) else no_number
                self.told.emit(problem.cause, problem.remedy)
                self._show_at()
                return
        if rules != self._rules:
            self.changed.emit(rules)
