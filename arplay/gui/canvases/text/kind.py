"""Texts, as the window knows them."""

from __future__ import annotations

from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.gui.canvases.kind import Kind
from arplay.gui.canvases.text.area import too_long
from arplay.gui.canvases.text.canvas import TextCanvas
from arplay.gui.canvases.text.heat.sheet import HeatSheet
from arplay.gui.canvases.text.heat.view import HeatView
from arplay.gui.canvases.text.new_chat import NewChat

TEXT = Kind(
    name="text",
    noun="text",
    tokens=Vocabulary,
    document=Text,
    blank=lambda tokens: Text(),
    suits=lambda text, tokens: True,
    canvas=TextCanvas,
    heat=HeatView,
    sheet=HeatSheet,
    in_parts=True,
    long=lambda text: too_long(text.data),
    verb="write",
    first="Type here. The caret is the place in the chain: everything before it is the prefix. ← and → move it.",
    other="Go back with ← into the middle of the text and press Ctrl+. (or right-click a token): choose with ↓, and "
    "Enter writes another token there. Ctrl+B branches: one that was not tried yet. What followed is kept.",
    chat=NewChat,
)
