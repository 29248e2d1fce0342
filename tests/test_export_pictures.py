"""A panel's chart as PNG, SVG and PDF: checked by opening each, refused where it cannot be read."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from arplay.cli import main
from arplay.core.errors import Problem
from arplay.gui import export_image
from arplay.gui.contract import Panel
from arplay.gui.theme import BODY, DARK, interface_font

SVG = "{http://www.w3.org/2000/svg}"


class Chart(Panel):
    """A page of text, as long as the test wants."""

    name = title = "chart"

    def __init__(self, size: tuple[int, int] | None = (300, 200)) -> None:
        super().__init__()
        self._size = size

    def chart_size(self) -> tuple[int, int] | None:
        return self._size

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        painter.setFont(interface_font(BODY))
        painter.setPen(self.theme.color("text"))
        painter.drawText(area, "p(next | prefix)")


class PagedChart(Chart):
    def pages(self, page_width: float, page_height: float) -> int:
        return 1 if page_height > 1150 else 3  # A4 has 1123

    def paint_page(self, painter: QPainter, page: int, area: QRectF) -> None:
        self.paint_chart(painter, area)


def test_each_format_opens_and_holds_the_chart(qtbot: QtBot, tmp_path: Path) -> None:
    chart = Chart()
    qtbot.addWidget(chart)
    chart.set_theme(DARK)
    for kind in export_image.SUFFIXES:
        export_image.save(chart, tmp_path / f"x{kind}", ["where it is from"], scale=3)
    image = QImage(str(tmp_path / "x.png"))
    assert image.width() == 900
    assert image.height() > 600  # the footer
    assert image.text("Description") == "where it is from"
    assert image.pixelColor(1, 1) == DARK.color("surface")
    assert len({image.pixel(x, y) for x in range(0, 300) for y in range(0, 60)}) > 5, "nothing is drawn"
    root = ElementTree.parse(tmp_path / "x.svg").getroot()
    texts = " ".join("".join(node.itertext()) for node in root.iter(f"{SVG}text"))
    assert "p(next | prefix)" in texts, "real text"
    assert "where it is from" in texts
    assert (tmp_path / "x.pdf").read_bytes().count(b"/Type /Page\n") == 1


def test_a_long_chart_goes_to_pages_and_not_to_one_picture(qtbot: QtBot, tmp_path: Path) -> None:
    chart = PagedChart((900, 40_000))
    qtbot.addWidget(chart)
    export_image.save(chart, tmp_path / "x.pdf", [])
    assert (tmp_path / "x.pdf").read_bytes().count(b"/Type /Page\n") == 3
    for kind in (".png", ".svg"):
        with pytest.raises(Problem, match="as PDF"):
            export_image.save(chart, tmp_path / f"x{kind}", [])
        assert not (tmp_path / f"x{kind}").exists()


def test_a_picture_of_a_given_size_is_one_page_and_not_a_long_text_made_small(qtbot: QtBot, tmp_path: Path) -> None:
    chart = PagedChart((900, 4_000))
    qtbot.addWidget(chart)
    for kind in (".png", ".svg"):
        with pytest.raises(Problem, match="the text needs 3 pictures of 700x900"):
            export_image.save(chart, tmp_path / f"x{kind}", [], size=(700, 900))
        assert not (tmp_path / f"x{kind}").exists()
        export_image.save(chart, tmp_path / f"x{kind}", [], scale=1, size=(700, 1200))
    image = QImage(str(tmp_path / "x.png"))
    assert (image.width(), image.height()) == (700, 1200)
    assert len({image.pixel(x, y) for x in range(0, 300) for y in range(0, 60)}) > 5, "nothing is drawn"


def test_a_long_chart_without_pages_is_refused_as_pdf(qtbot: QtBot, tmp_path: Path) -> None:
    chart = Chart((900, 40_000))
    qtbot.addWidget(chart)
    with pytest.raises(Problem, match="as CSV"):
        export_image.save(chart, tmp_path / "x.pdf", [])
    assert list(tmp_path.iterdir()) == []


def test_a_size_is_kept(qtbot: QtBot, tmp_path: Path) -> None:
    chart = Chart()
    qtbot.addWidget(chart)
    export_image.save(chart, tmp_path / "x.png", ["a", "b"], scale=1, size=(640, 480))
    image = QImage(str(tmp_path / "x.png"))
    assert (image.width(), image.height()) == (640, 480)
    with pytest.raises(Problem, match="too small"):
        export_image.save(chart, tmp_path / "y.png", ["a"] * 20, size=(640, 100))


def test_what_cannot_be_written_is_told_and_the_old_file_stays(qtbot: QtBot, tmp_path: Path) -> None:
    chart = Chart()
    qtbot.addWidget(chart)
    for path in (tmp_path / "missing" / "x.png", tmp_path):
        with pytest.raises(Problem):
            export_image.save(chart, path, [])
    with pytest.raises(Problem, match="nothing to export"):
        empty = Chart(None)
        qtbot.addWidget(empty)
        export_image.save(empty, tmp_path / "x.png", [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("chart", ["bars", "heatmap", "ledger"])
def test_the_command_draws_each_chart(chart: str, tmp_path: Path, qapp: QApplication) -> None:
    before = qapp.styleSheet()
    try:
        for kind in export_image.SUFFIXES:
            out = tmp_path / f"x{kind}"
            assert main(["export", "--prompt", "BACBA", "--model", "abc", "--chart", chart, "--out", str(out)]) == 0
            assert out.stat().st_size > 2000
        root = ElementTree.parse(tmp_path / "x.svg").getroot()
        texts = " ".join("".join(node.itertext()) for node in root.iter(f"{SVG}text"))
        assert "abc (table), revision" in texts
    finally:
        qapp.setStyleSheet(before)
