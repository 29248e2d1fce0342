"""The menu bar and the tool bar: every command with its key, enabled only where it makes sense."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Qt, QUrl
from PySide6.QtGui import QAction, QActionGroup, QDesktopServices, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu, QToolButton

from arplay import paths
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, TokenSet
from arplay.gui import exports, files, help, kinds, panels
from arplay.gui.arrangement import Arrangement
from arplay.gui.contract import Panel
from arplay.gui.earlier_menu import EarlierMenu
from arplay.gui.host import Host
from arplay.gui.intents import Do, PeekRewind
from arplay.gui.model_menu import ModelMenu
from arplay.gui.pages import Pages, pages
from arplay.gui.reading_settings import ReadingSettings
from arplay.gui.text_menu import TextMenu
from arplay.gui.theme import Theme, icon
from arplay.gui.tool_bar import ToolBar
from arplay.gui.view import View
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.entries import Entries, Entry

EVERY = (
    "A text longer than the context is scored in windows. On: each of them begins as the text does (with BOS, say); "
    "off: the later ones begin in the middle of it."
)


class Menus(QObject):
    """Actions of the window. Built before the panels, filled in when they exist."""

    def __init__(self, window: Host) -> None:
        super().__init__(window)
        self._window = window
        self.pages: Pages | None = None
        self.reading: ReadingSettings | None = None
        self._export_menus: dict[str, QMenu] = {}
        self._settings: list[tuple[QAction, str, object]] = []
        self._icons: list[tuple[QAction | QToolButton, str]] = []
        self.text = TextMenu(window)
        bar = window.menuBar()
        self._ask_model: list[QAction] = []
        """What asks a model anew, and can do nothing where none is."""
        self._build_file(self._menu("&File"))
        self._build_edit(self._menu("&Edit"))
        self.models = ModelMenu(window.store, window)
        bar.addMenu(self.models)
        self.models.chosen.connect(window.choose_model)
        self.models.browse.connect(window.browse_models)
        self._build_step(self._menu("&Step"))
        self._view_menu = self._menu("&View")
        self._build_help(self._menu("&Help"))
        self.bar = ToolBar(window, self.models, self.open, self.undo, self.redo)
        window.addToolBar(self.bar)

    # ---- menus

    def _menu(self, words: str) -> QMenu:
        menu = self._window.menuBar().addMenu(words)
        menu.setToolTipsVisible(True)
        return menu

    def _build_file(self, menu: QMenu) -> None:
        self.open = self._action(
            menu, "&Open text, session or scores…", self._open, QKeySequence.StandardKey.Open, "folder-open"
        )
        self.open.setIconText("Open")
        self.open_set = menu.addAction("Open a set of &texts…")
        self.open_set.setToolTip("Several files, scored one after the other, each with what it costs")
        paste = self._action(menu, "Open the text of the cli&pboard", self._open_clipboard)
        paste.setToolTip("In place of the text here, which undo brings back; a very long one is scored as a whole")
        recent = menu.addMenu("Open &recent")
        recent.setToolTipsVisible(True)
        recent.aboutToShow.connect(self._fill_recent)
        self._no_recent = recent.addAction("No text was opened yet")
        self._no_recent.setEnabled(False)
        self._recent = Entries(recent)
        self._recent.chosen.connect(self._on_recent)
        self.earlier = EarlierMenu(self._window)
        menu.addMenu(self.earlier)
        self._action(menu, "&New text", self._new, QKeySequence.StandardKey.New)
        begin = self._action(menu, "New c&hat…", self._new_chat)
        begin.setToolTip(plain("System, user and the reply so far, with the special tokens that this model was taught"))
        self.save = self._action(menu, "&Save text as…", self._save, QKeySequence.StandardKey.Save)
        session = self._action(menu, "Save sess&ion as…", self._save_session, QKeySequence("Ctrl+Shift+S"))
        session.setToolTip("Text, ids, all branches, seeds and settings in one file, which Open takes again")
        self.save_scores = self._action(menu, "Sa&ve scores as…", self._save_scores)
        self.save_scores.setToolTip("Every token with its log p and best alternatives; Open takes it without the model")
        menu.addSeparator()
        self._export = menu.addMenu("&Export")
        self.export_report = self._export.addAction("&Report of the scores (HTML)…")
        self.export_report.setToolTip("One page that needs nothing else: figures, plots, the coloured text")
        self.export_lines = self._export.addAction("Scores as &JSON lines…")
        self._export.addSeparator()
        for entry in panels.PANELS:
            made = exports.of_entry(entry, self._window).menu(self._window, charted=entry.chart is not None)
            self._export_menus[entry.name] = made
            self._export.addMenu(made)
        self._action(menu, "Export the &chart…", self._export_chart, QKeySequence("Ctrl+E"))
        menu.addSeparator()
        self._action(menu, "&Quit", self._window.close, QKeySequence("Ctrl+Q"))

    def _build_edit(self, menu: QMenu) -> None:
        stack = self._window.playground.undo_stack
        self.undo = stack.createUndoAction(self, "&Undo")
        self.undo.setShortcut(QKeySequence.StandardKey.Undo)
        self.redo = stack.createRedoAction(self, "&Redo")
        self.redo.setShortcuts([QKeySequence("Ctrl+Shift+Z"), QKeySequence("Ctrl+Y")])
        for action, name in ((self.undo, "arrow-counter-clockwise"), (self.redo, "arrow-clockwise")):
            menu.addAction(action)
            self._icons.append((action, name))
        menu.addSeparator()
        menu.addActions(self.text.edit)
        menu.addSeparator()
        self._action(menu, "Re-&tokenise the text", self._doing("retokenise"))
        self._put_aside = self._action(menu, "Bring back the text that f&ollowed", self._doing("put_aside"))
        self._put_aside.setShortcut(QKeySequence("Ctrl+Shift+B"))

    def _build_step(self, menu: QMenu) -> None:
        step = self._action(menu, "&Step: sample a token", self._doing("step"), QKeySequence("Ctrl+Space"))
        self._rewind = self._action(menu, "Re&wind", self._doing("rewind"), QKeySequence("Alt+Left"))
        menu.hovered.connect(lambda action: self._peek(action is self._rewind))
        menu.aboutToHide.connect(lambda: self._peek(False))
        branch = self._action(menu, "&Branch: another token for the last pick", self._doing("branch"))
        branch.setShortcut(QKeySequence("Ctrl+B"))
        self._play = self._action(menu, "&Play", self._toggle_play, QKeySequence("Ctrl+P"))
        self._action(menu, "Re-&roll with the next seed", self._doing("reroll"), QKeySequence("Ctrl+R"))
        menu.addSeparator()
        self.slide = self._setting(menu, "Slide on when the context is &full", "at_limit", "slide", "stop")
        self.slide.setIconText("Slide on")
        self.slide.setToolTip(
            plain(
                "When the text is longer than the model can read at once, writing goes on and the model reads the "
                "newest half of the text again. Otherwise it stops there. The status bar says where the context begins."
            )
        )
        self.every_window = self._toggle(menu, "Begin e&very window as the text begins", self._on_every)
        self._read_long = self._action(menu, "Rea&ding a long text…", self.open_reading)
        check = self._action(menu, "&Check against an uncached pass", self._doing("reconcile"))
        self._ask_model += [step, branch, self._play, check]
        menu.aboutToShow.connect(self._offer_steps)
        menu.aboutToHide.connect(self._offer)  # the keys tell why nothing happens

    def _offer_steps(self) -> None:
        view = self._window.playground.view
        self._offer(view.no_model, view.no_way_back)

    def _offer(self, no_model: str = "", no_way_back: str = "") -> None:
        for action in (*self._ask_model, self._rewind):
            why_not = no_way_back if action is self._rewind else no_model
            action.setEnabled(not why_not)
            action.setToolTip(plain(why_not))

    def _build_help(self, menu: QMenu) -> None:
        self._action(menu, "&Tour", self._window.start_tour)
        self._action(menu, "&Keyboard", self._keyboard, QKeySequence.StandardKey.HelpContents)
        menu.addSeparator()
        for title, file in pages():
            self._action(menu, title, partial(self._read, file))
        menu.addSeparator()
        self._action(menu, "Open the &models folder", self._open_models_folder)
        self._action(menu, "&About arplay", self._about)

    def build_view(self, arrangement: Arrangement) -> None:
        """What is on the screen; the panels are there by now."""
        menu, window = self._view_menu, self._window
        for dock in window.docks.values():
            menu.addAction(dock.shown)
        menu.addMenu(self._build_go(arrangement))
        self._action(menu, "&Enlarge the panel", arrangement.enlarge_focused, QKeySequence("F11"))
        self._action(menu, "&Restore the arrangement", arrangement.reset)
        menu.addSeparator()
        self._setting(menu, "&Hidden characters", "show_hidden")
        self._setting(menu, "Values in bi&ts", "unit", "bits", "nats")
        self._setting(menu, "&Animate changes", "animate")
        menu.addSeparator()
        self.text.fill(menu)
        arrangement.changed.connect(self.text.on_arranged)
        menu.addSeparator()
        self._themes = QActionGroup(menu)
        for choice, words in (("system", "Theme of the s&ystem"), ("light", "L&ight"), ("dark", "&Dark")):
            action = self._toggle(menu, words, self._on_theme)
            action.setData(choice)
            self._themes.addAction(action)

    def _build_go(self, arrangement: Arrangement) -> QMenu:
        """Every panel has a letter that gives it the keyboard, wherever it is, and the first nine a key."""
        menu = QMenu("&Go to", self._window)
        others = {"editor": "Ctrl+L", "next_token": "Ctrl+K"}
        taken = set("np")  # the letters of the entries below
        for n, entry in enumerate(panels.PANELS, 1):
            words, keys = entry.title, [others.get(entry.name)]
            if n < 10:  # Ctrl+0 is the usual size of text
                words, keys = f"&{n} {words}", [f"Ctrl+{n}", *keys]
            else:
                at = next((i for i, sign in enumerate(words.lower()) if sign.isalpha() and sign not in taken), 0)
                taken.add(words[at].lower())
                words = f"{words[:at]}&{words[at:]}"
            action = self._action(menu, words, self._going(arrangement, entry.name))
            action.setShortcuts([QKeySequence(key) for key in keys if key])
        menu.addSeparator()
        self._action(menu, "The &next panel", lambda: arrangement.go_on(1), QKeySequence("F6"))
        self._action(menu, "The &panel before", lambda: arrangement.go_on(-1), QKeySequence("Shift+F6"))
        return menu

    def _fill_recent(self) -> None:
        known = [Path(path) for path in self._window.store.recent("recent_files") if Path(path).is_file()]
        self._recent.show([Entry(str(path), path.name, str(path)) for path in known])
        self._no_recent.setVisible(not known)

    def export_menu(self, panel: Panel) -> QMenu:
        """Everything a panel can be exported as; also found under File > Export."""
        panel.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        panel.customContextMenuRequested.connect(self._on_context_menu)
        return self._export_menus[panel.name]

    def _on_context_menu(self, at: QPoint) -> None:
        panel = self.sender()
        assert isinstance(panel, Panel)
        self._export_menus[panel.name].popup(panel.mapToGlobal(at))

    # ---- what is shown

    def set_theme(self, theme: Theme) -> None:
        for owner, name in self._icons:
            owner.setIcon(icon(name, theme))
        for action in self._themes.actions():
            action.setChecked(action.data() == self._window.theme_choice)
        if self.pages is not None:
            self.pages.set_theme(theme)
        self.bar.set_theme(theme)

    def show_view(self, view: View) -> None:
        self.bar.show_view(view)
        self._play.setText("&Pause" if view.playing else "&Play")
        self._put_aside.setEnabled(view.tree is not None and view.tree.put_aside() is not None)
        scored = view.ledger is not None and view.ledger.complete and not view.scores_are_old
        for action in (self.save_scores, self.export_report, self.export_lines):
            action.setEnabled(scored)
        self.text.show_settings(view.settings)
        for action, field, on in self._settings:
            action.setChecked(getattr(view.settings, field) == on)
        self.every_window.setChecked(view.settings.reading.window_lead)
        as_scored = view.no_model if view.run is not None else ""
        for action, tip in ((self.every_window, EVERY), (self._read_long, "")):
            action.setEnabled(not as_scored)
            action.setToolTip(plain(as_scored or tip))
        if self.reading is not None and self.reading.isVisible():
            self.reading.show_view(view)

    # ---- slots

    def _open(self) -> None:
        if (path := files.ask_open(self._window)) is not None:
            self._window.open_file(path)

    def _open_clipboard(self) -> None:
        files.open_content(QGuiApplication.clipboard().mimeData(), "clipboard", self._window)

    def _on_recent(self, path: str) -> None:
        self._window.open_file(Path(path))

    def _new(self) -> None:
        self._window.playground.clear()
        self._window.focus_editor()

    def _new_chat(self) -> None:
        play = self._window.playground
        if not play.has_model() or play.view.loaded is None:
            return
        tokens = play.view.loaded.vocabulary
        kind = kinds.of_tokens(tokens)
        try:
            if kind.chat is None:
                raise Problem(f"a {kind.noun} is no chat", "load a chat model")
            dialog = kind.chat(tokens, self._window)
        except Problem as problem:
            play.reported.emit(problem.cause, problem.remedy)
            return
        dialog.chosen.connect(self._begin_chat)
        dialog.open()

    def _begin_chat(self, written: Callable[[TokenSet], Document]) -> None:
        play = self._window.playground
        if play.view.loaded is not None:
            try:
                play.open_document(written(play.view.loaded.vocabulary), at_end=True)
            except Problem as problem:  # another model by now
                play.reported.emit(problem.cause, problem.remedy)
        self._window.focus_editor()

    def _save(self) -> None:
        files.save_as(self._window)

    def _save_scores(self) -> None:
        files.save_scores(self._window)

    def _save_session(self) -> None:
        files.save_session(self._window)

    def _export_chart(self) -> None:
        exports.of_panel(self._window.panels["next_token"], self._window).ask()

    def _toggle_play(self) -> None:
        self._window.playground.handle(Do("pause" if self._window.playground.view.playing else "play"))

    def _keyboard(self) -> None:
        help.keyboard(self._window).open()

    def _about(self) -> None:
        help.about(self._window).open()

    def _read(self, page: Path, *_: object) -> None:
        if self.pages is None:
            self.pages = Pages(self._window.store, self._window)
            self.pages.set_theme(self._window.theme)
        self.pages.open_at(page)

    def open_reading(self) -> None:
        """The window in which context and stride are set; it stays open beside this one."""
        if self.reading is None:
            self.reading = ReadingSettings(self._window)
            self.reading.chosen.connect(lambda reading: self._window.change(reading=reading))
            self.reading.asked.connect(self._window.handle)
        self.reading.open_at(self._window.playground.view)

    def _open_models_folder(self) -> None:
        paths.models().mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(paths.models())))

    def _on_every(self, on: bool) -> None:
        self._window.read(window_lead=on)

    def _on_theme(self, _: bool) -> None:
        self._window.set_theme(self.sender().data())  # type: ignore[attr-defined]

    def _peek(self, on: bool) -> None:
        if on != self._window.playground.view.peeking:
            self._window.playground.handle(PeekRewind(on))

    def _going(self, arrangement: Arrangement, name: str) -> Callable[[], None]:
        return lambda: arrangement.go_to(arrangement.panels[name])

    def _doing(self, what: str) -> Callable[[], None]:
        def do() -> None:
            self._window.playground.handle(Do(what))  # type: ignore[arg-type]

        return do

    def _action(
        self,
        menu: QMenu,
        words: str,
        slot: Callable[[], object],
        key: QKeySequence | QKeySequence.StandardKey | None = None,
        icon_name: str | None = None,
    ) -> QAction:
        action = menu.addAction(words)
        action.triggered.connect(slot)
        if key is not None:
            action.setShortcut(key)
        if icon_name is not None:
            self._icons.append((action, icon_name))
        return action

    def _toggle(self, menu: QMenu, words: str, slot: Callable[[bool], object]) -> QAction:
        action = menu.addAction(words)
        action.setCheckable(True)
        action.triggered.connect(slot)
        return action

    def _setting(self, menu: QMenu, words: str, field: str, on: object = True, off: object = False) -> QAction:
        """An entry that is checked while a field of the settings is ``on``."""

        def choose(checked: bool) -> None:
            self._window.change(**{field: on if checked else off})

        self._settings.append((self._toggle(menu, words, choose), field, on))
        return self._settings[-1][0]
