"""The tool bar: the model, how it reads texts, what is being worked at, and what is wanted often."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from arplay.core.signs import safe
from arplay.engine.load import Loaded
from arplay.gui.host import Host
from arplay.gui.theme import Theme, icon
from arplay.gui.view import View
from arplay.gui.widgets.caption import Label, plain
from arplay.gui.widgets.first_token import FirstTokenBox
from arplay.gui.widgets.menu_button import give_menu

BESIDE, ALONE = Qt.ToolButtonStyle.ToolButtonTextBesideIcon, Qt.ToolButtonStyle.ToolButtonIconOnly
MODEL = "The model whose beliefs you see. Choose another one at any time."
BEFORE = "What stands before the text, so that its first token can have a probability"
SPECIAL = (
    "On: where you type the name of a special token, such as {name}, it is that one token.\n"
    "Off: it is read letter by letter, like any other text."
)


class ToolBar(QToolBar):
    """Where there is no room for all of it, words give way to icons (of the buttons that are ``yielding``), and the
    model's name is cut."""

    def __init__(self, window: Host, models: QMenu, open: QAction, undo: QAction, redo: QAction) -> None:
        super().__init__("Model and theme", window)
        self._window = window
        self._read_by: tuple[Loaded | None, str] | None = None
        self.setObjectName("toolbar")
        self.toggleViewAction().setVisible(False)  # hidden, nothing would bring it back
        self.setMovable(False)
        self.setIconSize(QSize(18, 18))
        self.setToolButtonStyle(BESIDE)
        self._name = ""
        self.model = QToolButton(self)
        self.model.setToolButtonStyle(BESIDE)
        give_menu(self.model, models)
        self.first_token = FirstTokenBox(self)
        self.first_token.activated.connect(self._on_first_token)
        self.special = QToolButton(self)
        self.special.setText("Special tokens")
        self.special.setCheckable(True)
        self.special.setToolButtonStyle(BESIDE)
        self.special.setAccessibleName("Special tokens typed as text count as tokens")
        self.special.clicked.connect(self._on_special)
        for part in (self.model, self.first_token, self.special):
            self.addWidget(part)
        self.yielding = [self._button(open), self.special]
        space = QWidget(self)
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(space)
        self.busy = Label(parent=self, role="caption")
        self.addWidget(self.busy)
        for action in (undo, redo):
            self._button(action).setToolButtonStyle(ALONE)
        words = "Switch between light and dark"
        self.switch = self._tool(words, words, self._switch_theme)
        self._tour = self._tool("A short tour of the window", "Tour", window.start_tour)
        self.show_model("Choose a model")

    def _button(self, action: QAction) -> QToolButton:
        self.addAction(action)
        button = self.widgetForAction(action)
        assert isinstance(button, QToolButton)
        return button

    def _tool(self, tip: str, name: str, slot: Callable[[], object]) -> QToolButton:
        button = QToolButton(self)
        button.setToolTip(tip)
        button.setAccessibleName(name)
        button.clicked.connect(slot)
        self.addWidget(button)
        return button

    # ---- what is shown

    def set_theme(self, theme: Theme) -> None:
        other = "sun" if theme.name == "dark" else "moon"
        for button, name in (
            (self.model, "cube"), (self.special, "brackets-angle"), (self.switch, other), (self._tour, "question"),
        ):  # fmt: skip
            button.setIcon(icon(name, theme))

    def show_view(self, view: View) -> None:
        if view.loaded is not None:
            self.show_model(view.loaded.info.name)
        if (view.busy or "") != self.busy.text():
            self.busy.setText(view.busy or "")
            self.fit()
        self.first_token.show_rule(view.settings.reading.first_token, view.loaded)
        self.special.setChecked(view.settings.reading.special)
        if (read_by := (view.loaded, view.no_model)) == self._read_by:
            return
        self._read_by, loaded = read_by, view.loaded
        as_scored = view.no_model if view.run is not None else ""  # else it is for the first model
        self.first_token.setEnabled(not as_scored)
        self.first_token.setToolTip(plain(as_scored or BEFORE))
        special = [loaded.vocabulary.label(id) for id in sorted(loaded.vocabulary.special)[:1]] if loaded else []
        why_not = view.no_model or ("" if special else "This model has no special tokens")
        self.special.setEnabled(not why_not)
        self.special.setToolTip(plain(why_not or SPECIAL.format(name=special[0])))

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
        if event.type() == QEvent.Type.StyleChange and hasattr(self, "busy"):
            self.fit()

    # ---- what the user does

    def _on_first_token(self) -> None:
        self._window.read(first_token=self.first_token.rule)

    def _on_special(self, on: bool) -> None:
        self._window.read(special=on)

    def _switch_theme(self) -> None:
        self._window.set_theme("light" if self._window.theme.name == "dark" else "dark")
