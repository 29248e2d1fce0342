"""The list of models in the real window, with the hub's real client against a hub on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arplay.core.modalities.runs import Fixed
from arplay.engine.messages import Progress
from arplay.gui.intents import Change, Do
from arplay.gui.main_window import MainWindow
from arplay.gui.model_browser import ModelBrowser
from arplay.gui.widgets.models import details, facts
from arplay.gui.widgets.models.facts import Choice
from arplay.gui.widgets.models.rows import arranged
from arplay.models import catalogue, libraries
from arplay.models.store import hub as hub_names
from arplay.models.store.cards import Card
from tests.loopback_hub import Hub, environment, serving
from tests.tiny_models import save
from tests.windows_open import PATIENCE, Open, answer_box, notice, settle

NAME = "local/tiny"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 4 MB, so that its download can be stopped on the way."""
    return save(tmp_path_factory.mktemp("large"), "llama", hidden_size=192, intermediate_size=768)


@pytest.fixture
def hub(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one model; the client knows no other, and its cache is empty."""
    for name in ("HF_TOKEN", "HF_HUB_CACHE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(libraries, "_set_by_us", {"HF_HUB_OFFLINE"})
    with serving({NAME: folder}) as hub:
        for key, value in environment(hub, tmp_path / "home").items():
            monkeypatch.setenv(key, value)
        yield hub


def browser_of(window: MainWindow, qtbot: QtBot) -> ModelBrowser:
    """The list of models, opened by its key."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    qtbot.keyClick(window, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    assert window.browser is not None and window.browser.isVisible()
    qtbot.waitUntil(window.browser.isActiveWindow, timeout=PATIENCE)
    return window.browser


def look_up(browser: ModelBrowser, qtbot: QtBot, name: str) -> None:
    browser.hub.name.clear()
    qtbot.keyClicks(browser.hub.name, name)
    qtbot.keyClick(browser.hub.name, Qt.Key.Key_Return)
    assert browser._fetching.describing and browser.hub.cancel.isVisible()
    qtbot.waitUntil(lambda: not browser._fetching.describing, timeout=PATIENCE)


def files_asked(hub: Hub) -> list[tuple[str, str, str]]:
    return [asked for asked in hub.asked if asked[0] == "GET" and asked[1].endswith(".safetensors")]


def test_look_up_get_cancel_go_on_load_swap_while_it_plays_and_remove(opened: Open, qtbot: QtBot, hub: Hub) -> None:
    window = opened(text=b"BAC")
    play, browser = window.playground, browser_of(window, qtbot)
    look_up(browser, qtbot, NAME)
    assert browser.hub.title.text() == NAME and "apache-2.0" in browser.hub.said.text()
    assert browser.hub.get.text().startswith("Get ") and not files_asked(hub)  # nothing came before it was agreed to

    hub.trouble.bytes_per_second = 1_000_000
    browser.hub.get.click()
    qtbot.waitUntil(
        lambda: (p := play.fetching.progress) is not None and (p.bytes_done or 0) > 1_000_000, timeout=PATIENCE
    )
    qtbot.waitUntil(lambda: "/s" in browser.hub.said.text(), timeout=PATIENCE)
    assert browser.hub.bar.isVisible() and not browser.hub.look_up.isEnabled()
    qtbot.keyClick(browser, Qt.Key.Key_Escape)  # it goes on behind the window, whose status bar tells of it
    assert not browser.isVisible() and play.fetching.busy and window.status._work.isVisible()
    browser = browser_of(window, qtbot)
    browser.hub.cancel.click()
    qtbot.waitUntil(lambda: not play.fetching.busy, timeout=PATIENCE)
    assert "not finished" in browser.hub.title.text() and catalogue.is_ready(NAME) is False

    hub.trouble.bytes_per_second = 0
    browser.hub.get.click()
    qtbot.waitUntil(lambda: not play.fetching.busy, timeout=PATIENCE)
    assert play.fetching.problem is None
    assert any(range_ for _, _, range_ in files_asked(hub))  # inside the file, not from its beginning
    assert browser.card is not None and browser.card.spec == NAME and browser.card.state == "ready"
    assert len(browser.card.revision) == 40

    qtbot.keyClick(browser.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: play.view.loaded is not None and play.view.loaded.info.family == "llama", timeout=PATIENCE)
    assert not browser.isVisible()
    settle(window, qtbot)
    assert play.document.data == b"BAC" and window.store.text("model", "") == NAME
    browser = browser_of(window, qtbot)
    assert browser.rows.current == NAME

    play.handle(Change(replace(play.view.settings, play_per_second=50.0, play_steps=1000, stop_at_eos=False)))
    play.handle(Do("play"))
    qtbot.waitUntil(lambda: len(play.document.runs) > 1 and len(play.document) > 5, timeout=PATIENCE)
    browser.select("english")
    browser.details.main.click()
    assert not play.view.playing
    written = play.document
    qtbot.waitUntil(lambda: play.view.loaded.info.name == "english", timeout=PATIENCE)
    settle(window, qtbot)
    assert play.document == written and isinstance(written.runs[-1], Fixed)
    assert play.view.answer is not None and not play.view.answer.encoded.fixed.any()  # ids of another vocabulary
    window.choose_model(NAME)
    qtbot.waitUntil(lambda: play.view.loaded.info.name == NAME, timeout=PATIENCE)
    settle(window, qtbot)
    assert play.view.answer.encoded.fixed.any() and play.document == written

    browser = browser_of(window, qtbot)
    browser.select(NAME)
    QTimer.singleShot(0, no)
    qtbot.keyClick(browser.list, Qt.Key.Key_Delete)
    assert catalogue.is_ready(NAME)
    QTimer.singleShot(0, yes)
    qtbot.keyClick(browser.list, Qt.Key.Key_Delete)
    assert not catalogue.is_ready(NAME) and browser.rows.row_of(NAME) is None
    assert not list(hub_names.cache_folder().rglob("*.safetensors"))


def yes() -> None:
    answer_box("Remove it")


def no() -> None:
    answer_box("Cancel")


def test_what_the_hub_does_not_have_is_told_in_place(opened: Open, qtbot: QtBot, hub: Hub) -> None:
    window = opened()
    browser = browser_of(window, qtbot)
    look_up(browser, qtbot, "local/nothing")
    assert "local/nothing" in browser.hub.title.text() and browser.hub.said.text()
    assert not browser.hub.get.isVisible() and not notice(window)
    assert window.playground.view.problem is None and window.playground.view.loaded is not None
    look_up(browser, qtbot, NAME)
    assert browser.hub.title.text() == NAME
    hub.trouble.status = 503
    browser.hub.get.click()
    browser.close()
    qtbot.waitUntil(lambda: not window.playground.fetching.busy, timeout=PATIENCE)
    assert notice(window)  # the list is closed, so the window tells it


def test_a_half_download_is_shown_as_such_and_can_be_got_again(opened: Open, qtbot: QtBot, hub: Hub) -> None:
    window = opened()
    browser = browser_of(window, qtbot)
    look_up(browser, qtbot, NAME)
    hub.trouble.bytes_per_second = 1_000_000
    browser.hub.get.click()
    fetching = window.playground.fetching
    qtbot.waitUntil(lambda: (p := fetching.progress) is not None and (p.bytes_done or 0) > 1_000_000, timeout=PATIENCE)
    browser.hub.cancel.click()
    qtbot.waitUntil(lambda: not fetching.busy, timeout=PATIENCE)
    browser.refresh()
    browser.select(NAME)
    card = browser.card
    assert card is not None and card.spec == NAME and card.state == "broken" and card.problem
    assert browser.details.problem.isVisible() and browser.details.main.text() == "Get again"
    hub.trouble.bytes_per_second = 0
    qtbot.keyClick(browser.list, Qt.Key.Key_Return)
    assert fetching.busy
    qtbot.waitUntil(lambda: not fetching.busy, timeout=PATIENCE)
    assert browser.card is not None and browser.card.state == "ready"
    assert browser.details.main.text() == "Load" and not browser.details.problem.isVisible()


def test_a_load_that_fails_is_told_in_place_and_the_former_model_stays(opened: Open, qtbot: QtBot) -> None:
    window = opened()
    browser = browser_of(window, qtbot)
    browser.select("english")
    browser.details.device.setCurrentIndex(browser.details.device.findData("xpu"))
    browser.details.main.click()
    assert browser.details.main.text().startswith("Loading") and not browser.details.main.isEnabled()
    qtbot.waitUntil(lambda: browser.details.main.isEnabled(), timeout=PATIENCE)
    assert "xpu" in browser.details.problem.text.text() and browser.isVisible()
    assert window.playground.view.loaded is not None and window.playground.view.loaded.info.name == "abc"


def test_keys_search_choose_and_load(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"B")
    browser = browser_of(window, qtbot)
    browser.search.setFocus()
    qtbot.keyClicks(browser.search, "cc-by english")
    assert [row.card.spec for row in browser.rows.rows if row.card is not None] == ["english"]
    qtbot.keyClick(browser.search, Qt.Key.Key_Down)
    assert browser.search.hasFocus() and browser.card is not None and browser.card.spec == "english"
    qtbot.keyClick(browser.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.playground.view.loaded.info.name == "english", timeout=PATIENCE)
    settle(window, qtbot)
    assert not browser.isVisible() and window.playground.view.loaded.info.why
    browser = browser_of(window, qtbot)
    assert not browser.search.text(), "a list that is opened again begins a search anew"
    assert window.playground.view.loaded.info.why in browser.details.why.text()
    qtbot.keyClicks(browser.search, "zzz")
    assert browser.nothing.isVisible() and browser.card is None and not browser.details.main.isEnabled()
    browser.search.clear()
    qtbot.keyClick(browser.list, Qt.Key.Key_Escape)
    assert not browser.isVisible()


def test_what_is_typed_in_the_list_is_searched_for_and_arrows_walk_from_there(opened: Open, qtbot: QtBot) -> None:
    browser = browser_of(opened(text=b"B"), qtbot)
    every = len(browser.rows.rows)
    for key in "en3 -":
        browser.list.setFocus()
        qtbot.keyClicks(browser.list, key)
        assert browser.search.hasFocus() and browser.search.text().endswith(key)
    browser.search.clear()
    browser.list.setFocus()
    for key in (Qt.Key.Key_End, Qt.Key.Key_Home, Qt.Key.Key_Down, Qt.Key.Key_Up):
        qtbot.keyClick(browser.list, key)
        assert browser.list.hasFocus() and not browser.search.text(), "these walk"
    browser.search.setFocus()
    walked = []
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown):
        qtbot.keyClick(browser.search, key)
        walked.append(browser.list.currentIndex().row())
        assert browser.search.hasFocus()
    assert walked[0] < walked[1] and walked[2] == walked[0] and walked[3] > walked[0]
    assert len(browser.rows.rows) == every
    qtbot.keyClick(browser.search, Qt.Key.Key_Escape)


def test_a_folder_is_listed_and_forgotten_and_its_files_stay(
    opened: Open, qtbot: QtBot, tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    window = opened()
    browser = browser_of(window, qtbot)
    folder = str(tiny_folders["gpt2"])
    browser.add(folder)
    assert browser.card is not None and browser.card.spec == folder and browser.card.family == "gpt2"
    empty = tmp_path / "empty"
    empty.mkdir()
    browser.add(str(empty))
    assert browser.card is not None and browser.card.state == "broken" and not browser.details.main.isEnabled()
    assert "config.json" in browser.details.problem.text.text()
    browser.select(folder)
    QTimer.singleShot(0, take_off)
    browser.details.away.click()
    assert browser.rows.row_of(folder) is None and (tiny_folders["gpt2"] / "config.json").exists()


def take_off() -> None:
    answer_box("Take it off")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [("weights.safetensors", b"\0", "only a part of a model"), ("", b"", "no model folder"), ("gone", None, "no file")],
)
def test_what_cannot_be_opened_is_told_when_it_is_dropped(
    opened: Open, qtbot: QtBot, tmp_path: Path, name: str, content: bytes | None, told: str
) -> None:
    window = opened()
    if content is not None and name:
        (tmp_path / name).write_bytes(content)
    drop(window, tmp_path / name)
    qtbot.waitUntil(lambda: told in notice(window), timeout=PATIENCE)
    assert window.playground.document.data == b"BAC"


def test_a_dropped_table_is_a_model_and_other_json_a_text(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened()
    table = tmp_path / "coin.json"
    table.write_text('{"name": "coin", "alphabet": ["B", "A", "C"], "rows": {"": {"B": 1}, "B": {"A": 1}}}')
    drop(window, table)
    qtbot.waitUntil(lambda: window.playground.view.loaded.info.name == "coin" or notice(window) != "", timeout=PATIENCE)
    assert window.playground.view.loaded.info.name == "coin" or "coin.json" in notice(window)
    other = tmp_path / "other.json"
    other.write_text("[1]")
    drop(window, other)
    assert window.playground.document.data == b"[1]"


def drop(window: MainWindow, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, data, buttons, keys))
    QApplication.sendEvent(window, QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, buttons, keys))


@pytest.mark.parametrize("installed", [True, False])
def test_a_gguf_file_offers_its_engines_and_says_what_to_install(
    opened: Open, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    browser = browser_of(opened(), qtbot)
    monkeypatch.setattr(details, "is_native_there", lambda: installed)
    file = card(spec="/models/m.gguf", kind="gguf", path=Path("/models/m.gguf"))
    browser._cards = [file]
    browser._fill()
    shown = browser.details
    assert shown.engine.isVisible() and shown.spec() == "/models/m.gguf"
    assert shown.choice(0).engine == ("native" if installed else "dequantised")
    assert ("pip install" in shown.why.text()) is not installed
    shown.engine.setCurrentIndex(shown.engine.findData("dequantised"))
    shown.changed.emit()
    assert shown.spec() == "/models/m.gguf#dequantised" and shown.dtype.isVisible()
    shown.engine.setCurrentIndex(shown.engine.findData("native"))
    shown.changed.emit()
    assert shown.spec() == "/models/m.gguf#native" and not shown.dtype.isVisible()


def card(**fields: object) -> Card:
    known = Card("org/m", "org/m", "", "downloaded", "ready", Path("/m"), family="llama", parameters=10**9)
    return replace(known, disk_bytes=2 * 10**9, **fields)  # type: ignore[arg-type]


def test_whether_a_model_fits() -> None:
    roomy, little = Choice(free=10**10), Choice(free=4 * 10**9 + 10**8)
    assert facts.fit(card(), roomy) == "fits" and facts.needed(card(), roomy) == 4 * 10**9
    assert facts.fit(card(), little) == "tight"  # 0.1 GB beside the weights
    assert facts.fit(card(), replace(little, dtype="bfloat16")) == "fits"
    assert facts.fit(card(), Choice(free=10**9)) == "too large"
    assert facts.fit(card(parameters=None), roomy) == "unknown" == facts.fit(card(), replace(roomy, device="cuda"))
    gguf = card(kind="gguf", path=Path("/m.gguf"))
    assert facts.needed(gguf, roomy) == 2 * 10**9
    assert facts.needed(gguf, replace(roomy, engine="dequantised")) == 4 * 10**9
    assert "does not fit" in facts.memory(card(), Choice(free=10**9)) and "fits" in facts.memory(card(), roomy)


def test_what_a_download_says() -> None:
    assert facts.download(Progress(1, "asking the hub", None)) == "Asking the hub"
    said = facts.download(Progress(1, "x", 0.5, 120_000_000, 272_000_000, 12_300_000.0, 12.4))
    assert said == "120 MB of 272 MB  ·  12.3 MB/s  ·  12 s left"
    assert facts.download(Progress(1, "x", None, 5_000, None, None, None)) == "5.00 kB"


def test_models_stand_under_their_headings_and_empty_ones_are_left_out() -> None:
    cards = [
        card(spec="a", origin="built-in"),
        card(spec="b"),
        card(spec="c", state="fetch"),
        card(spec="d", origin="file"),
    ]
    rows = arranged(cards, "")
    assert [row.heading or row.card.spec for row in rows if row.heading or row.card] == [
        "Built in", "a", "On this computer", "b", "To get", "c", "Folders and files", "d",
    ]  # fmt: skip
    assert arranged(cards, "nothing like it") == [] and arranged([], "") == []
