"""What is shown while a newer answer is on its way: the old one dimmed, with what is waited for."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QWidget

from arplay.gui import kinds
from arplay.gui.playground.asking import SCORE_PAUSE_MS
from arplay.gui.theme import BODY, LIGHT, RADIUS, SPACE, Theme, interface_font
from arplay.gui.view import View
from arplay.gui.widgets.labels import capital

QUICK_MS = 250
"""An answer that comes sooner replaces the old one without a flicker."""
QUICK_SCORES_MS = QUICK_MS + SCORE_PAUSE_MS
"""So do scores, which are asked for after a pause of typing."""
DIM = 0.65
NOT_SCORED = "The text is not scored to its end: wait for it"


CONTROLS = QAbstractButton | QComboBox | QAbstractSpinBox | QLineEdit


class Veil(QWidget):
    """Lies over a widget without a part in its layout, and lets the mouse and the keys through.

    Controls can be used meanwhile, to hold or to end what is waited for, say, and stay as bright as they are.
    """

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self._over = over
        self.theme: Theme = LIGHT
        self.words = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        over.installEventFilter(self)
        self.hide()

    def lay(self, words: str) -> None:
        self.words = words
        self.setAccessibleName(words)
        self.setGeometry(self._over.rect())
        self.raise_()
        self.show()
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._over.rect())
        return False

    def _bright(self) -> QRegion:
        """Where the controls are that can be used."""
        found = QRegion()
        for part in self._over.findChildren(QWidget):
            if isinstance(part, CONTROLS) and part.isEnabled() and part.isVisible():
                found += part.visibleRegion().translated(part.mapTo(self._over, QPoint()))
        return found

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(DIM)
        painter.setClipRegion(QRegion(self.rect()) - self._bright())
        painter.fillRect(self.rect(), self.theme.color("background"))
        painter.setClipping(False)
        painter.setOpacity(1.0)
        font = interface_font(BODY)
        painter.setFont(font)
        room = self.width() - 6 * SPACE[1]
        words = painter.fontMetrics().elidedText(self.words, Qt.TextElideMode.ElideRight, room)
        wide = painter.fontMetrics().horizontalAdvance(words) + 4 * SPACE[1]
        high = min(painter.fontMetrics().height() + 2 * SPACE[1], self.height())
        plate = QRectF((self.width() - wide) / 2, (self.height() - high) / 2, wide, high)
        painter.setPen(self.theme.color("border"))
        painter.setBrush(self.theme.color("surface"))
        painter.drawRoundedRect(plate, RADIUS, RADIUS)
        painter.setPen(self.theme.color("text"))
        painter.drawText(plate, int(Qt.AlignmentFlag.AlignCenter), words)
        painter.end()


class Waiting(QObject):
    """Lays veils over widgets once something has been waited for longer than a moment."""

    def __init__(self, parent: QObject, quick_ms: int = QUICK_MS) -> None:
        super().__init__(parent)
        self.veils: list[Veil] = []
        self.words = ""
        self.theme: Theme = LIGHT
        self._late = False
        self._timer = QTimer(self, singleShot=True, interval=quick_ms)
        self._timer.timeout.connect(self._lay)

    def add(self, widget: QWidget) -> None:
        veil = Veil(widget)
        veil.theme = self.theme
        self.veils.append(veil)
        if self._late:
            veil.lay(self.words)

    def wait(self, words: str) -> None:
        """``words`` say what is waited for; "": the answer is there."""
        if words == self.words:
            return
        began, self.words = not self.words, words
        if not words:
            self._timer.stop()
            self._late = False
            for veil in self.veils:
                veil.hide()
        elif began:
            self._timer.start()
        elif self._late:
            self._lay()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        for veil in self.veils:
            veil.theme = theme
            veil.update()

    def _lay(self) -> None:
        self._late = True
        for veil in self.veils:
            veil.lay(self.words)


def waited_for(view: View) -> str:
    """What the answer at the caret waits for; "" where what is shown is of this moment, or where nothing is shown.

    >>> waited_for(View())
    ''
    """
    if not view.stale or view.loaded is None or view.problem is not None:
        return ""
    if view.excerpt_of is not None and view.selected is not None:
        return "Reading up to the chosen token…"
    return f"Reading {view.caret:,} {view.loaded.vocabulary.unit.many}…" if view.caret else "Reading the empty prefix…"


def scores_waited_for(view: View) -> str:
    """What the scores wait for; "" where they are of this text, or of its beginning while Play writes on.

    >>> scores_waited_for(View())
    ''
    """
    if not view.scores_are_old or view.scores_follow:
        return ""
    if view.scoring:
        unit = view.ledger.unit.many if view.ledger is not None else ""
        return f"Scoring {len(view.document):,} {unit}…"
    return "Scores of the text before the last change"


def no_scores(view: View) -> str:
    """What stands in place of scores that are not there, or not yet; "" where there is nothing to be scored.

    >>> no_scores(View()), no_scores(View(busy="Loading english"))
    ('No model is loaded yet: choose one in the Model menu.', 'Loading english')
    """
    if view.problem is not None:
        return "\n".join(f"{capital(part)}." for part in view.problem)
    if view.loaded is None:
        return view.work or view.no_model
    if view.loaded.can.no_scores:
        return f"No score: {view.loaded.can.no_scores}."
    if view.halted and view.ledger is None:
        return f"Scoring was {view.halted} before anything was known."
    if len(view.document) and (view.ledger is None or not view.ledger.complete):
        return view.work or f"Scoring the {kinds.of_document(view.document).noun}…"
    return ""
