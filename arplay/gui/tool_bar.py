"""The tool bar: where there is no room for all of it, words give way to icons and the model's name is cut."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QToolBar, QToolButton, QWidget

from arplay.core.signs import safe
from arplay.gui.widgets.caption import plain

BESIDE, ALONE = Qt.ToolButtonStyle.ToolButtonTextBesideIcon, Qt.ToolButtonStyle.ToolButtonIconOnly
MODEL = "The model whose beliefs you see. Choose another one at any time."


class ToolBar(QToolBar):
    """``model`` shows a name of any length; ``yielding`` are the buttons that an icon is enough for."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Model and theme", parent)
        self.setObjectName("toolbar")
        self.toggleViewAction().setVisible(False)  # hidden, nothing would bring it back
        self.setMovable(False)
        self.setIconSize(QSize(18, 18))
        self.setToolButtonStyle(BESIDE)
        self.yielding: list[QToolButton] = []
        self._name = ""
        self.model = QToolButton(self)
        self.model.setToolButtonStyle(BESIDE)
        self.addWidget(self.model)
        self.show_model("Choose a model")

    def show_model(self, name: str) -> None:
        name = safe(name)
        if name != self._name:
            self._name = name
            self.model.setToolTip(plain(f"{name}\n{MODEL}"))
            self.model.setAccessibleName(name)
            self.fit()

    def fit(self) -> None:
        """As many words as there is room for."""
        self.model.setText(self._name)
        for button in self.yielding:
            button.setToolButtonStyle(BESIDE)
        for button in self.yielding:
            if self._missing() <= 0:
                return
            button.setToolButtonStyle(ALONE)
        if (missing := self._missing()) > 0:
            metrics = self.model.fontMetrics()
            room = max(0, metrics.horizontalAdvance(self._name) - missing)
            self.model.setText(metrics.elidedText(self._name, Qt.TextElideMode.ElideMiddle, room))

    def _missing(self) -> int:
        layout = self.layout()
        return layout.sizeHint().width() - self.width() if layout is not None else 0

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.fit()
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "model"):
            self.fit()
