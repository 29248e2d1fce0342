"""Opening and saving documents, with every way that can fail told."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox

from arplay.core.errors import Problem
from arplay.core.signs import markup
from arplay.export.writers import replacing
from arplay.gui import kinds
from arplay.gui.host import Host
from arplay.textfile import MAX_BYTES, detect


def open_file(path: Path, encoding: str | None, window: Host) -> bool:
    """Open a document of the kind that the model reads, only in the heatmap where it is too long to edit.

    For a text that is not UTF-8 the detected encoding is offered. False: told, given up. What the model cannot read
    waits where another one is on its way.
    """
    loaded = window.playground.view.loaded
    tokens = loaded.vocabulary if loaded is not None else None
    kind = kinds.KINDS[0] if tokens is None else kinds.of_tokens(tokens)
    try:
        document = kind.read(path, encoding, tokens)
    except Problem as problem:
        if loaded is not None and window.playground.loads:
            window.open_later(path, encoding)
            return False
        guess = _offer(path, window) if encoding is None and kind.encoded else None
        if guess is not None:
            return open_file(path, guess, window)
        window.report(problem.cause, problem.remedy.replace("--encoding ", "the encoding "))
        return False
    window.notice.forget()
    window.store.add_recent("recent_files", str(path))
    if kind.long(document):
        window.playground.analyse(document, path.name)
    else:
        window.playground.open_document(document, path.name)
    return True


def _offer(path: Path, window: Host) -> str | None:
    """Ask whether to open the file in the encoding that it seems to have."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        data = path.read_bytes()
    except OSError:
        return None  # what was wrong in the first place is told
    guess = detect(data)
    if guess is None or _is_utf8(data):
        return None
    box = QMessageBox(window)
    box.setWindowTitle("Not UTF-8")
    box.setText(f"<b>{markup(path.name)} is not UTF-8 text.</b>")
    box.setInformativeText(f"It looks like {guess}. Open it as {guess}? The text is then UTF-8 here; the file stays.")
    yes = box.addButton(f"Open as {guess}", QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(yes)
    box.exec()
    return guess if box.clickedButton() is yes else None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def ask_open(window: Host) -> Path | None:
    name, _ = QFileDialog.getOpenFileName(window, "Open a text", filter="Texts (*.txt *.md *.py *.csv);;All files (*)")
    return Path(name) if name else None


def save_as(window: Host) -> bool:
    """Whether the text is in a file of the user's now."""
    name, _ = QFileDialog.getSaveFileName(window, "Save", "text.txt", "Texts (*.txt);;All files (*)")
    return bool(name) and save(Path(name), window)


def may_close(window: Host) -> bool:
    """Ask what is to become of a text that cannot be kept. False: the window stays."""
    cause, _ = window.keeping.risk or ("what you wrote could not be kept", "")
    while True:
        box = QMessageBox(window)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("The text is not kept")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(f"If arplay closes now, the text is lost: {cause}.")
        save = box.addButton("Save as…", QMessageBox.ButtonRole.AcceptRole)
        close = box.addButton("Close anyway", QMessageBox.ButtonRole.DestructiveRole)
        cancel = box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(save)
        box.setEscapeButton(cancel)
        box.exec()
        pressed = box.clickedButton()
        box.deleteLater()
        if pressed is not save:
            return pressed is close
        if save_as(window):
            return True


def save(path: Path, window: Host) -> bool:
    """The document's exact bytes, all or nothing."""
    document = window.playground.document
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(document.file)
    except Problem as problem:
        window.report(problem.cause, problem.remedy)
        return False
    window.keeping.saved(document)
    window.statusBar().showMessage(f"Saved {path.name}", 3000)
    return True
