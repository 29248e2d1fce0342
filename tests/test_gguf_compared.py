"""GGUF files in llama.cpp beside other models: compared in the window, and with the space of words corrected."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

import arplay
from arplay import comparisons
from arplay.core.word_edges import corrected
from arplay.gui.intents import AddPeer, Select
from arplay.gui.panels.comparison import ComparisonPanel
from arplay.gui.panels.words import WordsPanel
from arplay.gui.widgets.comparison.pages import CHANGED, HERE
from tests.tiny_ggufs import KINDS, write
from tests.tiny_models import one_thread
from tests.windows_open import PATIENCE, Open, opened

pytest.importorskip("llama_cpp", reason="needs the extra: pip install 'arplay[gguf]'")
__all__ = ["one_thread", "opened"]

TEXT = "the old man sat by the fire. He said things."


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The same tiny network whole and with 8 bits a weight, as what opens it natively and dequantised."""
    folder = tmp_path_factory.mktemp("gguf")
    whole, small = (write(folder / f"{kind}.gguf", "llama", KINDS[kind]) for kind in ("F32", "Q8_0"))
    return {"native": f"{whole}#native", "dequantised": f"{whole}#dequantised", "quantised": f"{small}#native"}


def test_the_edges_of_words_are_those_of_the_dequantised_file(files: dict[str, str]) -> None:
    found = [arplay.load(files[way]).word_edges(TEXT) for way in ("native", "dequantised")]
    assert np.isfinite(found[0].edges[1:]).all() and len(found[0].edges) == len(TEXT.split()) + 1
    np.testing.assert_allclose(found[0].edges, found[1].edges, atol=1e-4)
    assert found[0].read == found[1].read


def test_what_eight_bits_changed(files: dict[str, str]) -> None:
    """KL token by token from whole distributions of two processes; of the same weights it is none."""
    native, dequantised, quantised = (arplay.load(files[way]) for way in ("native", "dequantised", "quantised"))
    rows = comparisons.divergence(native, quantised, TEXT).rows
    assert 1e-5 < rows.totals()["kl_mean_nats"] < 1e-2
    np.testing.assert_allclose(rows.logprob[0], native.score(TEXT).ledger.logprob, atol=1e-4)
    np.testing.assert_allclose(rows.logprob[1], quantised.score(TEXT).ledger.logprob, atol=5e-2)
    assert comparisons.divergence(native, dequantised, TEXT).rows.totals()["kl_most_nats"] < 1e-8


def test_three_ways_in_one_window(opened: Open, qtbot: QtBot, files: dict[str, str]) -> None:
    """Totals, both distributions of a place, what changed, and the correction of words, by mouse."""
    window = opened(files["native"], TEXT.encode())
    panel = cast(ComparisonPanel, window.panels["comparison"])
    window.docks["comparison"].raise_()
    for way in ("quantised", "dequantised"):
        window.handle(AddPeer(files[way]))
    ready = lambda: panel.side is not None and len(panel.side.models) == 3 and panel.view.parted_here  # noqa: E731
    qtbot.waitUntil(ready, timeout=PATIENCE)
    assert panel.side is not None
    assert panel.side.names == ("F32 F32", "Q8_0.gguf#native Q8_0", "F32.gguf#dequantised float32")
    one, small, other = (share.nats for share in panel.side.parted.shares)
    assert other == pytest.approx(one, abs=1e-3) and small != one and small == pytest.approx(one, abs=1.0)
    QTest.mouseClick(panel.group.button(HERE), Qt.MouseButton.LeftButton)
    window.handle(Select(7))
    qtbot.waitUntil(lambda: panel.said.full.startswith("KL(A‖B) "), timeout=PATIENCE)
    QTest.mouseClick(panel.group.button(CHANGED), Qt.MouseButton.LeftButton)
    page = panel.pages.changed
    qtbot.waitUntil(page.button.isEnabled, timeout=PATIENCE)
    QTest.mouseClick(page.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.table.found is not None and bool(page.said.full), timeout=PATIENCE)
    found: Any = page.table.found
    assert found.other.engine == "llama.cpp" and 1e-5 < found.rows.totals()["kl_mean_nats"] < 1e-2
    window.docks["words"].raise_()
    words = cast(WordsPanel, window.panels["words"])
    qtbot.waitUntil(lambda: words.correct.isVisible() and words.correct.isEnabled(), timeout=PATIENCE)
    QTest.mouseClick(words.correct, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: words.rows.table.corrected is not None, timeout=PATIENCE)
    model = arplay.load(files["dequantised"])
    expected = corrected(model.score(TEXT).by("word"), model.word_edges(TEXT).edges)
    np.testing.assert_allclose(words.rows.table.corrected, expected, atol=1e-3)
    assert not window.notice.isVisible()
