"""A model of pictures in the real window: painted and sampled by mouse and keys, undone, exported, kept."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from arplay.cli import main
from arplay.core.errors import Problem
from arplay.core.modalities.image import Picture, Raster
from arplay.gui import app, exports, files, kinds
from arplay.gui.canvases.picture.canvas import CLEAR, GO, PictureCanvas
from arplay.gui.canvases.picture.heat import PictureHeat
from arplay.gui.canvases.text.area import TextArea
from arplay.gui.canvases.text.canvas import TextCanvas
from arplay.gui.intents import CaretMoved, Do, Find, Goto, Seek, Take
from arplay.gui.main_window import MainWindow
from arplay.gui.options import WindowOptions
from arplay.gui.panels.editor import EditorPanel
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.gui.tour import Tour, stops
from arplay.gui.widgets.caption import Caption
from arplay.gui.widgets.picture.grid import PictureGrid
from tests.windows_open import PATIENCE, Open, opened, settle

__all__ = ["opened"]

CROSS = "#.#\n.#.\n#.#\n"


def canvas(window: MainWindow) -> PictureCanvas:
    found = cast(EditorPanel, window.panels["editor"]).canvas
    assert isinstance(found, PictureCanvas) and found.isVisible()
    return found


def area(window: MainWindow) -> TextArea:
    found = cast(EditorPanel, window.panels["editor"]).canvas
    assert isinstance(found, TextCanvas)
    return found.area


def heat(window: MainWindow) -> PictureHeat:
    found = cast(HeatmapPanel, window.panels["heatmap"]).heat
    assert found is not None and found.isVisible()
    return found


def press(grid: PictureGrid, cell: int, button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
    QTest.mouseClick(grid, button, Qt.KeyboardModifier.NoModifier, grid.rect_of(cell).center().toPoint())


def rows(window: MainWindow) -> list[str]:
    return cast(Picture, window.playground.document).rows


def scored(window: MainWindow, qtbot: QtBot) -> None:
    settle(window, qtbot)
    qtbot.waitUntil(lambda: not window.playground.busy_scoring(), timeout=PATIENCE)


def test_steps_fill_the_picture_and_the_totals_are_those_of_the_command(
    opened: Open, qtbot: QtBot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    window = opened("xo")
    play = window.playground
    assert rows(window) == ["???"] * 3
    grid = canvas(window).grid
    grid.setFocus()
    for count in range(1, 10):
        QTest.keyClick(grid, Qt.Key.Key_Space)
        settle(window, qtbot)
        assert play.view.caret == count and grid.marked == (count if count < 9 else None)
    scored(window, qtbot)
    assert "complete" in canvas(window).words.text()
    assert play.view.answer is not None and play.view.answer.distribution is None and play.view.problem is None
    ledger = play.view.ledger
    assert ledger is not None and ledger.complete
    (tmp_path / "p.txt").write_text("\n".join(rows(window)))
    assert main(["score", str(tmp_path / "p.txt"), "--model", "xo", "--json"]) == 0
    totals = json.loads(capsys.readouterr().out)["totals"]
    assert ledger.totals.nll_nats == pytest.approx(totals["nll_nats"], abs=1e-12)
    assert ledger.totals.bits_per_unit == pytest.approx(totals["bits_per_dimension"], abs=1e-12)
    # the same seed and places as `arplay sample`
    assert main(["sample", "--model", "xo", "--prompt", "", "--seed", str(play.view.settings.seed), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["text"].split("\n") == rows(window)
    for _ in range(9):
        play.undo_stack.undo()
    settle(window, qtbot)
    assert rows(window) == ["???"] * 3 and play.view.caret == 0


def test_paint_by_mouse_and_keys(opened: Open, qtbot: QtBot) -> None:
    window = opened("xo")
    made, play = canvas(window), window.playground
    made.choices.button(1).click()
    press(made.grid, 0)
    press(made.grid, 8)
    settle(window, qtbot)
    assert rows(window) == ["#??", "???", "??#"] and play.view.caret == 1
    assert "1 painted pixel comes later" in made.words.text()
    press(made.grid, 1, Qt.MouseButton.RightButton)
    press(made.grid, 1, Qt.MouseButton.RightButton)
    assert rows(window)[0] == "##?"
    made.choices.button(CLEAR).click()
    press(made.grid, 0)
    settle(window, qtbot)
    assert rows(window)[0] == "?#?" and play.view.caret == 0
    made.grid.setFocus()
    QTest.keyClick(made.grid, Qt.Key.Key_1)
    settle(window, qtbot)
    assert rows(window)[0] == "##?" and play.view.caret == 2
    QTest.keyClick(made.grid, Qt.Key.Key_Left)
    settle(window, qtbot)
    assert play.view.caret == 1
    QTest.keyClick(made.grid, Qt.Key.Key_Delete)
    settle(window, qtbot)
    assert rows(window)[0] == "#??"


@pytest.mark.parametrize(("model", "cell"), [("xo", 2), ("xo", 8), ("xo-centre", 0), ("xo-centre", 4)])
def test_a_pixel_fixed_ahead_is_kept_by_steps_and_samples(
    opened: Open, qtbot: QtBot, capsys: pytest.CaptureFixture[str], model: str, cell: int
) -> None:
    window = opened(model)
    made = canvas(window)
    made.choices.button(0).click()
    press(made.grid, cell)
    given = "\n".join(rows(window))
    for _ in range(8):
        window.playground.handle(Do("step"))
        settle(window, qtbot)
    assert "?" not in "".join(rows(window)) and "".join(rows(window))[cell] == "."
    seed = str(window.playground.view.settings.seed)
    for n, left in (("8", 0), ("9", 0), ("3", 5)):
        assert main(["sample", "--model", model, "--prompt", given, "--seed", seed, "-n", n]) == 0
        drawn = "".join(capsys.readouterr().out.split())
        assert drawn.count("?") == left and drawn[cell] == "."
        assert all(one in ("?", other) for one, other in zip(drawn, "".join(rows(window)), strict=True))


def test_a_click_shows_what_was_expected_there(opened: Open, qtbot: QtBot) -> None:
    window = opened("xo")
    play = window.playground
    for _ in range(5):
        play.handle(Do("step"))
        settle(window, qtbot)
    scored(window, qtbot)
    ledger = play.view.ledger
    assert ledger is not None
    press(canvas(window).grid, 2)
    settle(window, qtbot)
    answer = play.view.answer
    assert answer is not None and answer.distribution is not None and answer.prefix.index == 2
    assert answer.distribution.logprob(int(ledger.ids[2])) == pytest.approx(float(ledger.logprob[2]))
    press(heat(window).grid, 3)
    settle(window, qtbot)
    assert play.view.selected == 3 and canvas(window).grid.marked == 3
    press(canvas(window).grid, 8)  # behind the first open pixel
    assert play.view.caret == 3 and "not painted yet" in canvas(window).words.text()
    before = rows(window)
    play.handle(Take(1 - int(ledger.ids[3])))  # a pick replaces this pixel alone
    settle(window, qtbot)
    after = rows(window)
    assert sum(a != b for a, b in zip("".join(before), "".join(after), strict=True)) == 1
    assert play.view.caret == 5


def test_the_text_waits_for_a_model_of_texts(opened: Open, qtbot: QtBot) -> None:
    window = opened("abc", text=b"BAC")
    play = window.playground
    play.handle(Do("rewind"))
    play.load_model("xo")
    qtbot.waitUntil(lambda: isinstance(play.document, Picture), timeout=PATIENCE)
    settle(window, qtbot)
    assert "text is kept" in window.statusBar().currentMessage()
    play.handle(Do("step"))
    settle(window, qtbot)
    picture = play.document
    play.load_model("abc")
    qtbot.waitUntil(lambda: not isinstance(play.document, Picture), timeout=PATIENCE)
    settle(window, qtbot)
    assert play.table.text.file == b"BAC" and area(window).isVisible()
    play.load_model("xo")
    qtbot.waitUntil(lambda: isinstance(play.document, Picture), timeout=PATIENCE)
    settle(window, qtbot)
    assert play.document == picture
    play.undo_stack.undo()
    settle(window, qtbot)
    assert rows(window) == ["???"] * 3


def test_what_belongs_to_texts_is_refused_in_words(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("xo")
    play = window.playground
    told: list[str] = []
    play.reported.connect(lambda cause, remedy: told.append(cause))
    play.refused.connect(told.append)
    window.menus.text.edit[0].trigger()
    play.handle(Find("a", False))
    play.handle(Seek("surprise", 1))
    play.handle(Do("retokenise"))
    assert any("no text to search" in words for words in told) and any("re-tokenise" in words for words in told)
    (tmp_path / "prose.txt").write_text("It was a dark night.")
    window.open_file(tmp_path / "prose.txt")
    assert window.notice.said is not None and "picture" in window.notice.said[0]
    assert rows(window) == ["???"] * 3


def test_the_tools_are_whole_in_a_crowded_window(opened: Open, qtbot: QtBot) -> None:
    window = opened("xo")
    window.resize(1000, 600)
    window.notice.report("the window is crowded", "look at the tools")
    for height in (100, 2000):
        window.resizeDocks([window.docks["heatmap"]], [height], Qt.Orientation.Vertical)
        QTest.qWait(1)
        for button in canvas(window).choices.buttons():
            assert button.height() >= button.sizeHint().height() and not button.visibleRegion().isEmpty()


def test_pictures_are_opened_dropped_and_saved(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("xo")
    (tmp_path / "cross.txt").write_text(CROSS)
    window.open_file(tmp_path / "cross.txt")
    scored(window, qtbot)
    assert rows(window) == CROSS.split() and window.windowTitle().startswith("cross.txt")
    assert files.save(tmp_path / "again.txt", window) and (tmp_path / "again.txt").read_text() == CROSS
    (tmp_path / "ring.txt").write_text("###\n#.#\n###\n")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "ring.txt"))])
    event = QDropEvent(
        QPointF(300, 300), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    window.dropEvent(event)
    scored(window, qtbot)
    assert rows(window) == ["###", "#.#", "###"]
    play = window.playground
    play.undo_stack.undo()
    settle(window, qtbot)
    assert rows(window) == CROSS.split()
    play.handle(Goto(play.tree.root))
    settle(window, qtbot)
    assert rows(window) == ["???"] * 3


@pytest.mark.parametrize("name", ["next_token", "heatmap", "ledger"])
def test_every_panel_is_exported(name: str, opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("xo")
    (tmp_path / "part.txt").write_text("#.#\n.??\n???\n")
    window.open_file(tmp_path / "part.txt")
    scored(window, qtbot)
    window.docks[name].show()
    window.docks[name].raise_()
    settle(window, qtbot)
    for suffix in (".png", ".svg", ".pdf", ".csv", ".json"):
        assert exports.of_panel(window.panels[name], window).save(tmp_path / f"x{suffix}"), window.notice.said
    checked(tmp_path, name, "x")


def checked(folder: Path, name: str, stem: str, pixels: int = 4) -> None:
    """Each file of an export is one of its kind, and its data is of the picture."""
    for suffix, start in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")):
        assert (folder / f"{stem}{suffix}").read_bytes().startswith(start)
    content = json.loads((folder / f"{stem}.json").read_text())
    lines = [line for line in (folder / f"{stem}.csv").read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    if name == "next_token":
        assert math.fsum(item["prob"] for item in content["top"]) == pytest.approx(1)
        assert math.fsum(float(row["prob"]) for row in rows) == pytest.approx(1)
    else:
        assert content["totals"]["pixels"] == len(rows) == pixels and content["tokens"][1]["column"] == 1
        assert [float(row["logprob"]) for row in rows] == [token["logprob"] for token in content["tokens"]]


@pytest.mark.parametrize("chart", ["bars", "heatmap", "ledger"])
def test_the_command_exports_pictures(chart: str, qapp: object, tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("#.#\n.??\n???\n" if chart == "bars" else CROSS)
    for suffix in ("png", "svg", "pdf", "csv", "json"):
        out = str(tmp_path / f"x.{suffix}")
        assert main(["export", str(tmp_path / "p.txt"), "--chart", chart, "--model", "xo", "--out", out]) == 0
    checked(tmp_path, {"bars": "next_token"}.get(chart, chart), "x", 9)


def test_the_bars_of_a_whole_picture_are_refused_in_words_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "whole.txt").write_text(CROSS)
    command = ["export", str(tmp_path / "whole.txt"), "--model", "xo", "--out", str(tmp_path / "x.csv"), "--chart"]
    assert main([*command, "bars"]) != 0
    said = capsys.readouterr().err
    assert "whole.txt is complete" in said and "--chart heatmap or " in said
    for chart in ("heatmap", "ledger"):  # what it advises works
        assert main([*command, chart]) == 0


@pytest.mark.parametrize("given", [{"prompt": "#.# .#."}, {"text_file": Path("p.txt")}])
def test_the_window_begins_with_the_picture_that_is_given(
    given: dict[str, Any], qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.txt").write_text("#.# .#. ???")
    view = app.picture(WindowOptions(model="xo", **given), tmp_path / "w.png")
    assert cast(Picture, view.document).rows == ["#.#", ".#.", "???"] and view.ledger is not None
    with pytest.raises(Problem, match="no level of this model"):
        app.picture(WindowOptions(model="xo", prompt="It was"), tmp_path / "w.png")


def test_another_raster_begins_anew(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    content = json.loads((Path(__file__).parent.parent / "assets" / "models" / "xo.json").read_text())
    content |= {"order": [0, 1], "patterns": [{"p": 1, "slip": 0.25, "rows": ["#."]}]}
    (tmp_path / "two.json").write_text(json.dumps(content))
    window = opened("xo")
    play = window.playground
    play.handle(Do("step"))
    settle(window, qtbot)
    play.load_model(str(tmp_path / "two.json"))
    qtbot.waitUntil(lambda: len(play.document) == 2, timeout=PATIENCE)
    settle(window, qtbot)
    assert rows(window) == ["??"]
    assert isinstance(play.view.loaded and play.view.loaded.vocabulary, Raster)
    assert canvas(window).choices.checkedId() == GO


@pytest.mark.parametrize(("side", "signs"), [(8, ".-+#"), (32, "0123456789abcdef")])
def test_a_larger_raster_with_more_levels(side: int, signs: str, opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    faces = ["".join(signs[(row * column) % len(signs)] for column in range(side)) for row in range(side)]
    patterns = [{"p": 0.9, "slip": 0.05, "rows": faces}, {"p": 0.1, "slip": 0.5, "rows": [signs[0] * side] * side}]
    (tmp_path / "large.json").write_text(json.dumps({"name": "large", "signs": signs, "patterns": patterns}))
    window = opened(str(tmp_path / "large.json"))
    window.resize(1280, 800)
    made, play = canvas(window), window.playground
    qtbot.waitUntil(lambda: made.grid.rect_of(0).width() >= 4)
    assert made.rect().contains(made.grid.geometry())
    for button in made.choices.buttons():
        assert button.width() >= button.sizeHint().width() or not button.text(), "its name is not cut"
        assert made.rect().contains(button.rect().translated(button.mapTo(made, button.rect().topLeft())))
    assert not made._side.geometry().intersects(made.grid.geometry())
    made.grid.setFocus()
    for key in (Qt.Key.Key_3, Qt.Key.Key_0, Qt.Key.Key_Space):
        QTest.keyClick(made.grid, key)
        settle(window, qtbot)
    made.choices.button(len(signs) - 1).click()
    press(made.grid, side * side - 1)
    press(made.grid, 1, Qt.MouseButton.RightButton)
    settle(window, qtbot)
    assert rows(window)[0].startswith(signs[3] + signs[1]) and rows(window)[-1][-1] == signs[-1]
    made.choices.button(GO).click()
    press(made.grid, 2)
    QTest.keyClick(made.grid, Qt.Key.Key_Left)
    settle(window, qtbot)
    assert play.view.caret == 1 and made.grid.marked == 1
    play.open_document(cast(Raster, play.view.loaded and play.view.loaded.vocabulary).picture(faces), None)
    scored(window, qtbot)
    assert any("= in this order" in words for words in shown(window)) and heat(window).grid.rect_of(0).width() >= 4


def shown(window: MainWindow) -> list[str]:
    return [line.accessibleName() for line in window.panels["ledger"].findChildren(Caption)]


def test_another_order_has_other_steps_and_the_same_total(opened: Open, qtbot: QtBot) -> None:
    window = opened("xo")
    play = window.playground
    play.handle(Do("play"))
    qtbot.waitUntil(lambda: not play.view.playing, timeout=PATIENCE)
    scored(window, qtbot)
    picture, first = rows(window), play.view.ledger
    assert first is not None
    total = f"−{first.totals.nll_nats:.4f}"
    assert any(f"by columns {total} = backwards {total} = in this order" in words for words in shown(window))
    play.load_model("xo-centre")
    qtbot.waitUntil(lambda: play.view.loaded is not None and play.view.loaded.info.name == "xo-centre")
    scored(window, qtbot)
    second = play.view.ledger
    assert rows(window) == picture and second is not None
    assert any(f"by rows {total} = by columns {total} = in this order" in words for words in shown(window))
    assert second.totals.nll_nats == pytest.approx(first.totals.nll_nats, abs=1e-12)
    assert sorted(second.logprob) != pytest.approx(sorted(first.logprob)), "the steps are others"


def test_the_caret_is_where_the_other_order_has_got_to(opened: Open, qtbot: QtBot) -> None:
    window = opened("xo")
    play = window.playground
    for _ in range(3):
        play.handle(Do("step"))
        settle(window, qtbot)
    first = rows(window)[0]
    play.load_model("xo-centre")
    qtbot.waitUntil(lambda: play.view.loaded is not None and play.view.loaded.info.name == "xo-centre")
    settle(window, qtbot)
    assert play.view.caret == 0 and canvas(window).grid.marked == 4
    play.handle(Do("step"))
    settle(window, qtbot)
    assert rows(window)[0] == first and rows(window)[1][1] != "?" and play.view.caret == 4
    play.undo_stack.undo()
    settle(window, qtbot)
    assert play.view.caret == 0


def test_play_fills_the_picture_and_ends(opened: Open, qtbot: QtBot) -> None:
    window = opened("xo")
    play = window.playground
    told: list[str] = []
    play.refused.connect(told.append)
    play.handle(Do("play"))
    qtbot.waitUntil(lambda: not play.view.playing, timeout=PATIENCE)
    settle(window, qtbot)
    assert "?" not in "".join(rows(window)) and play.view.caret == 9 and told == []
    play.handle(Do("step"))
    assert told == ["Everything is written: nothing comes next"]


@pytest.mark.parametrize("names", [("a.txt", "b.txt"), ("a folder",), ("mine.json",), ("a.txt",)])
def test_what_is_dropped_on_the_editor_is_taken_as_on_the_window(
    names: tuple[str, ...], opened: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(f"ABC{name[0].upper()}")
    (tmp_path / "a folder").mkdir()
    (tmp_path / "mine.json").write_text((Path(__file__).parent.parent / "assets" / "models" / "xo.json").read_text())
    window = opened("abc")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / name)) for name in names])
    area(window).insertFromMimeData(data)
    if names == ("a.txt",):
        settle(window, qtbot)
        assert window.playground.table.text.file == b"ABCA"
    elif names == ("mine.json",):
        qtbot.waitUntil(lambda: isinstance(window.playground.document, Picture), timeout=PATIENCE)
    elif len(names) > 1:  # they are a set, and the text stays
        qtbot.waitUntil(lambda: window.sets.window is not None and window.sets.window.list.model().rowCount() == 2)
        assert window.playground.table.text.file == b"BAC"
    else:
        qtbot.waitUntil(lambda: window.notice.said is not None, timeout=PATIENCE)
        assert window.playground.table.text.file == b"BAC"


def test_an_empty_picture_waits_for_nothing(opened: Open, qtbot: QtBot) -> None:
    window = opened("xo")
    scored(window, qtbot)
    said = [label.text() for label in window.panels["ledger"].findChildren(QLabel) if label.isVisible()]
    assert any("each token adds a row" in words for words in said) and not any("Scoring" in words for words in said)


def test_the_tour_speaks_of_what_is_in_the_window(opened: Open, qtbot: QtBot) -> None:
    """Of a picture, and of the text once a model of texts is there; each kind has words of its own for its canvas."""
    window = opened("xo")
    window.start_tour()
    tour = window.findChild(Tour)
    assert tour is not None

    def said() -> str:
        return " ".join(label.text() for label in tour.findChildren(QLabel))

    assert "The picture" in said() and "pixel" in said() and "Type" not in said()
    for kind in kinds.KINDS:
        words = " ".join(word for stop in stops(kind) for word in stop[1:]).lower()
        others = {other.noun for other in kinds.KINDS} - {kind.noun}
        assert kind.noun in words and not others & set(words.replace(".", " ").replace(",", " ").split())
    window.choose_model("abc")
    qtbot.waitUntil(lambda: "The text" in said() and "Type here" in said(), timeout=PATIENCE)
    settle(window, qtbot)


def test_a_pixel_taken_back_is_where_it_was_taken(opened: Open, qtbot: QtBot) -> None:
    window = opened("xo")
    play = window.playground
    play.handle(CaretMoved(0))
    for count in range(4):
        play.handle(Do("step"))
        settle(window, qtbot)
        assert play.view.caret == count + 1
    play.handle(CaretMoved(2))
    settle(window, qtbot)
    actual = play.view.answer.prefix.actual if play.view.answer is not None else None
    assert actual is not None
    play.handle(Take(1 - actual))
    settle(window, qtbot)
    assert play.view.caret == 4, "the next that nobody has painted"
    play.undo_stack.undo()
    settle(window, qtbot)
    assert play.view.caret == 2
