"""How long reading takes here, at the speed that was measured with the window's model."""

from __future__ import annotations

from arplay.core.format import rough
from arplay.gui.view import View


def speed_of(view: View) -> float | None:
    """Tokens that this model reads a second here, as it was measured: of a text, else of the longest prefix."""
    read = [each for each in view.timings if each.kind == "prefill" and each.evaluated > 1 and each.seconds > 0]
    longest = max(read, key=lambda each: each.evaluated, default=None)
    if view.speed is not None or longest is None:
        return view.speed
    return longest.evaluated / longest.seconds


def takes(tokens: int, view: View) -> str:
    """How long so many tokens take, to stand behind their number; "" where no speed was measured.

    >>> takes(70_000, View(speed=500.0)), takes(70_000, View())
    (', about 2 min 20 s', '')
    """
    speed = speed_of(view)
    return "" if speed is None else f", about {rough(max(1.0, tokens / speed))}"
