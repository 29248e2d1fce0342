"""A hand drags and zooms the tree and the blocks of ten thousand states: ``python -m tests.benchmarks.tree``.

What is measured is what the window's thread computes for a picture, beside laying all out anew, which it does where a
state is new and never while a hand moves it.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.benchmarks.harness import row

if TYPE_CHECKING:
    from arplay.gui.widgets.tree.board import Board

NODES, MOVES, BAR = 10_000, 40, 1000 / 60


def cost(act: Callable[[], object]) -> float:
    """Milliseconds of this thread for it and for what is painted then."""
    from PySide6.QtWidgets import QApplication

    began = time.thread_time()
    act()
    QApplication.processEvents()
    return 1000 * (time.thread_time() - began)


def dragged(board: Board, scale: float) -> list[float]:
    """Of pictures between which it moves by a few pixels."""
    from PySide6.QtCore import QPointF

    rng, times = random.Random(1), []
    board.fit()
    board.zoom(scale / board.scale, QPointF(500, 300))
    cost(board.update)
    for _ in range(MOVES):
        board.move_by(rng.uniform(-30, 30), rng.uniform(-30, 30))
        times.append(cost(board.update))
    return times


def zoomed(board: Board) -> list[float]:
    from PySide6.QtCore import QPointF

    board.fit()
    times = []
    for at in range(MOVES):
        board.zoom(1.2 if at < MOVES // 2 else 1 / 1.2, QPointF(500, 300))
        times.append(cost(board.update))
    return times


def main() -> None:
    from arplay.gui import app
    from arplay.gui.panels.history import HistoryPanel
    from arplay.gui.view import View
    from tests.test_history_tree import grown, write

    app.application()
    panel = HistoryPanel()
    panel.resize(1000, 600)
    panel.show()
    tree = grown(NODES)

    def shown() -> None:
        panel.show_view(View(document=tree.document, tree=tree, node=tree.node, states=tree.count))

    for place, name in ((1, "the tree"), (2, "the blocks")):
        panel.show_as(place)
        first, board, anew = cost(shown), panel.boards[place - 1], []
        for id in range(5):
            write(tree, id, 0.5)
            anew.append(cost(shown))
        baseline = f"laid out first: {first:.0f} ms, with a state more: {statistics.median(anew):.0f} ms"
        board.fit()
        for scale, words in ((board.scale, "seen whole"), (0.55, "just readable"), (1.0, "at its own size")):
            times = dragged(board, scale)
            row(f"dragging {name} of {NODES:,}, {words}", statistics.median(times), "ms of CPU", BAR, baseline)
        times = zoomed(board)
        row(f"zooming {name} of {NODES:,}", statistics.median(times), "ms of CPU", BAR, f"at most {max(times):.1f}")


main()
