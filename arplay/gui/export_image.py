"""A panel's chart as PNG, SVG or PDF: real text in the vectors, the provenance below, the file checked afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, cast

from PySide6.QtCore import QMarginsF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QImage, QImageReader, QImageWriter, QPageSize, QPaintDevice, QPainter, QPdfWriter
from PySide6.QtSvg import QSvgGenerator, QSvgRenderer

from arplay.core.errors import Problem
from arplay.export.writers import replacing
from arplay.gui.theme import SMALL, SPACE, Theme, interface_font

SUFFIXES = (".png", ".svg", ".pdf")
TALLEST = 16_000
"""Pixels: what image viewers still open. A longer chart goes to PDF pages."""

_PDF_DPI = 96
_POINTS = 72 / _PDF_DPI
_A4 = (794, 1123)  # at 96 dots per inch
_LINE = SMALL + SPACE[0]


class Chart(Protocol):
    """What can be exported: a :class:`arplay.gui.contract.Panel`, or any other view with these."""

    name: str
    title: str
    theme: Theme

    def chart_size(self) -> tuple[int, int] | None: ...

    def paint_chart(self, painter: QPainter, area: QRectF) -> None: ...


class Paged(Protocol):
    """What a panel offers beside :class:`Chart` if its chart can be longer than a page."""

    def pages(self, page_width: float, page_height: float) -> int: ...

    def paint_page(self, painter: QPainter, page: int, area: QRectF) -> None: ...


def save(
    panel: Chart,
    path: Path,
    provenance: Sequence[str],
    scale: float = 2.0,
    size: tuple[int, int] | None = None,
) -> None:
    """Write the whole chart of ``panel``, in its theme, in the format that ``path`` ends with.

    ``provenance``: lines set small below the chart. ``scale``: pixels of a PNG for each logical pixel. ``size``:
    the logical size of the picture, or of a page of a paged PDF; without it the chart has its own size (pages: A4).
    An existing file is replaced only by a whole and checked one. Raises Problem.
    """
    natural = panel.chart_size()
    if natural is None:
        raise Problem(f"there is nothing to export in {panel.title or panel.name} yet", "wait for its first result")
    formats: dict[str, Callable[[_Sheet, Path], None]] = {".png": _png, ".svg": _svg, ".pdf": _pdf}
    kind = path.suffix.lower()
    if kind not in formats:
        raise Problem(f"{path.name} names no picture format", f"end it with {', '.join(SUFFIXES)}")
    with replacing(path) as temporary:
        sheet = _Sheet(panel, natural, provenance, scale, size)
        formats[kind](sheet, temporary)


class _Sheet:
    """One chart with its footer, laid out for a picture of ``width`` x ``height`` logical pixels."""

    def __init__(
        self,
        panel: Chart,
        natural: tuple[int, int],
        provenance: Sequence[str],
        scale: float,
        size: tuple[int, int] | None,
    ) -> None:
        self.panel, self.natural, self.scale, self.size = panel, natural, scale, size
        self.provenance = list(provenance)
        self.footer = len(self.provenance) * _LINE + 2 * SPACE[1] if self.provenance else 0
        self.width, self.height = size or (natural[0], natural[1] + self.footer)
        if self.height - self.footer < 1:
            raise Problem(f"{self.width}x{self.height} is too small for the chart", "choose a larger --size")

    @property
    def paged(self) -> bool:
        return hasattr(self.panel, "paint_page")

    def check_height(self, scale: float) -> None:
        """A picture larger than viewers open is refused."""
        height = self.height * scale
        if height > TALLEST or self.width * scale > TALLEST:
            raise Problem(
                f"the picture would be {self.width * scale:,.0f} x {height:,.0f} pixels, more than {TALLEST:,}",
                "export it as PDF, or with a smaller --scale",
            )

    def paint(self, device: QPaintDevice) -> None:
        """The chart scaled to fit above the footer, its proportions kept.

        A paged one is set as a page of the given size instead, since a long text made to fit could not be read.
        """
        if self.size is not None and self.paged:
            needed = cast(Paged, self.panel).pages(self.width, self.height - self.footer)
            if needed > 1:
                raise Problem(
                    f"the text needs {needed:,} pictures of {self.width}x{self.height}",
                    "export it as PDF, or leave the size to the text",
                )
            self.paint_pages(device, self.width, self.height)
            return
        painter = _painter(device)
        self._ground(painter, self.height)
        room = self.height - self.footer
        factor = min(self.width / self.natural[0], room / self.natural[1])
        painter.save()
        painter.translate((self.width - self.natural[0] * factor) / 2, 0)
        painter.scale(factor, factor)
        self.panel.paint_chart(painter, QRectF(0, 0, *self.natural))
        painter.restore()
        self._foot(painter, self.height)
        painter.end()

    def paint_pages(self, device: QPaintDevice, width: int, height: int) -> None:
        panel = cast(Paged, self.panel)
        room = height - self.footer
        painter = _painter(device)
        for page in range(panel.pages(width, room)):
            if page and not cast(QPdfWriter, device).newPage():
                raise OSError("the next page cannot be begun")
            self._ground(painter, height)
            panel.paint_page(painter, page, QRectF(0, 0, width, room))
            self._foot(painter, height)
        painter.end()

    def _ground(self, painter: QPainter, height: int) -> None:
        painter.fillRect(QRectF(-1, -1, self.width + 2, height + 2), self.panel.theme.color("surface"))

    def _foot(self, painter: QPainter, height: int) -> None:
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.panel.theme.color("muted"))
        for i, line in enumerate(self.provenance):
            place = QRectF(SPACE[2], height - self.footer + SPACE[1] + i * _LINE, self.width - 2 * SPACE[2], _LINE)
            text = painter.fontMetrics().elidedText(line, Qt.TextElideMode.ElideMiddle, int(place.width()))
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


def _png(sheet: _Sheet, path: Path) -> None:
    sheet.check_height(sheet.scale)
    pixels = QSize(round(sheet.width * sheet.scale), round(sheet.height * sheet.scale))
    image = QImage(pixels, QImage.Format.Format_RGB32)
    if image.isNull():
        raise Problem(f"there is no memory for {pixels.width()} x {pixels.height()} pixels", "use a smaller --scale")
    image.setDevicePixelRatio(sheet.scale)
    image.setText("Description", "\n".join(sheet.provenance))
    sheet.paint(image)
    _require(QImageWriter(str(path), b"png").write(image))
    _require(QImageReader(str(path), b"png").size() == pixels)


def _svg(sheet: _Sheet, path: Path) -> None:
    sheet.check_height(1.0)
    generator = QSvgGenerator()
    generator.setFileName(str(path))
    generator.setSize(QSize(sheet.width, sheet.height))
    generator.setViewBox(QRectF(0, 0, sheet.width, sheet.height))
    generator.setTitle(f"arplay: {sheet.panel.title}")
    generator.setDescription("\n".join(sheet.provenance))
    sheet.paint(generator)
    _require(QSvgRenderer(str(path)).isValid())


def _pdf(sheet: _Sheet, path: Path) -> None:
    writer = QPdfWriter(str(path))
    writer.setResolution(_PDF_DPI)
    writer.setTitle(f"arplay: {sheet.panel.title}")
    writer.setCreator(", ".join(sheet.provenance))
    writer.setPageMargins(QMarginsF())
    if sheet.paged:
        sheet.width, height = sheet.size or _A4
    else:
        height = sheet.height
        if height > TALLEST:  # PDF allows a page of 14,400 points (19,200 pixels)
            raise Problem(f"the page would be {height:,} pixels tall, more than {TALLEST:,}", "export the data as CSV")
    points = QSizeF(sheet.width * _POINTS, height * _POINTS)
    writer.setPageSize(QPageSize(points, QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch))
    if sheet.paged:
        sheet.paint_pages(writer, sheet.width, height)
    else:
        sheet.paint(writer)
    with path.open("rb") as file:
        _require(file.read(5) == b"%PDF-")
        file.seek(-1024, 2)
        _require(b"%%EOF" in file.read())


def _painter(device: QPaintDevice) -> QPainter:
    painter = QPainter()
    _require(painter.begin(device))
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    return painter


def _require(holds: bool) -> None:
    if not holds:
        raise OSError("the picture did not come out whole; the disk may be full")
