"""What every panel must do, as functions: the suite runs them on the catalogue, its controls on broken panels."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QWidget,
)

from arplay.gui import theme
from arplay.gui.contract import Panel
from arplay.gui.theme import DARK, LIGHT, Theme
from arplay.gui.view import View
from tests.panel_views import VIEWS, empty, growing, loading, textbook

Make = Callable[[], Panel]
SMALLEST, USUAL = (200, 120), (640, 480)
DRAWN_PIXELS = 60
"""A picture with fewer pixels than this that differ from its background shows nothing: about two letters."""


def pixels(image: QImage) -> np.ndarray:
    """The colours as 0xRRGGBB, shape (height, width)."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    flat = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    return flat[:, : image.width()] & 0xFFFFFF


def ground(image: QImage) -> tuple[int, int]:
    """The most frequent colour, and how many pixels differ from it."""
    every = pixels(image)
    middle = np.median(every[::7, ::7].ravel()[:999]).astype(np.uint32)  # a colour of more than half of a picture
    same = int(np.count_nonzero(every == middle))
    if 2 * same > every.size:
        return int(middle), every.size - same
    colours, counts = np.unique(every, return_counts=True)
    return int(colours[counts.argmax()]), int(counts.sum() - counts.max())


def drawn(image: QImage) -> int:
    """How many pixels differ from the most frequent colour."""
    return ground(image)[1]


def lightness(colour: int) -> float:
    """Of 0xRRGGBB, 0..255."""
    return 0.2126 * (colour >> 16) + 0.7152 * (colour >> 8 & 255) + 0.0722 * (colour & 255)


@contextmanager
def opened(make: Make) -> Iterator[Panel]:
    """A panel inside a visible host, as in the window; a widget of its own could not be made as small."""
    panel = make()
    host = QWidget()
    panel.setParent(host)
    panel.resize(*USUAL)
    host.show()
    panel.show()
    try:
        yield panel
    finally:
        host.close()
        host.deleteLater()
        QCoreApplication.sendPostedEvents(host, QEvent.Type.DeferredDelete.value)


def picture(panel: Panel, view: View) -> QImage:
    panel.show_view(view)
    QApplication.processEvents()
    return panel.grab().toImage()


def wear(panel: Panel, look: Theme) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.apply(app, look)
    panel.set_theme(look)


def draws(make: Make, view: View) -> None:
    """The view is drawn at every size, light and dark, with something on it, and nothing is asked of the window."""
    intents: list[object] = []
    with opened(make) as panel:
        panel.intent.connect(intents.append)
        least = panel.minimumSizeHint()
        sizes = [USUAL, SMALLEST] + ([least.toTuple()] if least.isValid() and not least.isEmpty() else [])
        for look in (LIGHT, DARK):
            wear(panel, look)
            for size in sizes:
                panel.resize(*size)
                colour, differing = ground(picture(panel, view))
                assert differing >= DRAWN_PIXELS, f"empty picture: {look.name}, {size}"
                assert (lightness(colour) < 128) == (look is DARK), f"not in its theme: {look.name}, {size}"
    assert intents == [], f"showing a view asked for {intents}"


def squeezes(make: Make) -> None:
    """The window may make the panel as small as it likes, down to SMALLEST at least."""
    with opened(make) as panel:
        least = panel.minimumSizeHint().expandedTo(panel.minimumSize())
        assert least.width() <= SMALLEST[0] and least.height() <= SMALLEST[1], f"no smaller than {least.toTuple()}"


def goes_through(make: Make) -> None:
    """One panel shows every view after every other, as it does in the window, and back to the empty one."""
    with opened(make) as panel:
        wear(panel, LIGHT)
        for kind in (*VIEWS, *reversed(VIEWS)):
            assert drawn(picture(panel, kind())) >= DRAWN_PIXELS, f"empty picture: {kind.__name__}"


def follows(make: Make) -> None:
    """What is shown depends on the view."""
    with opened(make) as panel:
        wear(panel, LIGHT)
        before, after = (pixels(picture(panel, kind())) for kind in (empty, textbook))
        assert not np.array_equal(before, after), "the same picture for no model and for one"


def exports(make: Make, view: View) -> None:
    """The exported picture, if there is one, has something on it, light and dark."""
    with opened(make) as panel:
        for look in (LIGHT, DARK):
            wear(panel, look)
            panel.show_view(view)
            size = panel.chart_size()
            if size is None:
                return
            assert min(size) > 0
            scale = min(1.0, 4000 / max(size))
            image = QImage(math.ceil(size[0] * scale), math.ceil(size[1] * scale), QImage.Format.Format_RGB32)
            image.fill(look.color("surface"))
            painter = QPainter(image)
            panel.paint_chart(painter, QRectF(image.rect()))
            painter.end()
            assert drawn(image) >= DRAWN_PIXELS, f"empty chart: {look.name}"


def is_freed(make: Make) -> None:
    """A closed panel is deleted in Qt and forgotten in Python."""
    gone: list[None] = []
    with opened(make) as panel:
        for kind in (textbook, growing, loading):
            picture(panel, kind())
        panel.destroyed.connect(lambda: gone.append(None))
        reference = weakref.ref(panel)
        del panel
    assert gone, "Qt did not delete it"
    gc.collect()
    assert reference() is None, f"kept alive by {[type(holder).__name__ for holder in gc.get_referrers(reference())]}"


def introduces_itself(make: Make) -> None:
    """Name, title and an explanation; every control can be read aloud and explains itself."""
    with opened(make) as panel:
        assert panel.name.isidentifier()
        assert panel.title
        assert "<" in panel.explanation, "the explanation is rich text"
        unexplained = [
            f"{type(control).__name__} {control.accessibleName()}"
            for control in controls(panel)
            if not control.toolTip() or not (control.accessibleName() or getattr(control, "text", str)())
        ]
        assert unexplained == [], f"no tooltip or no accessible name: {unexplained}"


def controls(panel: Panel) -> list[QWidget]:
    """The widgets that a person operates (not the parts of one, such as a spin box's own line)."""
    kinds = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit)
    return [
        control
        for kind in kinds
        for control in panel.findChildren(kind)
        if not isinstance(control, QScrollBar)
        and not isinstance(control.parent(), kinds)
        and not control.objectName().startswith("qt_")
        and not (control.isHidden() and isinstance(control, QAbstractButton) and not control.text())  # has no use here
    ]
