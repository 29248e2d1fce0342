"""The panel of what a step costs, where a model keeps rows, queues or a state: its words, its field, its export."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
from pytestqt.qtbot import QtBot

from arplay.core.modalities.image import Picture, Raster
from arplay.engine.field import Reached
from arplay.gui import exports
from arplay.gui.canvases.field import DistanceField
from arplay.gui.canvases.picture.field import PictureField, told_of
from arplay.gui.intents import CaretMoved, Do
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.kv_cache import KvCachePanel
from arplay.gui.widgets.cache import facts
from arplay.models.base import Field
from arplay.models.families.pixelcnn.network import Sizes
from arplay.models.families.wavenet.network import Sizes as SoundSizes
from arplay.models.hf.networks import save
from tests import test_pixelcnn, test_recurrent, test_wavenet
from tests.panel_views import growing, many_steps
from tests.tiny_models import one_thread, save_tokenizer, tokenizer
from tests.windows_open import PATIENCE, Open, opened, settle

__all__ = ["one_thread", "opened"]

SIDE = 7


def shown(window: MainWindow, qtbot: QtBot) -> KvCachePanel:
    """The panel, once the field of the place and a pass with nothing kept are there."""
    play = window.playground
    window.docks["kv_cache"].raise_()
    qtbot.waitUntil(lambda: play.view.reached_here is not None, timeout=PATIENCE)
    play.handle(Do("recompute"))
    qtbot.waitUntil(lambda: any(t.difference is not None for t in play.view.timings), timeout=PATIENCE)
    panel = cast(KvCachePanel, window.panels["kv_cache"])
    qtbot.waitUntil(lambda: panel.view.reached_here is not None, timeout=PATIENCE)
    return panel


def names(panel: KvCachePanel) -> str:
    return " ".join(figure.name for figure in panel.figures.figures)


def test_the_blind_spot_of_one_stack_is_found_on_the_grid(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    made = test_pixelcnn.network(Sizes(SIDE, SIDE, 3, 3, 4, stacks=1))
    made.float().save_pretrained(folder)
    window = opened(str(folder), None)
    play = window.playground
    tokens = cast(Raster, play.view.loaded and play.view.loaded.vocabulary)
    levels = np.random.default_rng(0).integers(0, 3, (SIDE, SIDE))
    levels.ravel()[6 * SIDE :] = -1
    play.open_document(tokens.levels(levels), at_end=False)
    settle(window, qtbot)
    play.handle(CaretMoved(6 * SIDE))
    settle(window, qtbot)
    play.handle(Do("step"))
    settle(window, qtbot)
    panel = shown(window, qtbot)
    field = panel._shown
    assert isinstance(field, PictureField) and field.isVisible()
    reached = panel.view.reached_here
    assert reached is not None and reached.index == 6 * SIDE + 1
    assert field.grid.cells.blind == set(np.flatnonzero(reached.field.blind).tolist()) != set()
    assert field.grid.cells.declared == set(np.flatnonzero(reached.field.gradient > 0).tolist())
    blind = min(field.grid.cells.blind)
    assert "blind spot" in told_of(reached, blind) and "blind spot" in panel.reach.full
    read = max(field.grid.cells.declared)
    assert told_of(reached, read).startswith("pixel (7, 1): read, gradient ")
    assert told_of(reached, 48).endswith("comes later")
    assert "rows kept" in names(panel) and "of a fixed size" in names(panel)
    assert panel.verdict.full == "Same answer both ways but for float32 rounding"
    size = panel.chart_size()
    assert size is not None and size[1] > size[0] / 2
    for suffix, magic in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".csv", b"#"), (".json", b"{")):
        file = tmp_path / f"cost{suffix}"
        assert exports.of_panel(panel, window).save(file)
        assert file.read_bytes().startswith(magic)
    play.handle(CaretMoved(5))  # another pixel, another field
    qtbot.waitUntil(lambda: field.grid.marked == 5, timeout=PATIENCE)
    play.handle(CaretMoved(0))
    settle(window, qtbot)
    qtbot.waitUntil(lambda: panel.reach.full == "Nothing comes before it", timeout=PATIENCE)
    told: list[str] = []
    play.reported.connect(lambda cause, remedy: told.append(cause))
    play.open_document(tokens.levels(np.zeros((SIDE, SIDE), np.int64)), at_end=True)  # behind it nothing comes
    settle(window, qtbot)
    qtbot.waitUntil(lambda: len(play.comparing._tried) > 0, timeout=PATIENCE)  # it was thought of
    qtbot.waitUntil(lambda: not play.view.recomputing, timeout=PATIENCE)
    assert not told and play.view.problem is None
    play.handle(Do("recompute"))
    assert told == ["nothing comes next here, so no step is to be measured"]


def test_queues_are_seen_over_the_distance(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    sizes = SoundSizes(levels=9, width=4, skip=4, stages=3, cycles=2, rate=8000)
    model = test_wavenet.opened(tmp_path, sizes)
    window = opened(str(tmp_path), None)
    play = window.playground
    play.open_document(model.alphabet.sound(bytes(test_wavenet.drawn(sizes, 40))), at_end=True)
    settle(window, qtbot)
    play.handle(Do("step"))
    settle(window, qtbot)
    panel = shown(window, qtbot)
    field = panel._shown
    assert isinstance(field, DistanceField) and field.isVisible()
    reached = panel.view.reached_here
    assert reached is not None and np.count_nonzero(reached.field.declared) == sizes.field < reached.index
    connected, gradient = field.plot.series
    assert connected.x.tolist() == list(range(1, sizes.field + 1)) == gradient.x[~np.isnan(gradient.y)].tolist()
    assert field.words(1.0).startswith("1 token back: read, gradient ")
    assert field.words(float(sizes.field + 1)).endswith("back: not connected")
    assert "a queue a layer" in names(panel) and "Same answer" in panel.verdict.full


def test_the_state_of_an_lstm_fades(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    save(test_recurrent.network(), tmp_path)
    save_tokenizer(tmp_path, tokenizer(adds_separator=True))
    window = opened(str(tmp_path), b"the cat sat on the mat and the dog sat on the log")
    window.playground.handle(Do("step"))
    settle(window, qtbot)
    panel = shown(window, qtbot)
    assert isinstance(panel._shown, DistanceField)
    assert "the state" in names(panel) and panel.reach.full.endswith(", as connected")


def test_a_gradient_from_what_is_not_connected_is_told() -> None:
    """The negative control: no model of arplay's gives this."""
    raster = Raster(2, 2, ".#", (0, 1, 2, 3))
    picture = Picture(2, ".#", (0, 1, None, None))
    field = Field(np.array([False, True]), np.array([0.5, 0.25]), np.zeros(2, bool))

    reached = Reached(1, raster, picture, None, growing().loaded.info, 2, field)  # type: ignore[union-attr]
    assert "and 1 that are NOT connected" in facts.reach(reached)
    assert told_of(reached, 0) == "pixel (1, 1): not connected, and yet a gradient of 0.5"


def test_a_transformer_has_no_field_and_its_words_stay(qtbot: QtBot) -> None:
    panel = KvCachePanel()
    qtbot.addWidget(panel)
    panel.show_view(many_steps())
    assert "with the KV cache" in names(panel) and not panel.field.isVisibleTo(panel)
