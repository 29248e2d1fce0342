"""Opening and saving documents, with every way that can fail told."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from arplay.core.errors import Problem
from arplay.core.modalities.base import Document
from arplay.core.reading import Reading
from arplay.core.signs import markup, safe
from arplay.export import scorefile, sessionfile
from arplay.export.writers import replacing
from arplay.gui import kinds
from arplay.gui.canvases.text import transfer
from arplay.gui.host import Host
from arplay.gui.intents import OpenFiles
from arplay.models import catalogue, documents, htmlfile, recordsfile
from arplay.schema import short
from arplay.textfile import MAX_BYTES, detect

LARGE, LARGE_PAGE = 4_000_000, 500_000
"""Bytes of a text, and of a page whose markup is taken off, from which on the window does not wait for them."""
OTHER_IDS = "other weights may draw other tokens at the same u"


def open_file(path: Path, encoding: str | None, window: Host, raw: bool = False, at_once: bool = False) -> bool:
    """Open a document of the kind that the model reads, only in the heatmap where it is too long to edit.

    For a text that is not UTF-8 the detected encoding is offered. False: told, given up. What the model cannot read
    waits where another one is on its way. A file called ``….session.json`` is a session, and ``….npz`` a scoring run,
    which is read by the worker. ``raw``: a page with its markup. A large file
    is read by the worker too, unless it shall be ``at_once``.
    """
    if sessionfile.is_session(path):
        return open_session(path, window)
    if scorefile.is_scores(path):
        window.playground.runs.open(path)
        return False
    loaded = window.playground.view.loaded
    tokens = loaded.vocabulary if loaded is not None else None
    reader = documents.reader_of(tokens)
    if not raw and reader.encoded and recordsfile.holds_records(path):
        window.playground.text_set.read_fields(path)  # which of their texts is asked then
        return False
    if reader.encoded and not at_once and _size(path) > (LARGE if raw or not htmlfile.is_page(path) else LARGE_PAGE):
        window.playground.text_set.read_file(path, encoding, raw)
        return False
    try:
        raw = raw and reader.encoded
        document = documents.as_it_is(path, encoding, tokens) if raw else reader.read(path, encoding, tokens)
        changed = "" if raw else reader.said(path, tokens)
    except Problem as problem:
        other = documents.is_no_text(path) if reader.encoded else None
        if window.playground.loads and (loaded is not None or other is not None):
            window.open_later(path, encoding)
            return False
        guess = offer_encoding(path, window) if encoding is None and reader.encoded and other is None else None
        if guess is not None:
            return open_file(path, guess, window, raw)
        if other is not None:
            window.report(other.cause, f"{other.remedy} in the Model menu, then open it again")
        else:
            remedy = problem.remedy.replace("name its encoding with --encoding NAME", "save it as UTF-8 first")
            window.report(problem.cause, remedy.replace("--encoding ", "the encoding "))
        return False
    show_file(path, encoding, document, changed, window)
    return True


def show_file(path: Path, encoding: str | None, document: Document, changed: str, window: Host) -> None:
    """A file that was read; ``changed`` says what reading it changed."""
    window.notice.forget()
    window.store.add_recent("recent_files", str(path))
    if kinds.of_document(document).long(document):
        window.playground.analyse(document, path.name)
    else:
        window.playground.open_document(document, path.name)
    if document.is_blank:
        window.statusBar().showMessage(f"{safe(path.name)} is empty", 5_000)
    if changed and htmlfile.is_page(path) and not changed.endswith("stays"):
        as_it_is = QAction("Open as it is", window)
        as_it_is.triggered.connect(partial(open_file, path, encoding, window, True))
        window.notice.report(changed, "the file stays as it is", as_it_is)
    elif changed:
        window.report(changed, "the file stays as it is")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # what is wrong with it is told by whoever reads it


def open_content(source: QMimeData | None, name: str, window: Host) -> bool:
    """Open what a clipboard or another program offers: files, a text, or a page's text. False: told, nothing opened.

    Qt has None for a clipboard that nobody has put anything on.
    """
    source = QMimeData() if source is None else source
    if paths := transfer.local_files(source):
        window.handle(OpenFiles(tuple(paths)))
        return True
    has_text = source.hasText() or source.hasFormat(transfer.EXACT)
    page = source.html().encode("utf-8", "replace") if source.hasHtml() and not has_text else None
    data = transfer.content(source) if has_text else htmlfile.stripped(page).data if page is not None else b""
    if not data:
        cause = f"there is no text in the {name}" if data is not None else f"the {name} holds half a character"
        window.report(cause, "copy a text first" if data is not None else "copy it again as whole text")
        return False
    window.notice.forget()
    window.playground.open_text(data, name)
    return True


def open_session(path: Path, window: Host) -> bool:
    """Go on with a session from a file; what lies here is kept among the earlier texts. False: told, nothing changed.

    The model that it was made with is loaded where the program knows it by itself: a path or an address in a file of
    somebody else's is only told.
    """
    try:
        session = sessionfile.read(path)
        window.keeping.take(session)
    except Problem as problem:
        window.report(problem.cause, problem.remedy)
        return False
    window.notice.forget()
    window.store.add_recent("recent_files", str(path))
    loaded, spec = window.playground.view.loaded, session.model
    reading = Reading(*session.reading) if session.reading is not None else None
    if spec is None or (loaded is not None and catalogue.spec_of(loaded.info.source) == spec):
        if reading is not None:
            window.change(reading=reading)
        if loaded is not None and session.revision not in (None, loaded.info.revision):
            window.report(f"this session was made with another {loaded.info.name} than is loaded", OTHER_IDS)
    elif spec in {known.spec for known in catalogue.entries()} and catalogue.is_ready(spec):
        window.given = reading
        window.choose_model(spec)
    else:
        window.report(f"this session was made with {short(spec)}", f"choose that model in the Model menu; {OTHER_IDS}")
    return True


def save_session(window: Host) -> bool:
    """Ask for a file, and whether the session is in it now."""
    proposed = f"arplay{sessionfile.ENDING}"
    name, _ = QFileDialog.getSaveFileName(window, "Save the session", proposed, f"Sessions (*{sessionfile.ENDING})")
    if not name:
        return False
    path = Path(name)
    if not sessionfile.is_session(path):
        path = path.with_name(path.name.removesuffix(".json") + sessionfile.ENDING)
    return write_session(path, window)


def save_scores(window: Host) -> None:
    """Ask for a file that the scores go into, from which they open without the model."""
    view = window.playground.view
    stem = Path(view.excerpt_of or view.name or "scores").stem
    ending = scorefile.ENDING
    name, _ = QFileDialog.getSaveFileName(window, "Save the scores", f"{stem}{ending}", f"Scoring runs (*{ending})")
    if name:
        path = Path(name)
        window.playground.runs.save(path if scorefile.is_scores(path) else path.with_name(path.name + ending))


def write_session(path: Path, window: Host) -> bool:
    """Texts, ids, history and settings of this window, all or nothing."""
    snapshot = window.keeping.snapshot()
    try:
        sessionfile.write(path, snapshot)
    except Problem as problem:
        window.report(problem.cause, problem.remedy)
        return False
    said = f"Saved {path.name}"
    if snapshot.left_out:
        said += f", without the {snapshot.left_out:,} oldest states: there is no room for more"
    if window.playground.view.excerpt_of is not None:
        said += "; of the long text it has the beginning that the editor holds"
    window.statusBar().showMessage(said, 5000)
    return True


def offer_encoding(path: Path, window: QWidget, others: int = 0) -> str | None:
    """Ask whether to open the file in the encoding that it seems to have, and so many others with it."""
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
    more = f" So are the others that are not UTF-8 ({others:,})." if others else ""
    box.setInformativeText(
        f"It looks like {guess}. Open it as {guess}? The text is then UTF-8 here; the file stays.{more}"
    )
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


def begin_where_left(window: Host) -> None:
    """Dialogs for files begin in the folder of the file that was opened last; from then on Qt remembers it."""
    folders = (Path(path).parent for path in window.store.recent("recent_files"))
    if (folder := next((each for each in folders if each.is_dir()), None)) is not None:
        QFileDialog().setDirectoryUrl(QUrl.fromLocalFile(str(folder)))


def ask_open(window: Host) -> Path | None:
    ours = f"*{sessionfile.ENDING} *{scorefile.ENDING}"
    texts = f"Texts, sessions and scoring runs (*.txt *.md *.html *.jsonl *.py *.csv {ours})"
    name, _ = QFileDialog.getOpenFileName(window, "Open", filter=f"{_files(window)}{texts};;All files (*)")
    return Path(name) if name else None


def save_as(window: Host) -> bool:
    """Whether the text is in a file of the user's now."""
    noun, suffix = kinds.of_document(window.playground.document).noun, [*_suffixes(window), ".txt"][0]
    name, _ = QFileDialog.getSaveFileName(
        window, "Save", f"{noun}{suffix}", f"{_files(window)}Texts (*.txt);;All files (*)"
    )
    return bool(name) and save(Path(name), window)


def _suffixes(window: Host) -> tuple[str, ...]:
    loaded = window.playground.view.loaded
    return documents.reader_of(loaded.vocabulary).writes if loaded is not None else ()


def _files(window: Host) -> str:
    """Filter of a dialog: files of what lies here, besides texts."""
    noun, suffixes = kinds.of_document(window.playground.document).noun, _suffixes(window)
    return f"{noun.capitalize()}s ({' '.join(f'*{suffix}' for suffix in suffixes)});;" if suffixes else ""


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
    """The document's exact bytes, or what files with this suffix hold of its kind, all or nothing."""
    document = window.playground.table.document
    write = kinds.of_document(document).files.get(path.suffix.lower())
    try:
        with replacing(path) as temporary:
            if write is None:
                temporary.write_bytes(document.file)
            else:
                write(temporary, document)
    except Problem as problem:
        window.report(problem.cause, problem.remedy)
        return False
    window.keeping.saved(document)
    window.statusBar().showMessage(f"Saved {path.name}", 3000)
    return True
