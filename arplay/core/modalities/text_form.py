"""How texts are kept: bytes that are typed as strings, ids that were picked or sampled with what they stand for."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from arplay.core.modalities.form import BEGINNING, MAX_ID, whole, words
from arplay.core.modalities.runs import Edit, Fixed, Run, Runs, Typed, normal, size
from arplay.core.modalities.text import Text
from arplay.core.tree import Kind, Plan


@dataclass(slots=True)
class Put:
    """An edit of a text as it is kept: ``runs`` at byte ``at``, with the count of the bytes that gave way for them."""

    at: int
    cut: int
    runs: Runs


class TextForm:
    document: type = Text
    edit: type = Edit
    kinds: Collection[Kind] = frozenset(get_args(Kind)) - {"painted", "pasted"}
    long: bool = True

    def start_out(self, document: Text) -> list[Any]:
        return runs_out(document.runs)

    def is_start(self, fact: Any) -> bool:
        return isinstance(fact, list)

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
