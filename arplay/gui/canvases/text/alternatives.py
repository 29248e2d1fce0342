"""The best tokens for the place of the caret, in a menu at the caret: arrows and Enter write one there."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu

from arplay.core.format import percent
from arplay.gui.canvases.text.area import TextArea
from arplay.gui.view import View
from arplay.gui.widgets.labels import label

COUNT = 5


def alternatives(area: TextArea, view: View, take: Callable[[int], object]) -> QMenu | None:
    """The open menu, with p by the model itself; the token that stands there has a mark. None where p is not known."""
    answer, loaded = view.answer, view.loaded
    if answer is None or loaded is None or answer.distribution is None:
        return None
    menu = QMenu(area)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.setAccessibleName("Other tokens for this place")
    for rank, id in enumerate(answer.distribution.top(COUNT).tolist(), 1):
        words = label(loaded.vocabulary.label(id)).replace("&", "&&").replace("\t", " ")
        logprob = answer.distribution.logprob(id)
        assert logprob is not None, "it is one of the best"
        action = menu.addAction(f"&{rank}  {words}\t{percent(math.exp(logprob))}")
        action.setCheckable(True)
        action.setChecked(id == answer.prefix.actual)
        action.triggered.connect(lambda _, id=id: take(id))
    menu.popup(area.viewport().mapToGlobal(area.cursorRect().bottomLeft()))
    menu.setActiveAction(menu.actions()[0])
    return menu
