"""Saved scoring runs in the window: saved, opened without the model, shown by every view, scored anew."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog, QLabel, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

import arplay
from arplay.core.chain import Ledger
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.export import scorefile
from arplay.gui import exports
from arplay.gui.bridge import Bridge
from arplay.gui.intents import CompareConventions, Do, Select
from arplay.gui.main_window import MainWindow
from arplay.gui.store import Store
from arplay.gui.view import AT_START
from arplay.models.scored_run import SavedRun
from tests.made_up_ledger import WORDS, ledger_of
from tests.windows_open import PATIENCE, Open, notice, opened, settle

__all__ = ["opened"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, arplay.Score]:
    model = arplay.load("english", reading=arplay.Reading(context=8, stride=4, first_token="bos"))
    score = model.score("It was a dark night, é 好 🙂, and all was well with the world.")
    path = tmp_path_factory.mktemp("runs") / "run.npz"
    score.save(path, "night.txt")
    return path, score


BACK = "menu", "Re&wind"


def bare(qtbot: QtBot, tmp_path: Path, path: Path) -> MainWindow:
    """A window without any model that opens a run."""
    window = MainWindow(Store(tmp_path / "arplay.ini"), Bridge(), "light")
    qtbot.addWidget(window, before_close_func=lambda _: window.keeping.end())
    window.show()
    window.open_file(path)
    qtbot.waitUntil(lambda: window.playground.view.run is not None, timeout=PATIENCE)
    return window


def test_every_view_shows_it_without_a_model(qtbot: QtBot, tmp_path: Path, run: tuple[Path, arplay.Score]) -> None:
    path, score = run
    window = bare(qtbot, tmp_path, path)
    view = window.playground.view
    assert view.ledger is not None and np.array_equal(view.ledger.logprob, score.logprob)
    assert view.document.file == score.ledger.encoded.data and view.name == "night.txt"  # type: ignore[attr-defined]
    heat = window.panels["heatmap"]
    qtbot.waitUntil(lambda: "saved run of english (float32), 20" in heat.caption.full, timeout=PATIENCE)  # type: ignore[attr-defined]
    assert "first token read after BOS" in heat.caption.full and "windows of 8, stride 4" in heat.caption.full  # type: ignore[attr-defined]
    assert "saved run · english" in window.status._model.text()
    assert window.windowTitle().startswith("night.txt")

    told = exports.shown(heat, view)
    record = json.loads(heat.entry.chart.table(told).text("json"))  # type: ignore[union-attr]
    assert record["provenance"]["model"]["name"] == "english" and record["provenance"]["text"] == "night.txt"
    assert record["totals"]["nll_nats"] == score.nll_nats
    assert str(path) in window.store.recent("recent_files")
    assert window.playground.close(30)


def test_the_chart_shows_what_was_kept_of_a_token(qtbot: QtBot, tmp_path: Path, run: tuple[Path, arplay.Score]) -> None:
    path, score = run
    window = bare(qtbot, tmp_path, path)
    play = window.playground
    for index in (0, 5, len(score) - 1):
        play.handle(Select(index))
        answer = play.view.answer
        assert answer is not None and answer.distribution is not None and not play.view.stale
        assert answer.distribution.entropy == pytest.approx(score.entropy[index])
        best = score.ledger.best.at(index)
        assert answer.distribution.top(5).tolist() == [id for id, _ in best]
        assert answer.distribution.logprob(int(score.ids[index])) == score.logprob[index]
        shown = {id for id, _ in best} | {int(score.ids[index])}
        known = sum(np.exp(answer.distribution.logprob(id)) for id in shown)  # type: ignore[arg-type]
        count, rest = answer.distribution.rest(np.array(sorted(shown)))
        assert count == len(score.loaded.vocabulary) - len(shown) and rest == pytest.approx(1 - known)
    chart = window.panels["next_token"]
    qtbot.waitUntil(lambda: len(chart.bars.bars.all_rows) >= 5, timeout=PATIENCE)  # type: ignore[attr-defined]
    play.handle(Do("step"))
    assert "a saved scoring run, without its model" in notice(window).lower()
    assert play.document.file == score.ledger.encoded.data  # type: ignore[attr-defined]
    play.caret.move(len(play.document))
    qtbot.waitUntil(lambda: play.view.problem is not None, timeout=PATIENCE)
    assert play.view.problem is not None and "its own text only" in play.view.problem[0]
    assert play.close(30)


BUTTONS = (
    ("decoding", "step"), ("decoding", "play"), ("candidates", "run"), ("words", "correct"), ("perplexity", "compare"),
    ("ledger", "button"), ("continuations", "run"), ("continuations", "step"), ("betting", "here"),
    ("betting", "all"), ("causality", "run"), ("comparison", "set_base"),
)  # fmt: skip


def test_what_asks_a_model_is_off_and_says_why(qtbot: QtBot, tmp_path: Path, run: tuple[Path, arplay.Score]) -> None:
    path, _ = run
    window = bare(qtbot, tmp_path, path)
    play = window.playground
    step = next(menu for menu in window.menuBar().findChildren(QMenu) if menu.title() == "&Step")

    def told() -> dict[tuple[str, str], str]:
        """The tooltips of the buttons that cannot be pressed; a menu is looked at while it is open."""
        for name in {name for name, _ in BUTTONS}:
            window.panels[name].show_view(play.view)
        step.aboutToShow.emit()
        found = {("menu", action.text()): action.toolTip() for action in step.actions() if not action.isEnabled()}
        step.aboutToHide.emit()
        for name, attribute in BUTTONS:
            button = getattr(window.panels[name], attribute)
            if not button.isEnabled():
                found[name, attribute] = button.toolTip()
        return found

    off = told()
    assert off.keys() >= set(BUTTONS) and {("menu", "&Step: sample a token"), ("menu", "&Play")} <= off.keys()
    assert all(
        "saved scoring run, without its model" in tip and "Model menu" in tip for at, tip in off.items() if at != BACK
    )
    assert off[BACK] == AT_START
    assert not window.menus.bar.first_token.isEnabled() and "Model menu" in window.menus.bar.first_token.toolTip()
    play.handle(CompareConventions())  # from elsewhere: nothing waits for an answer that cannot come
    assert not play.view.answer_to(CompareConventions).runs and "without its model" in notice(window)

    window.choose_model("abc")
    qtbot.waitUntil(lambda: play.view.run is None, timeout=PATIENCE)
    play.open_document(Text.of(b"BACAB"), at_end=True)
    settle(window, qtbot)
    assert not {name for name in told() if name[0] != "candidates" and name[1] != "step"}
    assert window.menus.bar.first_token.isEnabled() and window.panels["decoding"].step.isEnabled()  # type: ignore[attr-defined]
    assert play.close(30)


def test_no_text_speaks_of_what_is_not_possible(qtbot: QtBot, tmp_path: Path, run: tuple[Path, arplay.Score]) -> None:
    window = bare(qtbot, tmp_path, run[0])
    play = window.playground
    play.caret.move(len(play.document))
    qtbot.waitUntil(lambda: not play.view.stale and play.view.problem is not None, timeout=PATIENCE)
    chart = window.panels["next_token"].bars.message  # type: ignore[attr-defined]
    assert "Ctrl+N begins an empty text, Ctrl+M chooses a model" in chart and "Rewind" not in chart
    said = {}
    for name in ("continuations", "causality", "kv_cache", "orders", "betting"):
        window.docks[name].raise_()
        qtbot.waitUntil(window.panels[name].isVisible, timeout=PATIENCE)
        panel = window.panels[name]
        panel.show_view(play.view)
        parts = [part for part in panel.findChildren(QWidget) if part.isVisible() and not isinstance(part, QPushButton)]
        words = (part.text() if isinstance(part, QLabel) else getattr(part, "message", "") for part in parts)
        said[name] = " ".join(words)
    for name in ("continuations", "causality", "kv_cache"):
        assert "saved scoring run" in said[name], said[name]
    assert "once a model is loaded" in said["orders"] and "once one is loaded" in said["betting"]
    reading = window.panels["heatmap"].row.reading  # type: ignore[attr-defined]
    assert not reading.isEnabled() and "saved scoring run" in reading.toolTip()
    menu = next(menu for menu in window.menuBar().findChildren(QMenu) if menu.title() == "&Step")
    menu.aboutToShow.emit()
    off = {action.text() for action in menu.actions() if action.text() and not action.isEnabled()}
    assert {"Re&wind", "Rea&ding a long text…", "&Play"} <= off
    menu.aboutToHide.emit()
    assert window.playground.close(30)


def test_nothing_is_being_scored_without_a_model(qtbot: QtBot, tmp_path: Path) -> None:
    window = MainWindow(Store(tmp_path / "arplay.ini"), Bridge(), "light")
    qtbot.addWidget(window, before_close_func=lambda _: window.keeping.end())
    window.show()
    window.playground.open_document(Text.of(b"It was dark."))
    assert window.playground.view.scoring, "in a moment, if there were a model by then"
    qtbot.waitUntil(lambda: not window.playground.view.scoring, timeout=PATIENCE)
    row = window.panels["heatmap"].row  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: not row.caption.full, timeout=PATIENCE)
    assert row.hold.isHidden() and row.end.isHidden()
    assert window.playground.close(30)


def test_it_is_saved_and_opened_in_one_window(opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    window = opened("abc", b"BACAB")
    play, path = window.playground, tmp_path / "x.npz"
    first = play.view.ledger
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "x"), ""))
    assert window.menus.save_scores.isEnabled()
    with qtbot.waitSignal(play.runs.saved, timeout=PATIENCE):
        window.menus.save_scores.trigger()
    play.open_document(Text.of(b"CC"))
    settle(window, qtbot)

    event = QMimeData()
    event.setUrls([QUrl.fromLocalFile(str(path))])
    drop = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, event, Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0))
    window.dropEvent(drop)
    qtbot.waitUntil(lambda: play.view.run is not None, timeout=PATIENCE)
    assert play.document.file == b"BACAB" and same(play.view.ledger, first)  # type: ignore[attr-defined]

    play.undo_stack.undo()  # the former text, of which the run says nothing
    qtbot.waitUntil(lambda: play.view.ledger is None, timeout=PATIENCE)
    assert play.document.file == b"CC" and "saved scoring run" in play.view.loaded.can.no_scores  # type: ignore[attr-defined, union-attr]
    play.undo_stack.redo()
    qtbot.waitUntil(lambda: same(play.view.ledger, first), timeout=PATIENCE)

    window.handle(Do("score_anew"))
    qtbot.waitUntil(lambda: play.view.run is None and play.view.loaded is not None, timeout=PATIENCE)
    settle(window, qtbot)
    assert play.document.file == b"BACAB" and same(play.view.ledger, first)  # type: ignore[attr-defined]
    play.caret.move(5)
    play.handle(Do("step"))
    qtbot.waitUntil(lambda: len(play.document) == 6, timeout=PATIENCE)


def same(ledger: Ledger | None, other: Ledger | None) -> bool:
    return ledger is not None and other is not None and np.array_equal(ledger.logprob, other.logprob)


def test_a_long_one_is_read_only_beside_its_beginning(qtbot: QtBot, tmp_path: Path) -> None:
    path, score = tmp_path / "long.npz", arplay.load("abc").score("BACAB" * 50_000)
    score.save(path, "long.txt")
    window = bare(qtbot, tmp_path, path)
    play = window.playground
    assert play.view.excerpt_of == "long.txt" and play.view.ledger is not None
    assert len(play.view.ledger) == 250_000 and 0 < len(play.document) < 250_000
    play.handle(Select(249_998))
    assert play.view.answer is not None and play.view.answer.prefix.index == 249_998
    assert play.view.answer.distribution is not None and play.view.answer.distribution.full is False
    window.choose_model("abc")
    qtbot.waitUntil(lambda: play.view.run is None and play.view.loaded is not None, timeout=PATIENCE)
    settle(window, qtbot)
    assert play.view.excerpt_of == "long.txt" and same(play.view.ledger, score.ledger)
    assert play.close(30)


def test_kept_ids_stay_kept(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened("english", b"It was a")
    play = window.playground
    for _ in range(3):
        play.handle(Do("step"))
        settle(window, qtbot)
    scored = play.view.ledger
    assert scored is not None and scored.encoded.fixed.sum() == 3
    with qtbot.waitSignal(play.runs.saved, timeout=PATIENCE):
        play.runs.save(tmp_path / "kept.npz")
    window.open_file(tmp_path / "kept.npz")
    qtbot.waitUntil(lambda: play.view.run is not None, timeout=PATIENCE)
    window.handle(Do("score_anew"))
    qtbot.waitUntil(lambda: play.view.run is None and play.view.loaded is not None, timeout=PATIENCE)
    settle(window, qtbot)
    assert play.view.ledger is not None and np.array_equal(play.view.ledger.ids, scored.ids)
    assert play.view.ledger.encoded.fixed.tolist() == scored.encoded.fixed.tolist()


@pytest.mark.parametrize("data", [b"no zip at all", b"PK\x03\x04 and so on"])
def test_a_damaged_one_loses_nothing(opened: Open, qtbot: QtBot, tmp_path: Path, data: bytes) -> None:
    window = opened("abc", b"BAC")
    (tmp_path / "bad.npz").write_bytes(data)
    before = window.playground.view
    window.open_file(tmp_path / "bad.npz")
    qtbot.waitUntil(lambda: "bad.npz is no scoring run" in notice(window), timeout=PATIENCE)
    after = window.playground.view
    assert after.loaded is before.loaded and same(after.ledger, before.ledger) and after.document is before.document
    assert after.problem is None and not window.store.recent("recent_files")


@pytest.mark.parametrize("suffix", [".html", ".jsonl"])
def test_a_report_is_written(  # type: ignore[no-untyped-def]
    opened: Open, qtbot: QtBot, tmp_path: Path, monkeypatch, suffix: str
) -> None:
    window = opened("abc", b"BACAB")
    play, path = window.playground, tmp_path / "folder" / f"x{suffix}"
    path.parent.mkdir()
    proposed: list[str] = []

    def named(parent: object, title: str, name: str, kinds: str) -> tuple[str, str]:
        proposed.append(Path(name).name)
        return str(path.with_suffix("")), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", named)
    window.playground.show(name=f"page{suffix}")
    action = window.menus.export_report if suffix == ".html" else window.menus.export_lines
    with qtbot.waitSignal(play.runs.saved, timeout=PATIENCE):
        action.trigger()
    assert proposed == [f"page-scores{suffix}"], "not over the text itself"
    told = path.read_text("utf-8")
    if suffix == ".html":
        told = told.split('id="scores">')[1].split("</script>")[0]
        (record,) = json.loads(told)
    else:
        record = json.loads(told)
    assert record["totals"]["nll_nats"] == play.view.ledger.totals.nll_nats  # type: ignore[union-attr]
    assert len(record["tokens"]) == 5 and record["model"]["name"] == "abc"
    assert window.store.text("export_folder", "") == str(path.parent)
    play.runs.report(tmp_path / "no folder" / "x.html")
    qtbot.waitUntil(lambda: "cannot be written" in notice(window), timeout=PATIENCE)


def test_a_report_of_a_long_text_is_written_and_can_be_ended(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    """No text is too long for one; what is ended leaves no file, and nothing beside it."""
    n, tokens = 220_000, Vocabulary("words", tuple(WORDS), frozenset())
    scorefile.write(tmp_path / "long.npz", SavedRun(ledger_of(n), tokens, arplay.load("abc").info, "long.txt"))
    window = opened("abc", b"BACAB")
    play = window.playground
    window.open_file(tmp_path / "long.npz")
    qtbot.waitUntil(lambda: play.view.run is not None and play.view.ledger is not None, timeout=PATIENCE)
    with qtbot.waitSignal(play.runs.saved, timeout=PATIENCE):
        play.runs.report(tmp_path / "x.html")
    assert f"Of {n:,} tokens the first 15,000 are shown" in (tmp_path / "x.html").read_text("utf-8")
    seen: list[object] = []
    play.progress.connect(seen.append)
    play.runs.report(tmp_path / "x.jsonl")
    qtbot.waitUntil(lambda: any(seen), timeout=PATIENCE)
    window.bridge.cancel()
    qtbot.waitUntil(lambda: seen[-1] is None, timeout=PATIENCE)
    assert sorted(path.name for path in tmp_path.iterdir() if "jsonl" in path.name) == []
