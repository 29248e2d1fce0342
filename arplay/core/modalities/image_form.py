"""How pictures are kept: rows of signs, and strokes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from arplay.core.errors import Problem
from arplay.core.modalities.form import BEGINNING, whole, words
from arplay.core.modalities.image import MOST_LEVELS, MOST_PIXELS, Paint, Picture, Raster
from arplay.core.tree import TRIED, Kind, Plan

_PER_PIXEL = 16


@dataclass(slots=True)
class Stroke:
    """An edit of a picture as it is kept: the new levels of pixels, and the place that a token was written at."""

    pixels: tuple[tuple[int, int | None], ...]
    caret: int | None


class PictureForm:
    document: type = Picture
    edit: type = Paint
    kinds: Collection[Kind] = TRIED | {"opened", "painted", "picked", "sampled"}
    long: bool = False

    def start_out(self, document: Picture) -> dict[str, Any]:
        return {"signs": document.signs, "rows": document.rows}

    def is_start(self, fact: Any) -> bool:
        return isinstance(fact, dict) and "signs" in fact

    def start_in(self, fact: Any) -> Picture:
        signs, rows = words(fact["signs"], MOST_LEVELS) or "", fact["rows"]
        pixels = [len(words(row, MOST_PIXELS) or "") for row in rows] if isinstance(rows, list) else []
        if not 0 < sum(pixels) <= MOST_PIXELS:
            raise ValueError("this is no picture")
        try:
            return Raster(len(rows), len(rows[0]), signs, ()).checked().picture(rows)
        except Problem as problem:
            raise ValueError(problem.cause) from problem

    def put_of(self, edit: Paint) -> Stroke:
        return Stroke(tuple((cell, new) for cell, _, new in edit.pixels), edit.caret)

    def put_out(self, put: Stroke) -> Mapping[str, Any]:
        return {"paint": put.pixels} | ({} if put.caret is None else {"from": put.caret})

    def put_in(self, fact: Mapping[str, Any]) -> Stroke:
        pixels = tuple((whole(cell), None if level is None else whole(level)) for cell, level in fact["paint"])
        if len({cell for cell, _ in pixels}) < len(pixels):
            raise ValueError("a pixel is painted twice at once")
        caret = fact.get("from")
        return Stroke(pixels, None if caret is None else whole(caret))

    def merge(self, former: Stroke, more: Stroke) -> None:
        raise ValueError("each stroke is a state of its own")

    def edit_in(self, document: Picture, plan: Plan) -> Paint:
        put: Stroke = plan.edit
        ids = [level for _, level in put.pixels if level is not None] + ([plan.step.id] if plan.step else [])
        if any(cell >= len(document) for cell, _ in put.pixels) or any(id >= len(document.signs) for id in ids):
            raise ValueError(f"state {plan.serial} paints what the picture has not")
        if put.caret is not None and put.caret > len(document):
            raise ValueError(f"state {plan.serial} was made beyond the end of the picture")
        return Paint(tuple((cell, document.cells[cell], level) for cell, level in put.pixels), put.caret)

    def weight(self, edit: Paint) -> int:
        return _PER_PIXEL * len(edit.pixels)

    def begins(self, document: Picture) -> str:
        return f"Picture {document.shown}"[:BEGINNING]
