"""Tokenizers that change text, in the window: tokens that own no bytes are shown by name, chosen and kept apart."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from tokenizers import Tokenizer

from arplay.cli import main
from arplay.core.modalities.text import Caret, Text
from arplay.core.reading import Reading
from arplay.gui import exports
from arplay.gui.canvases.text.heat.layout import Flow, units
from arplay.gui.canvases.text.heat.shaping import Grid, shape
from arplay.gui.intents import Change, Select, Take
from arplay.gui.main_window import MainWindow
from arplay.gui.panels.editor import EditorPanel
from arplay.gui.panels.heatmap import HeatmapPanel
from arplay.gui.panels.kv_cache import KvCachePanel
from arplay.gui.panels.ledger import LedgerPanel
from arplay.gui.widgets.ledger.table import TOKEN
from tests.test_alphabets_kinds import alphabet
from tests.tiny_models import network
from tests.tiny_tokenizers import llama, wordpiece
from tests.windows_open import Open, settle


def save(folder: Path, made: Tokenizer, lead: str) -> Path:
    """A tiny random Llama with a tokenizer that is not byte-level."""
    network("llama", vocab_size=made.get_vocab_size()).save_pretrained(folder)
    made.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": lead}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("wordpiece"), wordpiece(), "[CLS]")


@pytest.fixture(scope="module")
def prefixing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("llama"), llama(), "<s>")


E_THE = "E\u0301 the cat".encode()
"""E and an accent that no token joins with it: the space that is put before the text is a token of its own."""


def shown_place(window: MainWindow) -> tuple[int | None, int, int | None]:
    answer = window.playground.view.answer
    assert answer is not None
    return window.playground.view.selected, answer.prefix.index, answer.prefix.actual


def test_an_index_tells_tokens_at_one_caret_apart() -> None:
    made = alphabet("t5")
    document = Text.of("the ﷺ cat".encode())
    encoded = document.encoded(made)
    for index, start in enumerate(encoded.starts.tolist()):
        prefix = document.prefix(encoded, Caret(start, index), made)
        assert (prefix.index, prefix.actual) == (index, int(encoded.ids[index]))
    by_caret = {document.prefix(encoded, Caret(start), made).index for start in encoded.starts.tolist()}
    assert len(by_caret) < len(encoded), "the caret alone does not tell them apart"
    elsewhere = document.prefix(encoded, Caret(1, 0), made)
    assert elsewhere.ids.tolist() == document.prefix(encoded, Caret(1), made).ids.tolist()


def test_a_bare_token_is_shown_by_name_and_stays_chosen(opened: Open, qtbot: QtBot, prefixing: Path) -> None:
    window = opened(str(prefixing), E_THE)
    ledger, loaded = window.playground.view.ledger, window.playground.view.loaded
    assert ledger is not None and loaded is not None and loaded.lossy == ""
    assert (ledger.starts[:2].tolist(), int(ledger.ends[0])) == ([0, 0], 0), "this text was to begin with such a token"
    table = cast(LedgerPanel, window.panels["ledger"]).model
    assert [table.index(row, TOKEN).data() for row in (0, 1)] == ["␣ (no bytes)", "E"]
    for chosen in (1, 0, 1):
        window.playground.handle(Select(chosen))
        settle(window, qtbot)
        assert shown_place(window) == (chosen, chosen, int(ledger.ids[chosen]))
        answer = window.playground.view.answer
        assert answer is not None and answer.distribution is not None
        logprob = answer.distribution.logprob(int(ledger.ids[chosen]))
        assert logprob == pytest.approx(float(ledger.logprob[chosen]), abs=1e-4)
    for theme in ("dark", "light"):
        window.set_theme(theme)
        for chosen in (0, 1):
            window.playground.handle(Select(chosen))
            settle(window, qtbot)
            assert not window.grab().isNull()
    settings = window.playground.view.settings
    window.playground.handle(Change(replace(settings, reading=Reading(special=True))))
    settle(window, qtbot)
    assert shown_place(window)[:2] == (1, 1)


def test_nothing_is_written_behind_a_bare_token(opened: Open, qtbot: QtBot, prefixing: Path) -> None:
    """What is written there would lose the token that it was chosen after."""
    window = opened(str(prefixing), E_THE)
    window.playground.handle(Select(1))
    settle(window, qtbot)
    window.playground.handle(Take(5))
    assert window.playground.document.data == E_THE and "without bytes" in window.notice.text()
    window.playground.handle(Select(0))
    settle(window, qtbot)
    window.playground.handle(Take(5))
    assert window.playground.document.data != E_THE


def test_how_the_tokenizer_changes_text_is_said(
    opened: Open, qtbot: QtBot, lossy: Path, prefixing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    window = opened(str(lossy), b"The Cat sat")
    note = cast(EditorPanel, window.panels["editor"]).canvas.notes.label
    assert "lower case" in note.full and note.full in note.toolTip()
    window.playground.load_model("abc")
    qtbot.waitUntil(lambda: note.full == "")
    for arguments in (["next", "--prompt", "The"], ["score", __file__]):
        if arguments[0] == "score":
            (lossy / "text.txt").write_bytes(b"The Cat")
            arguments = ["score", str(lossy / "text.txt")]
        assert main([*arguments, "--model", str(lossy)]) == 0
        assert "lower case" in capsys.readouterr().out
        assert main([*arguments, "--model", str(lossy), "--json"]) == 0
        assert "lower case" in json.loads(capsys.readouterr().out)["model"]["lossy"]
        assert main([*arguments, "--model", str(prefixing), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["model"]["lossy"] is None


def test_units_of_bare_tokens(qapp: object) -> None:
    ends, grid = np.array([0, 2, 2, 2, 3]), Grid.make()
    names = {0: "␣", 2: "abc", 3: "a name longer than a row"}
    for data in (b"ab\n", b"\xc3\xa9\n", "\u200eא".encode()[2:]):
        made = units(data, ends, names, grid.measure)
        assert [token for token, _ in made.names.values()] == [0, 2, 3]
        for columns in (4, 40):
            flow = Flow.of(made, columns)
            for token in range(len(ends)):
                line = shape(grid, flow, flow.first_row(token))
                left, right = line.places[token][0]
                assert right > left and line.hit((left + right) / 2) == token
    assert len(units(b"", np.array([0]), {0: "x"})) == 1


def test_a_token_without_bytes_inside_a_letter_stands_after_it(qapp: object) -> None:
    grid = Grid.make()
    flow = Flow.of(units(b"\xc3\xa9", np.array([1, 1, 2]), {1: "x"}, grid.measure), 20)
    assert [token for _, _, token in shape(grid, flow, 0).cells] == [0, 2, 1]


def test_a_panel_behind_a_tab_is_given_nothing(opened: Open, qtbot: QtBot) -> None:
    window = opened(text=b"B")
    ledger, cache = cast(LedgerPanel, window.panels["ledger"]), cast(KvCachePanel, window.panels["kv_cache"])
    for front, front_dock, behind in ((ledger, "ledger", cache), (cache, "kv_cache", ledger)):
        window.docks[front_dock].raise_()
        assert front.view is window.playground.view, "brought up to date as it comes to the front"
        before = behind.view
        window.playground.open_document(Text.of(b"BACA" if front is ledger else b"CAB"))
        settle(window, qtbot)
        qtbot.waitUntil(lambda panel=front: panel.view.ledger is window.playground.view.ledger)
        assert behind.view is before


def test_a_hidden_panel_is_exported_as_it_would_be_shown(opened: Open, qtbot: QtBot, tmp_path: Path) -> None:
    window = opened(text=b"B")
    window.docks["ledger"].hide()
    window.playground.open_document(Text.of(b"BACABACA"))
    settle(window, qtbot)
    ledger = cast(LedgerPanel, window.panels["ledger"])
    assert ledger.view is not window.playground.view
    assert exports.of_panel(ledger, window).save(tmp_path / "ledger.png") and ledger.view is window.playground.view


def test_a_token_named_like_a_tag_is_no_html(opened: Open, prefixing: Path) -> None:
    window = opened(str(prefixing), b"the cat")
    caption = cast(HeatmapPanel, window.panels["heatmap"]).caption
    lead = cast(EditorPanel, window.panels["editor"]).canvas.notes.lead
    assert "after <s>, which" in caption.full and "after &lt;s&gt;, which" in caption.toolTip()
    assert (lead.text(), lead.textFormat(), caption.textFormat()) == ("<s>", Qt.TextFormat.PlainText, lead.textFormat())
