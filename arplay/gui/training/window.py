"""The window of training, beside the playground's: set a run up, watch it, look into what it learned."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import (
    QAction,
    QDragEnterEvent,
    QDropEvent,
    QHideEvent,
    QKeyEvent,
    QKeySequence,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QMessageBox,
    QStackedWidget,
    QWidget,
)

from arplay.core.signs import markup, safe
from arplay.engine.trainer import RunRequest
from arplay.gui.canvases.text import transfer
from arplay.gui.notice import Notice
from arplay.gui.playground.playground import Playground
from arplay.gui.store import Store
from arplay.gui.theme import SPACE, Theme
from arplay.gui.training.asks import AskBatch, AskReplay
from arplay.gui.training.earlier import EarlierRuns
from arplay.gui.training.run import TrainingRun
from arplay.gui.training.run_page import RunPage
from arplay.gui.training.start_form import StartForm
from arplay.gui.view import View
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.layouts import in_column, in_row

_ABOUT = (
    "A model learns one thing: to predict the next token, of text, pictures or sound alike. It is trained in a process "
    "of its own, at low priority; the playground stays usable, and nothing leaves this computer."
)


class TrainingWindow(QWidget):
    """Two pages: the form with the runs of before, and one run. ``open_model``: a folder to load in the playground."""

    open_model = Signal(str)

    def __init__(self, store: Store, run: TrainingRun, play: Playground, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._store, self._play = store, play
        self.run = run
        self.setObjectName("training")
        self.setWindowTitle("Training")
        self.setAcceptDrops(True)
        self.setMinimumSize(900, 600)
        self.notice = Notice(self)
        self.form = StartForm(store, self._text_in_editor, self)
        self.earlier = EarlierRuns(self)
        self.page = RunPage(self)
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self._start_page())
        self.pages.addWidget(self.page)
        in_column(self.notice, (self.pages, 1), on=self, margins=SPACE[2], spacing=SPACE[1])
        self._resume = QAction("Resume", self)
        self._resume.triggered.connect(self._go_on)
        self._failure: tuple[str, str] | None = None
        self._connect()
        self.page.choose_unit(store.text("training_unit", "nats per token"))
        there = self.screen().availableSize()  # its frame has to be in it too
        self.resize(min(1280, there.width() - 2 * SPACE[3]), min(800, there.height() - 4 * SPACE[3]))
        store.restore("training_geometry", self.restoreGeometry)
        self._show_run()
        self._show_view(play.view)

    def _start_page(self) -> QWidget:
        about = Label(_ABOUT, self, role="caption", wrap=True)
        title = Label("Train a model of your own", self, role="title")
        row = in_row((self.form, 5), (self.earlier, 3), spacing=SPACE[2])
        page = QWidget(self)
        column = in_column(title, about, on=page, margins=SPACE[0], spacing=SPACE[1])
        column.addSpacing(SPACE[0])
        column.addLayout(row, 1)
        return page

    def _connect(self) -> None:
        run, bar, snapshot_jobs = self.run, self.page.bar, self._play.snapshot_jobs
        run.changed.connect(self._show_run)
        run.reported.connect(self.notice.report)
        self.form.start.connect(self._start)
        self.form.reported.connect(self.notice.report)
        self.earlier.show_it.connect(self.show_folder)
        self.earlier.resume.connect(self.resume_folder)
        self.earlier.open.connect(self._open)
        self.earlier.forget.connect(self._forget)
        bar.back.connect(self.show_form)
        bar.pause.connect(run.pause)
        bar.resume.connect(self._go_on)
        bar.cancel.connect(self._cancel)
        bar.open.connect(self._open_run)
        self.page.unit_chosen.connect(self._on_unit)
        for view in (self.page.replay, self.page.batch):
            view.asked.connect(self._on_asked)
        snapshot_jobs.replayed.connect(self.page.replay.show_result)
        snapshot_jobs.batch_losses.connect(self.page.batch.show_result)
        self._play.changed.connect(self._show_view)
        QShortcut(QKeySequence("Ctrl+Return"), self, self._on_enter)
        QShortcut(QKeySequence("Esc"), self, self.close)

    # ---- what is shown

    def open(self) -> None:
        """At the run that is going, else where it was."""
        if self.run.live:
            self.show_run()
        elif self.pages.currentIndex() == 0:
            self.show_form()
        self.show()

    def show_form(self) -> None:
        self._refresh_form()
        self.pages.setCurrentIndex(0)
        self.notice.forget()
        self.form.files.add.setFocus()

    def _text_in_editor(self) -> bytes | None:
        here, text = self._play.table.document, self._play.table.text  # which waits while something else lies there
        return here.file if type(here) is type(text) else None

    def _refresh_form(self) -> None:
        self.form.refresh(self.run.state.folder.name if self.run.live and self.run.state is not None else "")
        self.earlier.show_runs(self.run.earlier())

    def show_run(self) -> None:
        self.pages.setCurrentIndex(1)
        self._show_run()
        text = self._play.table.text.file.decode("utf-8", "replace")
        for view in (self.page.replay, self.page.batch):
            view.suggest_text(text)
        self.page.bar.main.setFocus()

    def _show_run(self) -> None:
        state = self.run.state
        self.page.show_run(state)
        self.setWindowTitle(f"Training – {safe(state.folder.name)}" if state is not None else "Training")
        if state is None:
            return
        if state.status == "failed" and state.problem is not None:
            self._failure = state.problem
            self.notice.report(*state.problem, self._resume if state.resumable else None)
        elif self.notice.said == self._failure:  # that of a run that goes on now, or is not shown any more
            self.notice.forget()
        if self.pages.currentIndex() == 0 and self.isVisible():
            if self.form.live == (state.folder.name if self.run.live else ""):
                self.earlier.show_run(state)
            else:
                self._refresh_form()

    def _show_view(self, view: View) -> None:
        """What of the playground matters here: the model that one batch is run on."""
        self.page.batch.set_model(view.loaded)
        self.page.replay.set_animate(view.settings.animate)

    def set_theme(self, theme: Theme) -> None:
        self.notice.set_theme(theme)
        self.form.set_theme(theme)
        self.earlier.set_theme(theme)
        self.page.set_theme(theme)

    # ---- what the user does

    def _start(self, start: RunRequest) -> None:
        self.notice.forget()
        if self.run.start(start):
            self.form.folder.next()
            self.show_run()

    def show_folder(self, folder: Path) -> bool:
        """Whether it can be shown; why not is told."""
        self.notice.forget()
        shown = self.run.show(folder)
        if shown:
            self.show_run()
        return shown

    def resume_folder(self, folder: Path) -> None:
        if self.show_folder(folder):
            self.run.resume()

    def _go_on(self) -> None:
        self.notice.forget()
        self.run.resume()

    def _forget(self, folder: Path) -> None:
        self.run.forget(folder)
        self.earlier.show_runs(self.run.earlier())

    def _open_run(self) -> None:
        if self.run.state is not None:
            self._open(self.run.state.folder)

    def _open(self, folder: Path) -> None:
        self.open_model.emit(str(folder))

    def _cancel(self) -> None:
        state = self.run.state
        if state is None or not self.run.live:
            return
        box = QMessageBox(self)
        box.setWindowTitle("Cancel the training")
        box.setText(f"<b>Stop {markup(state.folder.name)} at once?</b>")
        kept = "The model of its newest snapshot stays in its folder." if state.snapshots else "Its folder stays."
        box.setInformativeText(f"What was learned since the last checkpoint is lost (Pause loses nothing). {kept}")
        yes = box.addButton("Stop it", QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton("Go on", QMessageBox.ButtonRole.RejectRole))
        box.exec()
        if box.clickedButton() is yes:
            self.run.cancel()

    def _on_enter(self) -> None:
        if self.pages.currentIndex() == 0:
            self.form.begin()

    def _on_unit(self, unit: str) -> None:
        self._store.set_text("training_unit", unit)

    def _on_asked(self, ask: AskReplay | AskBatch) -> None:
        snapshot_jobs = self._play.snapshot_jobs
        if isinstance(ask, AskBatch):
            snapshot_jobs.one_batch(ask.text, self._play.view.settings.reading)
        elif self.run.state is not None:
            snapshot_jobs.replay(str(self.run.state.folder), ask.text, ask.index, ask.after)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() and self.pages.currentIndex() == 0:
            transfer.take(event)

    def dropEvent(self, event: QDropEvent) -> None:
        transfer.take(event)
        self.form.add_files(transfer.local_files(event.mimeData()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter does to a button what the space bar does, wherever it is in this window."""
        button = self.focusWidget()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(button, QAbstractButton):
            button.click()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.windowHandle().setTransientParent(None)  # type: ignore[arg-type]  # else it stays before the playground
        self._show_run()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._store.keep("training_geometry", self.saveGeometry())
