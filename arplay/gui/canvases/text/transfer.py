"""Texts and files that come and go by clipboard and by drag and drop: exact bytes where both ends can."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QDropEvent

EXACT = "application/x-arplay-bytes"


def take(event: QDropEvent) -> None:
    """Accept what is dragged here as a copy: a program that would move it would take it away where it is from."""
    if event.possibleActions() & Qt.DropAction.CopyAction:
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
    else:
        event.acceptProposedAction()


def offer(data: bytes) -> QMimeData:
    """The exact text; bytes that are no text travel beside it, for pasting them here again."""
    mime = QMimeData()
    mime.setText(data.decode("utf-8", "replace"))
    mime.setData(EXACT, data)
    return mime


def local_files(source: QMimeData) -> tuple[Path, ...]:
    """Those on this computer that are offered."""
    return tuple(Path(url.toLocalFile()) for url in source.urls() if url.isLocalFile())


def content(source: QMimeData) -> bytes | None:
    """The bytes of a text; None where what is offered is no whole Unicode text (Qt would mend it without a word)."""
    if source.hasFormat(EXACT):
        return bytes(source.data(EXACT).data())
    try:
        bytes(source.data("text/plain").data()).decode("utf-8")
        return source.text().encode("utf-8")
    except UnicodeError:
        return None
