"""One of a few: buttons side by side, or a list that opens where there is no room for them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QLayout, QSizePolicy, QWidget

from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.push_button import segment

LEAST = 84
"""Pixels of the list."""


class Choice(QWidget):
    """``chosen``: the user chose another one, by its number."""

    chosen = Signal(int)

    def __init__(self, name: str, tip: str) -> None:
        super().__init__()
        self.group, self.box = QButtonGroup(self), QComboBox()
        self.box.setAccessibleName(name)
        self.box.setToolTip(plain(tip))
        self.box.activated.connect(self._choose)
        self.group.idClicked.connect(self._choose)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._row.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)  # the buttons go where there is no room
        self._row.addWidget(self.box)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def set_options(self, options: Sequence[tuple[str, str]], at: int = 0) -> None:
        """What there is to choose, as words and a tip; ``at`` is chosen, which is not told."""
        for button in self.group.buttons():
            self.group.removeButton(button)
            button.setParent(None)
            button.deleteLater()
        self.box.clear()
        for place, (words, tip) in enumerate(options):
            self.box.addItem(words)
            self.box.setItemData(place, plain(tip), Qt.ItemDataRole.ToolTipRole)
            button = segment(words, tip, None, place=place, of=len(options), name=words)
            self.group.addButton(button, place)
            self._row.addWidget(button)
        self.show_at(at)
        self._fit()
        self.updateGeometry()

    @property
    def at(self) -> int:
        """The number of the one that is chosen."""
        return self.group.checkedId()

    def _choose(self, at: int) -> None:
        self.show_at(at)
        self.chosen.emit(at)

    def show_at(self, at: int) -> None:
        """It is chosen, which is not told."""
        if (button := self.group.button(at)) is not None:
            button.setChecked(True)
        self.box.setCurrentIndex(at)
        self._lead()

    def sizeHint(self) -> QSize:
        hints = [button.sizeHint() for button in self.group.buttons()]
        wide = sum(max(hint.width(), b.minimumWidth()) for hint, b in zip(hints, self.group.buttons(), strict=True))
        return QSize(max(LEAST, wide), max((hint.height() for hint in hints), default=28))

    def minimumSizeHint(self) -> QSize:
        return QSize(LEAST, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        roomy = self.width() >= self.sizeHint().width()
        self.box.setVisible(not roomy)
        for button in self.group.buttons():
            button.setVisible(roomy)
        self._lead()

    def _lead(self) -> None:
        """The keyboard goes to what is in sight."""
        chosen: QWidget | None = self.group.checkedButton()
        self.setFocusProxy(chosen if chosen is not None and self.box.isHidden() else self.box)
