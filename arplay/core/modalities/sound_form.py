"""How sounds are kept: the ids of their samples in base64."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from arplay.core.modalities.form import BEGINNING, whole, words
from arplay.core.modalities.sound import LEVELS, MOST_SAMPLES, Sound, Splice
from arplay.core.tree import TRIED, Kind, Plan


@dataclass(slots=True)
class Put:
    """An edit of a sound as it is kept: ``samples`` at index ``at`` in place of ``cut`` others."""

    at: int
    cut: int
    samples: bytes
    caret: int | None


class SoundForm:
    document: type = Sound
    edit: type = Splice
    kinds: Collection[Kind] = TRIED | {"opened", "pasted", "picked", "sampled"}
    long: bool = False

    def start_out(self, document: Sound) -> dict[str, Any]:
        return {"rate": document.rate, "levels": document.levels, "samples": _out(document.samples)}

    def is_start(self, fact: Any) -> bool:
        return isinstance(fact, dict) and "rate" in fact

    def start_in(self, fact: Any) -> Sound:
        rate, levels, samples = whole(fact["rate"], 1 << 20), whole(fact["levels"], LEVELS), _in(fact["samples"])
        if rate < 1 or levels < 2 or max(samples, default=0) >= levels:
            raise ValueError("this is no sound")
        return Sound(rate, levels, samples)

    def put_of(self, edit: Splice) -> Put:
        return Put(edit.at, len(edit.removed), edit.inserted, edit.caret)

    def put_out(self, put: Put) -> Mapping[str, Any]:
        told = {"at": put.at, "cut": put.cut, "samples": _out(put.samples)}
        return told if put.caret is None else told | {"from": put.caret}

    def put_in(self, fact: Mapping[str, Any]) -> Put:
        caret = fact.get("from")
        return Put(whole(fact["at"]), whole(fact["cut"]), _in(fact["samples"]), None if caret is None else whole(caret))

    def merge(self, former: Put, more: Put) -> None:
        raise ValueError("each edit of a sound is a state of its own")

    def edit_in(self, document: Sound, plan: Plan) -> Splice:
        put: Put = plan.edit
        if put.at + put.cut > len(document) or (put.caret is not None and put.caret > len(document)):
            raise ValueError(f"state {plan.serial} changes what the sound has not")
        if max(put.samples, default=0) >= document.levels or (plan.step and plan.step.id >= document.levels):
            raise ValueError(f"state {plan.serial} holds levels that the sound has not")
        return Splice(put.at, document.samples[put.at : put.at + put.cut], put.samples, put.caret)

    def weight(self, edit: Splice) -> int:
        return len(edit.inserted)

    def begins(self, document: Sound) -> str:
        return f"Sound of {document.shown}"[:BEGINNING]


def _out(samples: bytes) -> str:
    return b64encode(samples).decode("ascii")


def _in(fact: Any) -> bytes:
    return b64decode(words(fact, 2 * MOST_SAMPLES) or "", validate=True)
