"""Commands about the text as it is shown. They stand in the menus Edit and View, and their keys always act."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu

from arplay.gui.contract import Change, Seek, Settings, Zoom
from arplay.gui.host import Host
from arplay.gui.theme import TEXT

TOKENS = (("off", "&Off"), ("borders", "&Borders"), ("colours", "&Colours"))
MEASURES = (("surprisal", "By &surprisal"), ("rank", "By &rank"), ("entropy", "By &entropy"))


class TextMenu(QObject):
    """Actions that no menu owns: a menu that is filled anew must not take their keys away."""

    def __init__(self, window: Host) -> None:
        super().__init__(window)
        self._window = window
        self.edit: tuple[QAction, ...] = (
            self._action("&Find in the text…", self._find, "Ctrl+F"),
            self._action("Find &next", self._next, "F3"),
            self._action("Find &previous", self._former, "Shift+F3"),
            self._action("Next &surprise", self._more, "F8"),
            self._action("Previous s&urprise", self._less, "Shift+F8"),
            self._action("Go to to&ken…", self._token, "Ctrl+G"),
        )
        self._tokens = self._choice("tokens", TOKENS)
        self._measures = self._choice("colour_by", MEASURES)
        self.colours: tuple[QAction, ...] = (*self._tokens.actions(), self._line(), *self._measures.actions())
        self._link = self._action("Editor and heatmap scroll to&gether", self._on_link)
        self._link.setCheckable(True)
        self.view: tuple[QAction, ...] = (
            self._link,
            self._action("&Larger text", self._larger, "Ctrl++", "Ctrl+="),
            self._action("&Smaller text", self._smaller, "Ctrl+-"),
            self._action("&Usual size of text", self._usual, "Ctrl+0"),
        )

    def show_settings(self, settings: Settings) -> None:
        self._link.setChecked(settings.link_scrolling)
        for group, value in ((self._tokens, settings.tokens), (self._measures, settings.colour_by)):
            for action in group.actions():
                action.setChecked(action.data() == value)

    def fill(self, menu: QMenu) -> None:
        """The part of the menu View that is about the text."""
        menu.addMenu("Tokens of the te&xt").addActions(self.colours)
        menu.addActions(self.view)

    def _find(self) -> None:
        self._window.panels["editor"].open_seek("find")  # type: ignore[attr-defined]

    def _token(self) -> None:
        self._window.panels["editor"].open_seek("token")  # type: ignore[attr-defined]

    def _next(self) -> None:
        self._window.panels["editor"].seek_on(1)  # type: ignore[attr-defined]

    def _former(self) -> None:
        self._window.panels["editor"].seek_on(-1)  # type: ignore[attr-defined]

    def _more(self) -> None:
        self._surprise(1)

    def _less(self) -> None:
        self._surprise(-1)

    def _surprise(self, step: int) -> None:
        self._window.panels["editor"].open_seek("surprise")  # type: ignore[attr-defined]
        self._window.playground.handle(Seek("surprise", step))

    def _larger(self) -> None:
        self._window.handle(Zoom(1))

    def _smaller(self) -> None:
        self._window.handle(Zoom(-1))

    def _usual(self) -> None:
        self._change(text_size=TEXT)

    def _on_link(self) -> None:
        self._change(link_scrolling=self._link.isChecked())

    def _on_choice(self) -> None:
        action = self.sender()
        assert isinstance(action, QAction)
        self._change(**{action.property("field"): action.data()})

    def _change(self, **fields: object) -> None:
        settings = self._window.playground.view.settings
        self._window.handle(Change(replace(settings, **fields)))  # type: ignore[arg-type]

    def _choice(self, field: str, choices: Iterable[tuple[str, str]]) -> QActionGroup:
        group = QActionGroup(self)
        for value, words in choices:
            action = self._action(words, self._on_choice)
            action.setCheckable(True)
            action.setData(value)
            action.setProperty("field", field)
            group.addAction(action)
        return group

    def _line(self) -> QAction:
        line = QAction(self)
        line.setSeparator(True)
        return line

    def _action(self, words: str, slot: Callable[[], object], *keys: str) -> QAction:
        action = QAction(words, self)
        action.triggered.connect(slot)
        action.setShortcuts([QKeySequence(key) for key in keys])
        self._window.addAction(action)
        return action
