"""What the panels have in common that say why there is nothing to show yet."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QStackedLayout, QWidget

from arplay.gui.contract import Panel
from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import Label


class FilledPanel(Panel):
    """``body`` is in sight where there is something to show, ``empty`` else."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.empty = QWidget(), Label(role="caption", wrap=True)
        self.empty.setMargin(SPACE[2])
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.pages = QStackedLayout(self)
        self.pages.addWidget(self.empty)
        self.pages.addWidget(self.body)
