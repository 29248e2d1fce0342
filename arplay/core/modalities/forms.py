"""How documents and edits of each kind are kept as JSON and come back: the one table of kinds that core/ asks.

What comes back is input like any other: every field is checked, and ValueError says what makes no sense.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, get_args

from arplay.core.errors import Problem
from arplay.core.modalities.base import Document
from arplay.core.modalities.image import MOST_LEVELS, MOST_PIXELS, Paint, Picture, Raster
from arplay.core.modalities.runs import Edit, Fixed, Run, Runs, Typed, normal, size
from arplay.core.modalities.text import Text
from arplay.core.tree import Kind, Plan

MAX_ID = 2**31
_MAX_NUMBER = 2**53
_PER_PIXEL = 16
BEGINNING = 60
"""Characters of a document by which it can be told from others."""


class Form(Protocol):
    """``kinds``: of the nodes that documents of this kind have; ``long``: whether one may begin a longer document."""

    document: type
    edit: type
    kinds: Collection[Kind]
    long: bool

    def start_out(self, document: Any) -> Any:
        """A whole document as JSON."""
        ...

    def start_in(self, fact: Any) -> Any: ...

    def put_of(self, edit: Any) -> Any:
        """What is kept of an edit, by values that no longer change."""
        ...

    def put_out(self, put: Any) -> Mapping[str, Any]: ...

    def put_in(self, fact: Mapping[str, Any]) -> Any: ...

    def merge(self, former: Any, more: Any) -> None:
        """Make typing that goes on, or deleting that does, part of what was kept of the edit before, as a tree does."""
        ...

    def edit_in(self, document: Any, plan: Plan) -> Any:
        """The edit of a plan, whose ``edit`` is what was kept of it, for the document that it was made from."""
        ...

    def weight(self, edit: Any) -> int:
        """Bytes that it takes, about."""
        ...

    def begins(self, document: Any) -> str: ...


@dataclass(slots=True)
class Put:
    """An edit of a text as it is kept: ``runs`` at byte ``at``, with the count of the bytes that gave way for them."""

    at: int
    cut: int
    runs: Runs


class TextForm:
    document: type = Text
    edit: type = Edit
    kinds: Collection[Kind] = frozenset(get_args(Kind)) - {"painted"}
    long: bool = True

    def start_out(self, document: Text) -> list[Any]:
        return runs_out(document.runs)

    def start_in(self, fact: Any) -> Text:
        return Text(runs_in(fact))

    def put_of(self, edit: Edit) -> Put:
        return Put(edit.at, size(edit.removed), edit.inserted)

    def put_out(self, put: Put) -> Mapping[str, Any]:
        return {"at": put.at, "cut": put.cut, "put": runs_out(put.runs)}

    def put_in(self, fact: Mapping[str, Any]) -> Put:
        return Put(whole(fact["at"]), whole(fact["cut"]), runs_in(fact["put"]))

    def merge(self, former: Put, more: Put) -> None:
        if not more.cut and not former.cut and more.at == former.at + size(former.runs):
            former.runs = normal(former.runs + more.runs)
        elif not more.runs and not former.runs and former.at in (more.at, more.at + more.cut):
            former.at, former.cut = more.at, former.cut + more.cut
        else:
            raise ValueError("this does not go on where the last typing ended")

    def edit_in(self, document: Text, plan: Plan) -> Edit:
        put: Put = plan.edit
        return document.edit(put.at, put.cut, put.runs, plan.kind == "retokenised")

    def weight(self, edit: Edit) -> int:
        return size(edit.inserted)

    def begins(self, document: Text) -> str:
        return document.data[: BEGINNING * 4].decode("utf-8", "replace")[:BEGINNING]


@dataclass(slots=True)
class Stroke:
    """An edit of a picture as it is kept: the new levels of pixels, and the place that a token was written at."""

    pixels: tuple[tuple[int, int | None], ...]
    caret: int | None


class PictureForm:
    document: type = Picture
    edit: type = Paint
    kinds: Collection[Kind] = frozenset({"opened", "painted", "picked", "sampled"})
    long: bool = False

    def start_out(self, document: Picture) -> dict[str, Any]:
        return {"signs": document.signs, "rows": document.rows}

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


TEXT, PICTURE = TextForm(), PictureForm()
FORMS: tuple[Form, ...] = (TEXT, PICTURE)
FIRST: Document = Text()
"""What lies on the table before there is a model."""


def of_document(document: object) -> Form:
    return next(form for form in FORMS if isinstance(document, form.document))


def of_edit(edit: object) -> Form:
    return next(form for form in FORMS if isinstance(edit, form.edit))


def of_start(fact: Any) -> Form:
    """A text is a list of runs, a picture an object."""
    return TEXT if isinstance(fact, list) else PICTURE


def runs_out(runs: Runs) -> list[Any]:
    return [_run_out(run) for run in runs]


def runs_in(fact: Any) -> Runs:
    if not isinstance(fact, list):
        raise ValueError("runs are a list")
    return normal(_run_in(run) for run in fact)


def _run_out(run: Run) -> Any:
    if isinstance(run, Typed):
        return _text_out(run.data)
    return {"vocabulary": run.vocabulary, "ids": list(run.ids), "pieces": [_text_out(token) for token in run.tokens]}


def _run_in(fact: Any) -> Run:
    if isinstance(fact, str):
        return Typed(_text_in(fact))
    ids, tokens = tuple(whole(id, MAX_ID) for id in fact["ids"]), tuple(_text_in(token) for token in fact["pieces"])
    if len(ids) != len(tokens):
        raise ValueError("ids and tokens do not match")
    return Fixed(words(fact["vocabulary"], 4096) or "", ids, tokens)


def former_in(content: Mapping[str, Any]) -> Text:
    """The one text that was kept before there were sessions; its bytes in base64."""
    if set(content) != {"runs"}:
        raise ValueError("a newer version wrote it")
    return Text(normal(map(_former_run, content["runs"])))


def _former_run(fact: Mapping[str, Any]) -> Run:
    if "typed" in fact:
        return Typed(b64decode(fact["typed"], validate=True))
    ids, tokens = tuple(fact["ids"]), tuple(b64decode(token, validate=True) for token in fact["pieces"])
    if len(ids) != len(tokens) or not all(type(id) is int and 0 <= id < MAX_ID for id in ids):
        raise ValueError("ids and tokens do not match")
    return Fixed(str(fact["vocabulary"]), ids, tokens)


def _text_out(data: bytes) -> str:
    """Bytes that are no UTF-8 become lone surrogates, which JSON escapes."""
    return data.decode("utf-8", "surrogateescape")


def _text_in(text: Any) -> bytes:
    if not isinstance(text, str):
        raise ValueError("a text is a string")
    return text.encode("utf-8", "surrogateescape")


def words(value: Any, most: int) -> str | None:
    """A string of at most so many characters, or None."""
    if value is not None and not (isinstance(value, str) and len(value) <= most):
        raise ValueError("these are no words")
    return value


def whole(value: Any, most: int = _MAX_NUMBER) -> int:
    """A number from 0 to ``most``."""
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"this is no number up to {most}")
    return value
