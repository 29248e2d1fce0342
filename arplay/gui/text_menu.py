"""Commands about the text as it is shown. They stand in the menus Edit and View, and their keys always act."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu

from arplay.core.measures import MEASURES
from arplay.gui.host import Host
from arplay.gui.intents import Seek, Zoom
from arplay.gui.settings import Settings
from arplay.gui.theme import TEXT

WRAPS = (("words", "As &words have room"), ("lines", "&Lines of the text"), ("sentences", "A row a &sentence"))
TOKENS = (("off", "&Off"), ("borders", "&Borders"), ("colours", "&Colours"))


class TextMenu(QObject):
    """Actions that no menu owns: a menu that is filled anew must not take their keys away."""

    def __init__(self, window: Host) -> None:
        super().__init__(window)
        self._window = window
        self.edit: tuple[QAction, ...] = (
            self._action("&Find in the text…", partial(self._seek, "find"), "Ctrl+F"),
            self._action("Find &next", partial(self._seek_on, 1), "F3"),
            self._action("Find &previous", partial(self._seek_on, -1), "Shift+F3"),
            self._action("Next &surprise", partial(self._surprise, 1), "F8"),
            self._action("Pr&evious surprise", partial(self._surprise, -1), "Shift+F8"),
            self._action("Go to to&ken…", partial(self._seek, "token"), "Ctrl+G"),
        )
        self._tokens = self._choice("tokens", TOKENS)
        self._measures = self._choice("colour_by", _measures())
        self.colours: tuple[QAction, ...] = (*self._tokens.actions(), self._line(), *self._measures.actions())
        self._wraps = self._choice("wrap", WRAPS)
        self._link = self._action("Editor and heatmap s&croll together", self._on_link)
        self._link.setCheckable(True)
        self._ghost = self._action("Gh&ost text: how the model would go on behind the end", self._on_ghost)
        self._ghost.setCheckable(True)
        self.view: tuple[QAction, ...] = (
            self._ghost,
            self._link,
            self._action("&Larger text", partial(self._zoom, 1), "Ctrl++", "Ctrl+="),
            self._action("&Smaller text", partial(self._zoom, -1), "Ctrl+-"),
            self._action("&Usual size of text", self._usual, "Ctrl+0"),
        )

    def show_settings(self, settings: Settings) -> None:
        self._link.setChecked(settings.link_scrolling)
        self._ghost.setChecked(settings.ghost)
        for group, value in (
            (self._tokens, settings.tokens),
            (self._measures, settings.colour_by),
            (self._wraps, settings.wrap),
        ):
            for action in group.actions():
                action.setChecked(action.data() == value)

    def fill(self, menu: QMenu) -> None:
        """The part of the menu View that is about the text."""
        menu.addMenu("Tokens of the te&xt").addActions(self.colours)
        menu.addMenu("Ro&ws of the heatmap").addActions(self._wraps.actions())
        menu.addActions(self.view)

    def on_arranged(self) -> None:
        """Where the text is back, its own row is the one."""
        seek = self._window.panels["heatmap"].seek  # type: ignore[attr-defined]
        if self._window.panels["editor"].isVisible() and not seek.isHidden():
            seek.close_bar()

    def _seek(self, what: str, *_: object) -> None:
        """The row for it: above the text, or above the heatmap that has the whole window; else the text comes back."""
        editor, heatmap = self._window.panels["editor"], self._window.panels["heatmap"]
        instead = heatmap.isVisible() and not editor.isVisible()
        if not instead and not editor.isVisible():
            self._window.focus_editor()
        (heatmap if instead else editor).open_seek(what)  # type: ignore[attr-defined]

    def _seek_on(self, step: int, *_: object) -> None:
        """To the next or former place of what is searched for; where nothing is, the row for it opens."""
        if self._window.playground.view.found is not None:
            self._window.handle(Seek("found", step))
        else:
            self._seek("find")

    def _surprise(self, step: int, *_: object) -> None:
        if self._window.panels["editor"].isVisible():
            self._seek("surprise")
        self._window.playground.handle(Seek("surprise", step))

    def _zoom(self, steps: int, *_: object) -> None:
        self._window.handle(Zoom(steps))

    def _usual(self) -> None:
        self._window.change(text_size=TEXT)

    def _on_link(self) -> None:
        self._window.change(link_scrolling=self._link.isChecked())

    def _on_ghost(self) -> None:
        self._window.change(ghost=self._ghost.isChecked())

    def _on_choice(self) -> None:
        action = self.sender()
        assert isinstance(action, QAction)
        self._window.change(**{action.property("field"): action.data()})

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


def _measures() -> Iterator[tuple[str, str]]:
    """Names and words of the measures, each with a letter that no entry before it has."""
    taken = {words[words.index("&") + 1].lower() for _, words in TOKENS}
    for each in MEASURES:
        words = each.title[0].lower() + each.title[1:]
        at = next((i for i, letter in enumerate(words.lower()) if letter.isalpha() and letter not in taken), None)
        if at is not None:
            taken.add(words[at].lower())
            words = f"{words[:at]}&{words[at:]}"
        yield each.name, f"By {words}"
