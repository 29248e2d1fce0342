"""The views of training on the screen, with made-up results."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from arplay.engine.replay import ReplayEnded
from arplay.gui import theme
from arplay.gui.theme import LIGHT, Theme
from arplay.gui.training.one_batch import OneBatchView
from arplay.gui.training.replay import ReplayView
from tests.replays import TEXT, batch_losses, loaded, replays, state, vocabulary


def shown(qtbot: QtBot, view: QWidget, look: Theme = LIGHT, size: tuple[int, int] = (1000, 600)) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.apply(app, look)
    qtbot.addWidget(view)
    assert isinstance(view, ReplayView | OneBatchView)
    view.set_theme(look)
    view.resize(*size)
    view.show()


class Asked:
    """Everything that a view asked for."""

    def __init__(self, view: ReplayView | OneBatchView) -> None:
        self.all: list[object] = []
        view.asked.connect(self.all.append)

    @property
    def last(self) -> object:
        return self.all[-1]


def answer(view: ReplayView, index: int | None = None, **how: object) -> None:
    for each in replays(index, **how):  # type: ignore[arg-type]
        view.show_result(each)
    view.show_result(ReplayEnded(1))


def replaying(qtbot: QtBot, look: Theme = LIGHT, **how: object) -> ReplayView:
    view = ReplayView()
    shown(qtbot, view, look)
    view.chart.bars.animate = False
    view.set_run(state())
    answer(view, **how)
    return view


def teaching(qtbot: QtBot, look: Theme = LIGHT) -> OneBatchView:
    view = OneBatchView()
    shown(qtbot, view, look)
    view.set_model(loaded(vocabulary()))
    view.suggest_text(TEXT)
    view.run.click()
    view.show_result(batch_losses())
    return view
