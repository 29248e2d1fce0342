"""Small plots as SVG for reports: bars, lines and a band. No Qt; the window draws its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from arplay.core.signs import markup

WIDTH, HEIGHT = 460, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 10, 40
_INK, QUIET, _ACCENT, _SOFT = "#1b1e25", "#5a6270", "#c95a12", "#fbc98a"


@dataclass
class Plot:
    """One plot over [x0, x1] and [y0, y1]; everything is drawn in the order in which it is added."""

    title: str
    x: tuple[float, float]
    y: tuple[float, float]
    x_label: str
    y_label: str
    parts: list[str] = field(default_factory=list)
    says: str = ""
    """What it is, in a sentence."""

    def across(self, x: float) -> float:
        low, high = self.x
        return _LEFT + (x - low) / ((high - low) or 1) * (WIDTH - _LEFT - _RIGHT)

    def down(self, y: float) -> float:
        low, high = self.y
        return HEIGHT - _BOTTOM - (y - low) / ((high - low) or 1) * (HEIGHT - _TOP - _BOTTOM)

    def line(self, xs: Sequence[float], ys: Sequence[float], colour: str = _ACCENT, width: float = 1.5) -> None:
        """Through all points; where y is no number (NaN) the line is broken."""
        run: list[str] = []
        for x, y in [*zip(xs, ys, strict=True), (0.0, float("nan"))]:
            if y == y:
                run.append(f"{self.across(x):.1f},{self.down(min(max(y, self.y[0]), self.y[1])):.1f}")
            elif run:
                self.parts.append(
                    f'<polyline points="{" ".join(run)}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
                )
                run = []

    def bar(self, left: float, right: float, top: float, tip: str) -> None:
        x, y = self.across(left), self.down(top)
        wide, high = max(self.across(right) - x - 1, 0.5), max(self.down(self.y[0]) - y, 0)
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" fill="{_SOFT}" stroke="{_ACCENT}" '
            f'stroke-width="0.5"><title>{markup(tip)}</title></rect>'
        )

    def dot(self, x: float, y: float, low: float, high: float, tip: str) -> None:
        """A point with the band that it may lie in."""
        at = f"{self.across(x):.1f}"
        self.parts.append(
            f'<line x1="{at}" x2="{at}" y1="{self.down(low):.1f}" y2="{self.down(high):.1f}" stroke="{_ACCENT}"/>'
            f'<circle cx="{at}" cy="{self.down(y):.1f}" r="3" fill="{_ACCENT}"><title>{markup(tip)}</title></circle>'
        )

    def cell(self, x: tuple[float, float], y: tuple[float, float], strength: float) -> None:
        """A square of a density."""
        left, right, top, bottom = self.across(x[0]), self.across(x[1]), self.down(y[1]), self.down(y[0])
        self.parts.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" '
            f'fill="{_ACCENT}" fill-opacity="{strength:.2f}"/>'
        )

    def label(self, x: float, words: str) -> None:
        """Below the axis."""
        self._text(self.across(x), HEIGHT - _BOTTOM + 14, words, "end" if x == self.x[1] else "middle")

    @property
    def svg(self) -> str:
        """The whole of it, with its axes."""
        frame, self.parts = self.parts, []
        bottom, left, right = HEIGHT - _BOTTOM, _LEFT, WIDTH - _RIGHT
        self.parts.append(f'<path d="M{left} {_TOP}V{bottom}H{right}" fill="none" stroke="{QUIET}"/>')
        for y in (self.y[0], (self.y[0] + self.y[1]) / 2, self.y[1]):
            self._text(left - 6, self.down(y) + 4, f"{y:,.0f}" if y >= 100 else f"{y:.3g}".replace("-", "−"), "end")
        self._text((left + right) / 2, HEIGHT - 6, self.x_label, "middle")
        self._text(left + 6, _TOP + 8, self.y_label, "start", quiet=True)
        axes, self.parts = self.parts, frame
        title, says = markup(self.title), f"<br><small>{markup(self.says)}</small>" if self.says else ""
        return (
            f'<figure><figcaption>{title}{says}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{title}" width="{WIDTH}" height="{HEIGHT}">{"".join(frame + axes)}</svg></figure>'
        )

    def _text(self, x: float, y: float, words: str, anchor: str, quiet: bool = False) -> None:
        place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
        self.parts.append(f'<text {place} font-size="11" fill="{QUIET if quiet else _INK}">{markup(words)}</text>')
