"""What stands before a text, so that its first token can have a probability: a box to choose the rule by."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QWidget

from arplay.core.reading import FirstToken
from arplay.engine.load import Loaded

RULES: tuple[tuple[FirstToken, str, str], ...] = (
    (
        "auto",
        "First token: automatic",
        "What the tokenizer itself puts before a text; if nothing, the model's own p(x₁)",
    ),
    ("bos", "First token after BOS", "Put the model's beginning-of-text token before the text"),
    ("eos", "First token after EOS", "Put the model's end-of-text token before the text"),
    ("unscored", "First token unscored", "Put nothing before the text; the first token then has no probability"),
)


def rules(loaded: Loaded | None) -> list[FirstToken]:
    """The rules that a model can follow: it may have no BOS, or no EOS."""
    lacks = {"bos": loaded is None or loaded.bos is None, "eos": loaded is None or loaded.eos is None}
    return [rule for rule, _, _ in RULES if not lacks.get(rule)]


class FirstTokenBox(QComboBox):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName("How the first token is treated")
        for i, (rule, words, tip) in enumerate(RULES):
            self.addItem(words, rule)
            self.setItemData(i, tip, Qt.ItemDataRole.ToolTipRole)

    @property
    def rule(self) -> FirstToken:
        rule: FirstToken = self.currentData()
        return rule

    def show_rule(self, rule: FirstToken, loaded: Loaded | None) -> None:
        """Only what this model can follow may be chosen."""
        self.setCurrentIndex(self.findData(rule))
        items, can = self.model(), rules(loaded)
        assert isinstance(items, QStandardItemModel)
        for i, (each, _, _) in enumerate(RULES):
            items.item(i).setEnabled(each in can)
