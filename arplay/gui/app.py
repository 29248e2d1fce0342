"""Starting the window, and drawing it without one."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QEventLoop, QMessageLogContext, QSize, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from arplay import paths
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.errors import Problem
from arplay.core.kept import Session
from arplay.core.modalities.base import Document
from arplay.core.reading import Reading
from arplay.core.tree import Tree
from arplay.export.scorefile import is_scores
from arplay.export.sessionfile import is_session
from arplay.export.writers import replacing
from arplay.gui import files, overrides
from arplay.gui.bridge import Bridge
from arplay.gui.intents import Change
from arplay.gui.interrupt import Interrupts
from arplay.gui.main_window import MainWindow
from arplay.gui.options import WindowOptions
from arplay.gui.store import Store
from arplay.gui.theme import interface_font
from arplay.gui.view import View
from arplay.models import catalogue, documents

OPENING_TEXT = b"It was a dark and stormy night, and the old man"
SETTLED_MS = 100
"""A window that looks the same after so long is all there."""
PICTURE_SECONDS = 120
TITLE_BAR = 32

_log = logging.getLogger(__name__)


def run(options: WindowOptions) -> int:
    """Open the window and stay until it is closed. Returns the exit status."""
    app = application()
    window = _window(options)
    sys.excepthook = _Hook(window)
    _fit(window)
    window.show()
    files.begin_where_left(window)
    QTimer.singleShot(0, _Start(window, options, remembered=True))
    window.closed.connect(app.quit)
    interrupts = Interrupts(window.end, window)
    status = app.exec() or int(window.lost)
    interrupts.stop()
    if not window.playground.close():
        # only a thread inside `import torch` gets here; text and settings are on disk by now
        sys.stdout.flush()
        os._exit(status)
    return status


def picture(options: WindowOptions, path: Path) -> View:
    """Draw the whole window, as it is at first, into a PNG; returns the View that was drawn.

    The user's own settings and layout have no part in it. Raises Problem where the model cannot be loaded or the
    file not be written.
    """
    application()
    qInstallMessageHandler(_say)
    with tempfile.TemporaryDirectory() as folder:
        window = _window(options, Store(Path(folder) / "arplay.ini"))
        try:
            with overrides.raised():
                image = _drawn(window, options)
            with replacing(path) as temporary:
                if not image.save(str(temporary), "PNG"):  # type: ignore[call-overload]  # the stub knows bytes only
                    raise Problem(f"{path} cannot be written", "choose another folder")
            return window.playground.view
        finally:
            window.hide()
            window.playground.close()
            window.deleteLater()
            qInstallMessageHandler(None)


def _say(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    """Qt's messages to standard error, less the one that says of the offscreen platform what is no news."""
    if "propagateSizeHints" not in text:
        print(text, file=sys.stderr)


def _drawn(window: MainWindow, options: WindowOptions) -> QImage:
    play = window.playground
    settings = replace(play.view.settings, animate=False, bars=options.bars)
    play.handle(Change(replace(settings, decoding=options.decoding or Pipeline())))
    loop = QEventLoop()
    failure: list[tuple[str, str]] = []

    def look(view: View) -> None:
        if view.loaded is not None and not view.stale and not play.busy_scoring():
            loop.quit()

    def fail(cause: str, remedy: str) -> None:
        failure.append((cause, remedy))
        loop.quit()

    def give_up() -> None:
        fail(f"the window was not ready after {PICTURE_SECONDS} s", "use a smaller model or a shorter text")

    play.changed.connect(look)
    play.reported.connect(fail)
    window.show()
    _Start(window, options, remembered=False)()
    guard = QTimer(window)
    guard.setSingleShot(True)
    guard.timeout.connect(give_up)
    guard.start(PICTURE_SECONDS * 1000)
    loop.exec()
    guard.stop()
    if failure:
        raise Problem(*failure[0])
    former = QImage()
    while (image := window.grab().toImage()) != former:  # panels and their room follow the last answer by a moment
        former = image
        QTimer.singleShot(SETTLED_MS, loop.quit)
        loop.exec()
    return image


class _Start:
    """What happens once the window stands: the model begins to load, and the text is opened."""

    def __init__(self, window: MainWindow, options: WindowOptions, remembered: bool) -> None:
        self._window, self._options, self._remembered = window, options, remembered
        self._file = options.text_file

    def __call__(self) -> None:
        window, options = self._window, self._options
        if options.reading != Reading():
            window.given = options.reading
        restored = self._keep() if self._remembered else None
        former = window.store.text("model", catalogue.DEFAULT) if self._remembered else catalogue.DEFAULT
        former = (restored and restored.model) or former
        gone = options.model is None and not catalogue.is_ready(former)
        spec = options.model or (catalogue.DEFAULT if gone else former)
        loads = self._file is None or not is_scores(self._file)  # a run needs no model
        if loads:
            window.playground.load_model(spec, options.device, options.dtype)
        if self._open_other(spec):
            pass  # what was given is no text
        elif options.prompt is not None:
            window.playground.open_document(_text(options.prompt.encode("utf-8", "surrogateescape")), at_end=True)
        elif self._file is not None:
            window.open_file(self._file, options.encoding)
        elif restored is None:
            window.playground.open_document(_text(OPENING_TEXT), at_end=True)
        if gone and loads:
            remedy = f"{spec} is opened in its place; choose another one in the Model menu"
            window.report(f"the model of the last time is not on this computer any more: {former}", remedy)
        window.focus_editor()
        if self._remembered:
            window.training.remind()
        if self._remembered and not window.store.flag("tour_seen"):
            window.start_tour()

    def _open_other(self, spec: str) -> bool:
        """Whether something is given to a model of no texts: what it is, or that it is none, is shown then."""
        window, prompt, file = self._window, self._options.prompt, self._file
        if (file is None and prompt is None) or (file is not None and (is_session(file) or is_scores(file))):
            return False
        try:
            if documents.tokens_of(spec) is None:
                return False
            source = documents.read(spec, prompt, file, None)
            tree = Tree(source.document)
        except Problem as problem:
            window.playground.reported.emit(problem.cause, problem.remedy)
            return True
        tree.root.caret, tree.root.name = 0, None if file is None else file.name
        window.playground.table.restore(Session(tree, seed=window.playground.view.settings.seed))
        if source.remark:
            window.report(source.remark, "the file stays as it is")
        return True

    def _keep(self) -> Session | None:
        """From now on the text is kept; one that was there before comes back, unless another is asked for."""
        window = self._window
        if window.store.said is not None:
            window.report(*window.store.said)
        fresh = self._options.prompt is not None or self._file is not None
        return window.keeping.begin(paths.sessions(), fresh)


def _text(data: bytes) -> Document:
    return documents.reader_of(None).typed(data, None)


class _Hook:
    """An exception in a slot, or in what Qt calls, is shown and logged; the window stays."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        _log.error("unexpected", exc_info=(kind, error, trace))
        if isinstance(error, KeyboardInterrupt):
            self._window.end()
        else:
            cause = f"something went wrong ({kind.__name__}: {error})"
            # later: it may be in the middle of painting, where no widget should move
            QTimer.singleShot(0, partial(self._window.report, cause, "please report it with the log"))


def application() -> QApplication:
    """The one QApplication, made at need."""
    overrides.guard()
    app = QApplication.instance()
    if isinstance(app, QApplication):
        return app
    # a model gives the interpreter away at each of its operations: the usual 5 ms would be long to wait for it then
    sys.setswitchinterval(0.00005)
    app = QApplication(sys.argv[:1])
    app.setApplicationName("arplay")
    app.setDesktopFileName("arplay")
    app.setFont(interface_font())  # before any widget: later changes do not reach those that stand
    return app


def _window(options: WindowOptions, store: Store | None = None) -> MainWindow:
    window = MainWindow(store or Store(), Bridge(), options.theme)
    if options.size is not None:
        window.resize(*options.size)
        window.arrangement.share()
    return window


def _fit(window: MainWindow) -> None:
    """Keep the status bar on a small screen: the window together with its title bar fits into what is free there."""
    free = window.screen().availableSize()
    room = QSize(free.width(), free.height() - TITLE_BAR)
    if window.size() != window.size().boundedTo(room):
        window.resize(window.size().boundedTo(room))
        if not window.restored:
            window.arrangement.arrange()
