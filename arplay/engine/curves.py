"""One text at several strides or contexts: how its perplexity depends on them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from arplay.core.chain import Ledger
from arplay.core.conventions import Sum, of_ledger
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document
from arplay.core.reading import Reading
from arplay.core.sweeps import Axis, Point, affordable, planned
from arplay.engine.job import Steps, part_of
from arplay.engine.messages import Progress, Question, Result
from arplay.engine.scoring import Known, ledger_of, scored_of
from arplay.engine.state import State
from arplay.models.base import Info


@dataclass(frozen=True, slots=True)
class Sweep(Question):
    """Score ``document`` at several strides or contexts, else as ``reading`` has it."""

    document: Document
    axis: Axis
    reading: Reading = Reading()


@dataclass(frozen=True, slots=True)
class Swept(Result):
    """``points`` with what each came to, the smallest stride or context first; ``left_out``: those that cost too much.

    ``read``: how many tokens were read for it; what was known already was not read again. Not ``whole``: some points
    have come to nothing yet.
    """

    document: Document
    info: Info
    axis: Axis
    first_token: str
    points: tuple[Point, ...]
    left_out: int
    read: int
    whole: bool = True

    @property
    def is_last(self) -> bool:
        return self.whole

    def at(self, point: Point) -> int:
        """Where it is on the axis."""
        return point.stride if self.axis == "stride" else point.context


@dataclass(eq=False)
class Sums:
    """What is kept of one document: the sum at each context and stride, by how it is read otherwise."""

    of: tuple[Document, Reading] | None = None
    found: dict[tuple[int, int], Sum] = field(default_factory=dict)


def plan(context: int | None, ledger: Ledger, reading: Reading, axis: Axis) -> list[Point]:
    """The points that a curve has, with the ledger's own sum where it is one of them. Raises Problem for none."""
    length, windows = ledger.before + len(ledger), ledger.windows
    if axis == "stride" and length <= windows.window + 1:
        cause = f"the text fits into the context of {windows.window:,} tokens, so it has no stride"
        raise Problem(cause, "choose a smaller context, or a longer text")
    points = planned(context, length, ledger.before, reading, axis)
    own = windows.window, windows.stride
    if length <= windows.window + 1:  # read as a whole, whatever the stride
        points = [replace(p, stride=own[1]) if p.context == own[0] else p for p in points]
    return [replace(p, found=of_ledger(ledger)) if (p.context, p.stride) == own else p for p in points]


def sweep(state: State, request: Sweep) -> Steps:
    """The cheapest points first, each scored as a text is; what is known is not read. Raises Problem."""
    model, reading, number = state.current(), request.reading, request.number
    ledger = yield from ledger_of(state, number, request.document, reading)
    of, sums = (request.document, replace(reading, context=None, stride=None)), state.kept(Sums)
    if sums.of != of:
        sums.of, sums.found = of, {}
    points = plan(model.info.context, ledger, reading, request.axis)
    points = [replace(p, found=p.found or sums.found.get((p.context, p.stride))) for p in points]
    kept = affordable(points, ledger.before + len(ledger))
    whole, done = max(1, sum(p.read for p in kept if p.found is None)), 0

    def swept(is_whole: bool) -> Swept:
        by_place = tuple(sorted(kept, key=lambda p: (p.stride, p.context)))
        told_of = model.info, request.axis, ledger.first_token, by_place, len(points) - len(kept), done
        return Swept(number, request.document, *told_of, is_whole)

    for at, point in enumerate(kept):
        if point.found is not None:
            continue
        what = f"{request.axis} {point.stride if request.axis == 'stride' else point.context:,}"
        aside = Known(work=state.kept(Known).work)
        made = scored_of(state, number, request.document, point.reading(reading), growing=False, kept=aside)
        scored, _ = yield from part_of(made, number, what, done / whole, point.read / whole)
        kept[at] = replace(point, found=of_ledger(scored))
        sums.found[point.context, point.stride] = of_ledger(scored)
        done += point.read
        yield swept(False)
        yield Progress(number, what, done / whole)
    return swept(True)
