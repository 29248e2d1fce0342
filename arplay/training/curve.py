"""The loss curve of a run as an SVG picture that reads on light and dark pages, drawn without a library.

``python -m arplay.training.curve RUN --out loss.svg`` draws the reports in a run's folder.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import defaultdict
from collections.abc import Sequence
from html import escape
from pathlib import Path

from arplay.core.errors import Problem
from arplay.core.format import short
from arplay.export.writers import write
from arplay.training.run_folder import Report, RunFolder

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 56, 24, 64, 52
BINS = 160

STYLE = """
  .page { fill: #ffffff } .grid { stroke: #d8dee4 }
  text { fill: #59636e; font: 13px system-ui, sans-serif } text.title { fill: #1f2328; font-size: 15px }
  path { fill: none; stroke-linejoin: round } path.training { stroke: #8c959f; stroke-width: 1.5 }
  path.held-out { stroke: #0969da; stroke-width: 2 } circle { fill: #0969da } text.held-out { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .grid { stroke: #2f353d } text { fill: #9198a1 } text.title { fill: #f0f6fc }
    path.training { stroke: #7d8590 } path.held-out { stroke: #58a6ff } circle, text.held-out { fill: #58a6ff }
  }
"""

Points = list[tuple[float, float]]


def smoothed(reports: Sequence[Report], bins: int = BINS) -> Points:
    """(predicted tokens, training loss in bits per byte): the mean over each of so many equal parts of the run."""
    sums: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    former = 0
    for report in reports:
        new = report.tokens - former
        here = sums[min(bins - 1, bins * (former + report.tokens) // (2 * reports[-1].tokens))]
        here[0] += new
        here[1] += new * (former + report.tokens) / 2
        here[2] += new * report.bits_per_byte
        former = report.tokens
    return [(x / n, y / n) for _, (n, x, y) in sorted(sums.items()) if n]


def held_out(reports: Sequence[Report]) -> Points:
    """(predicted tokens, held-out bits per byte), wherever it was measured."""
    return [(r.tokens, r.held_out_bits_per_byte) for r in reports if r.held_out_bits_per_byte is not None]


def svg(reports: Sequence[Report], title: str) -> str:
    """The picture of both losses. Raises Problem for a run that has told of no training yet."""
    if not reports or not reports[-1].tokens:
        raise Problem("there is no curve yet", "wait until the run has trained and reported")
    training, held = smoothed(reports), held_out(reports)
    last, seen = reports[-1].tokens, [bits for _, bits in training + held]
    top = max(max(seen), min(seen) + 0.01)
    rungs = _rungs(min(seen), top, 7)
    bottom = rungs[0]

    def x(tokens: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * tokens / last

    def y(bits: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (bits - bottom) / (top - bottom)

    def path(kind: str, points: Points) -> str:
        line = " L".join(f"{x(tokens):.1f} {y(bits):.1f}" for tokens, bits in points)
        return f'<path class="{kind}" d="M{line}"/>'

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="title" x="{LEFT}" y="24">{escape(title)}</text>',
    ]
    for bits in rungs:
        parts.append(f'<path class="grid" d="M{LEFT} {y(bits):.1f} H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(bits) + 4:.1f}" text-anchor="end">{bits:.3g}</text>')
    for tokens in _rungs(0, last, 8):
        at = f'x="{x(tokens):.1f}" y="{HEIGHT - BOTTOM + 20}"'
        parts.append(f'<text {at} text-anchor="middle">{short(tokens)}</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 12}" text-anchor="end">predicted tokens</text>')
    parts.append(f'<text x="{LEFT}" y="{TOP - 14}">bits per byte</text>')
    parts.append(path("training", training))
    if held:
        parts.append(path("held-out", held))
        parts += [f'<circle cx="{x(t):.1f}" cy="{y(bits):.1f}" r="2.5"/>' for t, bits in held]
    for row, (kind, points) in enumerate((("training", training), ("held-out", held))):
        if points:
            at = f'x="{WIDTH - RIGHT - 8}" y="{TOP + 18 * row + 16}"'
            parts.append(f'<text class="{kind}" {at} text-anchor="end">{kind}, at last {points[-1][1]:.3f}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _rungs(low: float, high: float, most: int) -> list[float]:
    """Round numbers about evenly from at most ``low`` to ``high``: steps of 1, 2 or 5 times a power of ten.

    >>> _rungs(1.42, 2.6, 7)
    [1.4, 1.6, 1.8, 2.0, 2.2, 2.4, 2.6]
    """
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(times * power for times in (1, 2, 5, 10) if (high - low) / (times * power) <= most)
    first, last = math.floor(low / step), math.floor(high / step + 1e-9)
    return [round(step * k, 9) for k in range(first, last + 1)]


def main() -> None:
    """Write the picture of a run."""
    parser = argparse.ArgumentParser(prog="python -m arplay.training.curve", description="Draw a run's loss curve.")
    parser.add_argument("run", type=Path, help="the folder of a run")
    parser.add_argument("--title", default="", help="what stands above it (default: the folder's name)")
    parser.add_argument("--out", type=Path, required=True, metavar="OUT.svg")
    given = parser.parse_args()
    try:
        write(given.out, svg(RunFolder(given.run).reports(), given.title or given.run.resolve().name))
    except Problem as problem:
        sys.exit(f"arplay: {problem}")


if __name__ == "__main__":
    main()
