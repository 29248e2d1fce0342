"""What continuations are asked by: how many, how long, by which rules. Each field stands where its way has it."""

from __future__ import annotations

import math
from typing import get_args

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QDoubleSpinBox, QHBoxLayout, QSpinBox, QWidget

from arplay.core.beams import MOST_BEAMS, Rules, Stop
from arplay.engine.load import Loaded
from arplay.engine.rollouts import MOST_ROLLOUTS
from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import Label, plain
from arplay.gui.widgets.lengths import Lengths

MOST_TOKENS = 1 << 14
TOKENS, TO_THE_END = 32, "to the end"
WHOLE = 1000
"""Chains of a small table that are looked at with as many tokens as are proposed."""
_STOPS: dict[Stop, tuple[str, str]] = {
    "soon": ("soon", "when the best running beam, as long as it is, is worse than the worst finished one"),
    "full": ("full", "as soon as there are as many finished chains as beams"),
    "never": ("never", "only when no running beam could still become better, however long"),
}


class Named(QWidget):
    """A control with its name before it; ``ways``: of those that have it."""

    def __init__(self, words: str, box: QWidget, ways: str, tip: str) -> None:
        super().__init__()
        self.ways = ways.split()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE[0])
        name = Label(words, role="caption")
        name.setBuddy(box)
        box.setAccessibleName(words)
        if isinstance(box, QAbstractSpinBox):
            box.lineEdit().setTextMargins(SPACE[1], 0, SPACE[0], 0)
        for part in (name, box):
            part.setToolTip(plain(tip))
            row.addWidget(part)


class Fields:
    def __init__(self) -> None:
        self.count = _whole(8, MOST_ROLLOUTS)
        self.beams = _whole(4, MOST_BEAMS)
        self.tokens = _whole(TOKENS, MOST_TOKENS)
        self.deep = _whole(4, 64)
        self.budget = _whole(100, 10_000)
        self.penalty = QDoubleSpinBox(minimum=-10, maximum=10, singleStep=0.1, value=1.0, decimals=2)
        self.groups = _whole(1, MOST_BEAMS)
        self.diversity = QDoubleSpinBox(minimum=0, maximum=100, singleStep=0.1, value=0.5, decimals=2)
        self.stop = QComboBox()
        for at, key in enumerate(get_args(Stop)):
            self.stop.addItem(_STOPS[key][0], key)
            self.stop.setItemData(at, _STOPS[key][1], Qt.ItemDataRole.ToolTipRole)
        score = "A finished chain of n tokens scores log p / n^penalty: above 0 favours long ones"
        paid = "Nats that a token costs for each former group that took it at this step"
        self.all = (
            Named("rollouts", self.count, "rollouts", "How many continuations are drawn"),
            Named("beams", self.beams, "beams", "How many chains go on after each token"),
            Named("tokens", self.tokens, "rollouts beams", "Tokens of each at most"),
            Named("tokens deep", self.deep, "map", "Tokens of a chain at most"),
            Named("expansions", self.budget, "map", "How many places are looked at: a table is always looked at whole"),
            Named("length penalty", self.penalty, "beams", score),
            Named("stop", self.stop, "beams", "When the search ends"),
            Named("groups", self.groups, "beams", "Groups of beams that search one after the other"),
            Named("diversity", self.diversity, "beams", paid),
        )
        self.lengths = Lengths("Tokens of each at most.")
        self.lengths.chosen.connect(self.tokens.setValue)
        self._usual = TOKENS

    def show_way(self, way: str) -> None:
        """Those that ``way`` has; none of ""."""
        for field in self.all:
            field.setVisible(way in field.ways)
        self.all[-1].setVisible(way == "beams" and self.groups.value() > 1)
        self.lengths.setVisible(way == "rollouts" and bool(self.lengths.buttons))

    def suggest_tokens(self, loaded: Loaded) -> None:
        """To the end of what has one, a usual length, or as many as a small table can be looked at whole with, where
        the user chose no other number."""
        lengths = loaded.vocabulary.lengths
        self.lengths.show_tokens(loaded.vocabulary)
        usual, ends = self.tokens.value() == self._usual, loaded.vocabulary.length is not None
        self.tokens.setMinimum(0 if ends else 1)
        self.tokens.setSpecialValueText(TO_THE_END if ends else "")
        if usual:
            most = int(math.log(WHOLE, max(2, len(loaded.vocabulary))))
            self._usual = (
                0 if ends else lengths[0][1] if lengths else most if most > 2 and not loaded.can.batch else TOKENS
            )
            self.tokens.setValue(self._usual)

    def most_tokens(self, loaded: Loaded | None) -> int:
        """Of a continuation."""
        return self.tokens.value() or (loaded.vocabulary.length if loaded is not None else None) or TOKENS

    def rules(self, loaded: Loaded | None, stop_at_eos: bool) -> Rules:
        """Of a beam search. Raises Problem where they do not go together."""
        eos = (loaded.eos,) if loaded is not None and loaded.eos is not None and stop_at_eos else ()
        groups = self.groups.value()
        return Rules(
            self.beams.value(), self.most_tokens(loaded), eos, self.penalty.value(), self.stop.currentData(), groups,
            self.diversity.value() if groups > 1 else 0.0,
        )  # fmt: skip


def _whole(value: int, most: int) -> QSpinBox:
    box = QSpinBox(minimum=1, maximum=most, value=value)
    box.setGroupSeparatorShown(True)
    box.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType if most > MOST_BEAMS else box.stepType())
    return box
