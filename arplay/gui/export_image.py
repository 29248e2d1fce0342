"""A chart as PNG, SVG or PDF: real text in the vectors, the provenance below, the file checked afterwards."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
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
"""Pixels: what image viewers still open. A longer chart goes to pages."""
SCALE = 2.0
"""Pixels of a PNG for each logical pixel."""

_PDF_DPI = 96
_POINTS = 72 / _PDF_DPI
PAGE = (794, 1123)
"""A4 at 96 dots per inch."""
_LINE = SMALL + SPACE[0]


class Chart(Protocol):
    """What can be exported: a :class:`arplay.gui.contract.Panel`, or any other view with these."""

    name: str
    title: str
    theme: Theme

    def chart_size(self) -> tuple[int, int] | None: ...

    def paint_chart(self, painter: QPainter, area: QRectF) -> None: ...


class Paged(Protocol):
    """What a chart offers beside :class:`Chart` if it can be longer than a page."""

    def pages(self, page_width: float, page_height: float) -> int: ...

    def paint_page(self, painter: QPainter, page: int, area: QRectF) -> None: ...


def save(
    chart: Chart,
    path: Path,
    provenance: Sequence[str],
    scale: float = SCALE,
    size: tuple[int, int] | None = None,
    pages: bool = False,
) -> None:
    """Write all of ``chart``, in its theme, in the format that ``path`` ends with.

    ``provenance``: lines set small below the chart. ``scale``: pixels of a PNG for each logical pixel. ``size``:
    the logical size of the picture, or of a page; without it the chart has its own size (pages: A4). ``pages``: cut a
    long chart into pictures whose names are numbered (see :func:`numbered`); a PDF of such a chart always has pages.
    An existing file is replaced only by a whole and checked one. Raises Problem.
    """
    for _ in steps(chart, path, provenance, scale, size, pages):
        pass


def steps(
    chart: Chart,
    path: Path,
    provenance: Sequence[str],
    scale: float = SCALE,
    size: tuple[int, int] | None = None,
    pages: bool = False,
) -> Generator[tuple[int, int], None, None]:
    """:func:`save` a page at a time: the pages that are done, and how many there are. Closed, it leaves no PDF."""
    natural = chart.chart_size()
    if natural is None:
        raise Problem(f"there is nothing to export in {chart.title or chart.name} yet", "wait for its first result")
    write: dict[str, Callable[[_Picture, Path, int | None], None]] = {".png": _png, ".svg": _svg}
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise Problem(f"{path.name} names no picture format", f"end it with {', '.join(SUFFIXES)}")
    picture = _Picture(chart, natural, provenance, scale, size, picture_pages=pages or kind == ".pdf")
    if kind == ".pdf":
        with replacing(path) as temporary:
            yield from _pdf(picture, temporary)
    elif pages and picture.paged:
        count = picture.pages
        for page in range(count):
            with replacing(numbered(path, page, count)) as temporary:
                write[kind](picture, temporary, page)
            yield page + 1, count
    else:
        with replacing(path) as temporary:
            write[kind](picture, temporary, None)
        yield 1, 1


def numbered(path: Path, page: int, pages: int) -> Path:
    """The file of one page of several.

    >>> numbered(Path("heat.png"), 8, 120).name, numbered(Path("heat.png"), 0, 1).name
    ('heat-009.png', 'heat.png')
    """
    return path if pages == 1 else path.with_stem(f"{path.stem}-{page + 1:0{len(str(pages))}}")


def pixels(chart: Chart, provenance: Sequence[str], scale: float = SCALE) -> tuple[int, int]:
    """Width and height of the PNG of all of ``chart``."""
    picture = _Picture(chart, chart.chart_size() or (0, 0), provenance, scale, None)
    return round(picture.width * scale), round(picture.height * scale)


def page_count(chart: Chart, provenance: Sequence[str]) -> int:
    """Pages of A4 that a chart takes."""
    return _Picture(chart, chart.chart_size() or (0, 0), provenance, 1.0, None, picture_pages=True).pages


class _Picture:
    """One chart with its footer, laid out for a picture or a page of ``width`` x ``height`` logical pixels."""

    def __init__(
        self,
        chart: Chart,
        natural: tuple[int, int],
        provenance: Sequence[str],
        scale: float,
        size: tuple[int, int] | None,
        picture_pages: bool = False,
    ) -> None:
        self.chart, self.natural, self.scale, self.size = chart, natural, scale, size
        self.provenance = list(provenance)
        self.footer = len(self.provenance) * _LINE + 2 * SPACE[1] if self.provenance else 0
        self.paged = hasattr(chart, "paint_page")
        own = PAGE if picture_pages and self.paged else (natural[0], natural[1] + self.footer)
        self.width, self.height = size or own
        if self.height - self.footer < 1:
            raise Problem(f"{self.width}x{self.height} is too small for the chart", "choose a larger --size")

    @property
    def pages(self) -> int:
        return cast(Paged, self.chart).pages(self.width, self.height - self.footer) if self.paged else 1

    def check_height(self, scale: float) -> None:
        """A picture larger than viewers open is refused."""
        height = self.height * scale
        if height > TALLEST or self.width * scale > TALLEST:
            parts = "cut into --pages, or only --tokens FROM-TO" if self.paged else "or with a smaller --scale"
            raise Problem(
                f"the picture would be {self.width * scale:,.0f} x {height:,.0f} pixels, more than {TALLEST:,}",
                f"export it as PDF, {parts}",
            )

    def paint(self, device: QPaintDevice, page: int | None = None) -> None:
        """One page; or the chart scaled to fit above the footer, its proportions kept.

        A paged one is set as a page of the given size instead, since a long text made to fit could not be read.
        """
        if page is None and self.size is not None and self.paged:
            if self.pages > 1:
                raise Problem(
                    f"the text needs {self.pages:,} pictures of {self.width}x{self.height}",
                    "add --pages, export it as PDF, or leave the size to the text",
                )
            page = 0
        painter = _painter(device)
        if page is not None:
            self.paint_page(painter, page)
        else:
            self._ground(painter)
            factor = min(self.width / self.natural[0], (self.height - self.footer) / self.natural[1])
            painter.save()
            painter.translate((self.width - self.natural[0] * factor) / 2, 0)
            painter.scale(factor, factor)
            self.chart.paint_chart(painter, QRectF(0, 0, *self.natural))
            painter.restore()
            self._foot(painter)
        painter.end()

    def paint_page(self, painter: QPainter, page: int) -> None:
        self._ground(painter)
        cast(Paged, self.chart).paint_page(painter, page, QRectF(0, 0, self.width, self.height - self.footer))
        self._foot(painter)

    def _ground(self, painter: QPainter) -> None:
        painter.fillRect(QRectF(-1, -1, self.width + 2, self.height + 2), self.chart.theme.color("surface"))

    def _foot(self, painter: QPainter) -> None:
        painter.setFont(interface_font(SMALL))
        painter.setPen(self.chart.theme.color("muted"))
        for i, line in enumerate(self.provenance):
            y = self.height - self.footer + SPACE[1] + i * _LINE
            place = QRectF(SPACE[2], y, self.width - 2 * SPACE[2], _LINE)
            text = painter.fontMetrics().elidedText(line, Qt.TextElideMode.ElideMiddle, int(place.width()))
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


def _png(picture: _Picture, path: Path, page: int | None) -> None:
    picture.check_height(picture.scale)
    size = QSize(round(picture.width * picture.scale), round(picture.height * picture.scale))
    image = QImage(size, QImage.Format.Format_RGB32)
    if image.isNull():
        raise Problem(f"there is no memory for {size.width()} x {size.height()} pixels", "use a smaller --scale")
    image.setDevicePixelRatio(picture.scale)
    image.setText("Description", "\n".join(picture.provenance))
    picture.paint(image, page)
    _require(QImageWriter(str(path), b"png").write(image))
    _require(QImageReader(str(path), b"png").size() == size)


def _svg(picture: _Picture, path: Path, page: int | None) -> None:
    picture.check_height(1.0)
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)  # which has clipping: a letter can be in two inks
    generator.setFileName(str(path))
    generator.setSize(QSize(picture.width, picture.height))
    generator.setViewBox(QRectF(0, 0, picture.width, picture.height))
    generator.setTitle(f"arplay: {picture.chart.title}")
    generator.setDescription("\n".join(picture.provenance))
    picture.paint(generator, page)
    _require(QSvgRenderer(str(path)).isValid())


def _pdf(picture: _Picture, path: Path) -> Generator[tuple[int, int], None, None]:
    if not picture.paged and picture.height > TALLEST:  # PDF allows a page of 14,400 points (19,200 pixels)
        raise Problem(f"the page would be {picture.height:,} pixels tall, more than {TALLEST:,}", "export it as CSV")
    writer = QPdfWriter(str(path))
    writer.setResolution(_PDF_DPI)
    writer.setTitle(f"arplay: {picture.chart.title}")
    writer.setCreator(", ".join(picture.provenance))
    writer.setPageMargins(QMarginsF())
    points = QSizeF(picture.width * _POINTS, picture.height * _POINTS)
    writer.setPageSize(QPageSize(points, QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch))
    if picture.paged:
        count = picture.pages
        painter = _painter(writer)
        try:
            for page in range(count):
                if page and not writer.newPage():
                    raise OSError("the next page cannot be begun")
                picture.paint_page(painter, page)
                yield page + 1, count
        finally:
            painter.end()
    else:
        picture.paint(writer)
        yield 1, 1
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
