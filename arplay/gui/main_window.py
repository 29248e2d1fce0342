"""The window: panels in their places, menus, and the wiring between the playground and what is on the screen."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QApplication

from arplay.core.errors import Problem
from arplay.core.reading import Reading
from arplay.core.signs import safe
from arplay.engine.load import Device, Dtype, Loaded
from arplay.engine.messages import Progress
from arplay.gui import files, help, intents, kinds, tabbing, theme
from arplay.gui.arrangement import Arrangement
from arplay.gui.bridge import Bridge
from arplay.gui.canvases.text import transfer
from arplay.gui.contract import Panel
from arplay.gui.dock import Dock
from arplay.gui.dropping import dropped, dropped_texts, texts_of
from arplay.gui.host import Host
from arplay.gui.linking import ScrollLink, SightLink
from arplay.gui.menus import Menus
from arplay.gui.notice import Notice
from arplay.gui.playground.keeping import Keeping
from arplay.gui.playground.playground import Playground
from arplay.gui.runs_desk import RunsDesk
from arplay.gui.sets_desk import SetsDesk
from arplay.gui.settings import Settings
from arplay.gui.showing import Showing, in_sight
from arplay.gui.stale import QUICK_SCORES_MS, Waiting, scores_waited_for, waited_for
from arplay.gui.status import StatusBar
from arplay.gui.store import Store
from arplay.gui.tour import Tour
from arplay.gui.training.desk import TrainingDesk
from arplay.gui.view import NO_MODEL, View
from arplay.gui.widgets.zoom import zoomed
from arplay.models import catalogue
from arplay.models.gguf import ways as gguf_ways

if TYPE_CHECKING:
    from arplay.gui.model_browser import ModelBrowser

REFUSED_MS = 6_000
"""So long the status bar says why something did not happen."""


class MainWindow(Host):
    """Shows first, loads after: building it imports neither torch nor transformers."""

    closed = Signal()

    def __init__(self, store: Store, bridge: Bridge, chosen_theme: str | None = None) -> None:
        super().__init__()
        self.store, self.bridge = store, bridge
        self.playground = Playground(bridge, store.settings(), self)
        self.theme_choice = chosen_theme or store.text("theme", "system")
        self.theme = theme.chosen(self.theme_choice)  # type: ignore[arg-type]
        theme.apply(_app(), self.theme)  # before there are widgets, which would all be styled twice
        self.browser: ModelBrowser | None = None
        self._tour: Tour | None = None
        self.keeping = Keeping(self.playground)
        self.lost = False
        self._asked = False
        self._on_border: QPoint | None = None
        """Where a border between panels was taken hold of."""
        self._said_read_only = False
        self._waits: tuple[Path, str | None] | None = None
        """A file to open, with its encoding, once the model that is on its way is there."""
        self._scored = False
        self._progress: Progress | None = None
        self.given: Reading | None = None
        """How the first model reads texts, where that is not as it was the last time."""
        self._problem: tuple[str, str] | None = None
        self._blamed = ""
        self.setAcceptDrops(True)
        self.notice = Notice(self)
        self.menus = Menus(self)
        self.runs = RunsDesk(self.menus.models, self)
        self.sets = SetsDesk(self)
        self.menus.open_set.triggered.connect(self.sets.ask)
        self.menus.export_report.triggered.connect(lambda: self.runs.export("report"))
        self.menus.export_lines.triggered.connect(lambda: self.runs.export("lines"))
        self.training = TrainingDesk(store, self.playground, self.notice, self)
        self.menus.models.train.triggered.connect(self.training.open)
        self.arrangement = Arrangement(self, self.notice, self.menus.export_menu)
        self.panels, self.docks = self.arrangement.panels, self.arrangement.docks
        self.showing = Showing(self.panels.made.values(), self)
        editor, heat = self.panels["editor"].canvas.scrolls, self.panels["heatmap"].text  # type: ignore[attr-defined]
        self.link = ScrollLink((editor, heat), self)
        self.sight = SightLink((heat, editor), self.arrangement.show_part, self)
        self.menus.build_view(self.arrangement)
        self.waiting = Waiting(self)
        self.scores_waiting = Waiting(self, QUICK_SCORES_MS)
        self.status = StatusBar(self)
        self.setStatusBar(self.status)
        self.status.cancel.connect(bridge.cancel)
        self._connect()
        self.resize(1280, 800)
        self.arrangement.arrange()
        store.restore("geometry", self.restoreGeometry)
        self.restored = store.restore("layout", self.restoreState)
        self.set_theme(self.theme_choice)
        self._show_view(self.playground.view)

    # ---- building

    def _connect(self) -> None:
        play = self.playground
        self.arrangement.made.connect(self._on_made)
        for panel in self.panels.made.values():
            self._on_made(panel)
        for dock in self.docks.values():
            dock.visibilityChanged.connect(self._on_visibility)
        for part in (play.comparing, play.reaching):
            self.docks["kv_cache"].visibilityChanged.connect(part.watch)
        self.arrangement.watch("candidates", play.rating)
        self.arrangement.watch("tokenizers", play.tokenizing)
        for looked_at in (play.peers, play.base):
            self.docks["comparison"].visibilityChanged.connect(looked_at.watch)
        self.docks["plots"].visibilityChanged.connect(self.sight.tell)
        self.arrangement.explain.connect(self._on_explain)
        self.panels["editor"].leave.connect(self.focus_chart)  # type: ignore[attr-defined]
        play.changed.connect(self._show_view)
        play.progress.connect(self._show_progress)
        play.reported.connect(self.report)
        play.refused.connect(self._on_refused)
        self.status.says.connect(self._on_work, Qt.ConnectionType.QueuedConnection)  # a View of its own
        play.model_loaded.connect(self._on_model_loaded)
        play.load_ended.connect(self._on_load_ended, Qt.ConnectionType.QueuedConnection)  # with a View of its own
        play.writing.context_full.connect(self._on_context_full)
        self.training.open_model.connect(self.choose_model)
        self.training.reported.connect(self.report)
        self.training.said.connect(self.status.showMessage)
        self.training.named.connect(self.menus.models.show_training)
        self.keeping.reported.connect(self.report)
        self.keeping.at_risk.connect(self._on_risk)
        self.keeping.safe.connect(self._on_safe)
        play.fetching.changed.connect(self._on_fetching)
        play.fetching.fetched.connect(self._on_fetched)
        play.fetching.failed.connect(self._on_fetch_failed)
        self._shortly = QTimer(self, singleShot=True, interval=500)
        self._shortly.timeout.connect(self._save_settings)

    def _on_made(self, panel: Panel) -> None:
        panel.intent.connect(self.handle)
        if panel.waits_for is not None:
            (self.waiting if panel.waits_for == "answer" else self.scores_waiting).add(panel.veiled())
        self.showing.follow(0)

    # ---- what is shown

    def _show_view(self, _: View) -> None:
        """The newest one: who is told of a View before the window is may bring the next one, which is told first."""
        view = self.playground.view
        kind = kinds.of_document(view.document)
        self.arrangement.centre.set_title(kind.noun.capitalize())
        if self._tour is not None:
            self._tour.show_kind(kind)
        self.showing.show_view(view)
        self.link.on = view.settings.link_scrolling
        self.status.show_view(view)
        self.waiting.wait(waited_for(view))
        self.scores_waiting.wait(scores_waited_for(view))
        if (view.ledger is not None) != self._scored:
            self._scored = view.ledger is not None
            self.arrangement.share_soon()
        if self.browser is not None:
            self.browser.show_view(view)
        self.setWindowTitle(f"{safe(view.name)} – arplay" if view.name else "arplay")
        if view.problem != self._problem:
            if self._problem is not None and self.notice.said == self._problem:
                self.notice.forget()  # what it told is mended
            self._problem = view.problem
        blamed = view.undecoded
        if blamed is not None and blamed.cause != self._blamed and not in_sight(self.panels["decoding"]):
            self.notice.report(blamed.cause, blamed.remedy)  # where it is in sight, the stage itself tells it
        self._blamed = blamed.cause if blamed is not None else ""
        self.menus.show_view(view)

    def _on_visibility(self, visible: bool) -> None:
        """A panel behind another's tab is not there, or given nothing, until it comes to the front."""
        dock = self.sender()
        if visible and isinstance(dock, Dock):
            dock.panel.show_view(self.playground.view)
        self.showing.follow(0)

    def _show_progress(self, progress: Progress | None) -> None:
        """Of what runs on the model; a download shows while nothing else does."""
        self._progress = progress
        self.status.show_progress(progress or self.playground.fetching.progress)
        if self.browser is not None:
            self.browser.show_progress(progress)

    def _on_fetching(self) -> None:
        self._show_progress(self._progress)

    def report(self, cause: str, remedy: str) -> None:
        self.notice.report(cause, remedy)

    def _on_refused(self, words: str) -> None:
        self.status.showMessage(words, REFUSED_MS)

    def _on_work(self, words: str) -> None:
        if words != self.playground.view.doing:
            self.playground.show(doing=words)

    def _on_risk(self, cause: str, remedy: str) -> None:
        self.notice.stand(cause, remedy, self.menus.save)

    def _on_safe(self) -> None:
        self.notice.fall()
        self.status.showMessage("The text is kept again", 5_000)

    def _on_context_full(self, cause: str, remedy: str) -> None:
        self.notice.report(cause, remedy, self.menus.slide)

    def set_theme(self, choice: str) -> None:
        self.theme_choice = choice
        self.theme = theme.chosen(choice)  # type: ignore[arg-type]
        theme.apply(_app(), self.theme)
        self.notice.set_theme(self.theme)
        self.status.set_theme(self.theme)
        self.waiting.set_theme(self.theme)
        self.scores_waiting.set_theme(self.theme)
        self.menus.set_theme(self.theme)
        if self.browser is not None:
            self.browser.set_theme(self.theme)
        self.training.set_theme(self.theme)
        self.sets.set_theme(self.theme)
        self.arrangement.set_theme(self.theme)
        self.store.set_text("theme", choice)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ThemeChange and self.theme_choice == "system" and hasattr(self, "menus"):
            wanted = theme.chosen("system")
            if wanted is not self.theme:
                self.set_theme("system")

    # ---- what the user does

    def handle(self, intent: intents.Intent) -> None:
        match intent:
            case intents.OpenFiles(paths):
                self._take([QUrl.fromLocalFile(str(path)) for path in paths])
            case intents.Do("open"):
                self.menus.open.trigger()
            case intents.Do("compare"):
                self.browse_models(beside=True)
            case intents.Do("chart"):
                self.focus_chart()
            case intents.Do("reading"):
                self.menus.open_reading()
            case intents.Do("score_anew"):
                self.runs.score_anew()
            case intents.Do("tour"):
                self.start_tour()
            case intents.ShowState(node):
                self.arrangement.show_state(node)
            case intents.SetBase():
                self.playground.handle(intent)
                self.arrangement.show_base()
            case intents.Zoom(steps):
                self.change(text_size=zoomed(self.playground.view.settings.text_size, steps))
            case intents.Change(settings):
                former = self.playground.view.settings
                self.playground.handle(intent)
                self._on_change(former, settings)
            case _:
                self.playground.handle(intent)

    def choose_model(self, spec: str, device: Device = "auto", dtype: Dtype = "auto") -> None:
        self.notice.forget()
        self.playground.load_model(spec, device, dtype)

    def browse_models(self, spec: str = "", beside: bool = False) -> None:
        """The list of models, at ``spec`` where that is given. ``beside``: for one beside the window's own."""
        if self.browser is None:
            from arplay.gui.model_browser import ModelBrowser

            self.browser = ModelBrowser(self.store, self.playground.fetching, self)
            self.browser.load.connect(self.choose_model)
            self.browser.compare.connect(lambda *asked: self.handle(intents.AddPeer(*asked)))
            self.browser.set_theme(self.theme)
        self.browser.show_view(self.playground.view)
        self.browser.open_at(spec, beside)

    def _on_fetched(self, spec: str) -> None:
        if self.browser is None or not self.browser.isVisible():
            self.status.showMessage(f"{spec} is on this computer now; Ctrl+M shows it", 10_000)

    def _on_fetch_failed(self, cause: str, remedy: str) -> None:
        if self.browser is None or not self.browser.isVisible():
            self.report(cause, remedy)  # else the list of models tells it in place

    def open_file(self, path: Path, encoding: str | None = None) -> None:
        if files.open_file(path, encoding, self):
            self.arrangement.share_soon()

    def open_later(self, path: Path, encoding: str | None) -> None:
        self._waits = path, encoding
        self.status.showMessage(f"{safe(path.name)} opens once the model is there", REFUSED_MS)

    def _on_load_ended(self) -> None:
        waits, self._waits = self._waits, None
        if waits is not None:
            self.open_file(*waits)

    def _on_model_loaded(self, loaded: Loaded) -> None:
        if self.notice.said is not None and self.notice.said[0] == NO_MODEL:
            self.notice.forget()  # the one it waited for is here
        spec = catalogue.spec_of(loaded.info.source)
        self.menus.models.current = spec
        self.store.set_text("model", spec)
        if spec not in {known.spec for known in catalogue.entries()}:
            self.store.add_recent("recent_models", gguf_ways.split(spec)[0])
        play, reading = self.playground, self.given or self.store.reading(gguf_ways.split(spec)[0])
        self.given = None
        play.handle(intents.Change(replace(play.view.settings, reading=reading)))

    def _on_change(self, former: Settings, settings: Settings) -> None:
        loaded = self.playground.view.loaded
        if loaded is None and settings.reading != former.reading:
            self.given = settings.reading  # chosen while the first model loads: it is for that one
        if loaded is not None and settings.reading != former.reading:
            self.store.keep_reading(gguf_ways.split(catalogue.spec_of(loaded.info.source))[0], settings.reading)
        if settings.at_limit == "slide" and former.at_limit == "stop" and self.playground.view.problem is None:
            self.notice.forget()  # it offered this
        self._shortly.start()

    def focus_chart(self) -> None:
        self.arrangement.go_to(self.panels["next_token"])

    def focus_editor(self) -> None:
        self.arrangement.go_to(self.panels["editor"])

    def _on_explain(self, panel: Panel) -> None:
        help.what_is_this(panel, self).open()

    def start_tour(self) -> None:
        self.arrangement.restore()
        for dock in self.docks.values():
            dock.show()
        self.arrangement.bring_forward()
        if self._tour is not None:
            self._tour.end()
        self._tour = Tour(self.panels, kinds.of_document(self.playground.document), self)
        self._tour.ended.connect(self._on_tour_ended)
        self._tour.begin(self.arrangement.go_to)

    def _on_tour_ended(self) -> None:
        self._tour = None
        self.store.set_flag("tour_seen", True)
        self.focus_editor()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if hasattr(self, "arrangement"):
            self.arrangement.share_soon()
        if self._tour is not None:
            self._tour.place()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc that no panel has a use for ends the enlarging of one, and then the tour."""
        if event.key() == Qt.Key.Key_Escape and (self.arrangement.enlarged is not None or self._tour is None):
            self.arrangement.restore()
        elif event.key() == Qt.Key.Key_Escape and self._tour is not None:
            self._tour.end()
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, onwards: bool) -> bool:
        part = tabbing.beside(self, onwards)
        if part is not None:
            part.setFocus(Qt.FocusReason.TabFocusReason if onwards else Qt.FocusReason.BacktabFocusReason)
        return part is not None

    def event(self, event: QEvent) -> bool:
        """Between the panels are the borders; a press on a panel that has no use for it comes here as well."""
        done = super().event(event)
        if event.type() == QEvent.Type.MouseButtonPress and isinstance(event, QMouseEvent):
            place = event.position().toPoint()
            self._on_border = place if self.childAt(place) is None else None
        elif event.type() == QEvent.Type.MouseButtonRelease and isinstance(event, QMouseEvent):
            held, self._on_border = self._on_border, None
            if held is not None and event.position().toPoint() != held:
                self.arrangement.moved()
        return done

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() or event.mimeData().hasText():
            transfer.take(event)

    def dropEvent(self, event: QDropEvent) -> None:
        mime = event.mimeData()
        if self._take(mime.urls()) if mime.hasUrls() else files.open_content(mime, "dropped text", self):
            transfer.take(event)

    def _take(self, urls: Sequence[QUrl]) -> bool:
        """Load the model or open the text that came from elsewhere; False: told why not."""
        try:
            if texts := texts_of(urls) or (dropped_texts(urls) if len(urls) > 1 else []):
                self.sets.add(texts)
                return True
            kind, path = dropped(urls)
        except Problem as problem:
            self.report(problem.cause, problem.remedy)
            return False
        if kind == "model":
            self.choose_model(str(path))
        else:
            self.open_file(path)
        return True

    # ---- the end

    def _save_settings(self) -> None:
        self.store.save_settings(self.playground.view.settings)
        try:
            self.store.flush()
        except Problem as problem:
            if not self._said_read_only:
                self._said_read_only = True
                if self.isVisible():
                    self.report(problem.cause, problem.remedy)
                else:
                    print(f"arplay: {problem}", file=sys.stderr)

    def end(self) -> None:
        """Close with nobody to ask: ``lost`` tells whether a text could not be kept."""
        if not self.keeping.flush():
            self.lost = True
            cause, remedy = self.keeping.risk or ("the text could not be kept", "")
            print(f"arplay: {cause}; {remedy}", file=sys.stderr)
        self._asked = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Hide once the text is on the disk, or the user agreed to lose it; the caller joins the worker."""
        event.ignore()  # should what follows fail, the window stays, and the next close asks no more
        asked, self._asked = self._asked, True
        if not asked and not self.keeping.flush() and not files.may_close(self):
            self._asked = False
            return
        self.hide()
        try:
            self._wind_up()
        finally:
            event.accept()
            self.closed.emit()

    def _wind_up(self) -> None:
        self.showing.stop()
        self.waiting.wait("")
        self.scores_waiting.wait("")
        self.status.rest()
        self.playground.quieten()
        self.keeping.end()
        self.store.keep("geometry", self.saveGeometry())
        self.store.keep("layout", self.arrangement.state())
        for beside in (self.menus.pages, self.menus.reading):
            if beside is not None:
                beside.hide()
        self._save_settings()
        self.sets.close()
        self.training.close()

    def sizeHint(self) -> QSize:
        return QSize(1280, 800)


def _app() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app
