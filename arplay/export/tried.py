"""What was tried behind a place as data: rollouts, the candidates of a beam search, the areas of a map."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence

from arplay.core.beam_tree import tree_of
from arplay.core.errors import Problem
from arplay.core.joint_map import chain_of
from arplay.core.modalities.base import Document, TokenSet
from arplay.engine.mapping import Mapped
from arplay.engine.rollouts import Rolled
from arplay.engine.search import Searched
from arplay.export.charts import Shown, Table
from arplay.export.tables import Record
from arplay.export.writers import to_json_line

NONE_YET = ("no continuation was tried yet", "press Run in Continuations")


def tried(shown: Shown) -> Table:
    """Raises Problem where nothing was tried yet."""
    found = shown.found
    if found is None:
        raise Problem(*NONE_YET)
    record: Record
    if isinstance(found, Rolled):
        rows = rollouts(found)
        record, texts = {"rollouts": rows}, [str(row["text"]) for row in rows]
    elif isinstance(found, Searched):
        rows, kept = candidates(found), hypotheses(found)
        record = {"search": search(found), "hypotheses": kept, "candidates": rows}
        texts = [str(each["text"]) for each in kept]
    else:
        rows = areas(found)
        record = {"expansions": found.expansions, "whole": found.whole, "rest_prob": found.rest, "areas": rows}
        texts = [f"{row['prob']:.6g} {row['text']}" for row in rows]
    prefix = dict(found.document.before(found.place))
    flat = flattened(rows)
    lines = {"txt": "".join(f"{text}\n\n" for text in texts), "jsonl": "".join(map(to_json_line, rows))}
    origin = shown.origin()
    comments = [*origin.lines(), f"prefix: {json.dumps(prefix, ensure_ascii=False)}"]
    record = {"provenance": origin.as_dict(), "prefix": prefix} | record
    return Table(record, flat, list(flat[0]) if flat else [], comments, lines)


def rollouts(found: Rolled) -> list[Record]:
    """A record a rollout; log p by the model itself, in nats."""
    return [
        {
            "seed": each.seed,
            "ids": list(each.ids),
            "text": each.text,
            "logprob": each.logprob,
            "perplexity": each.perplexity if each.steps else None,
            "stopped": each.stopped,
            "u": [step.u for step in each.steps],
        }
        for each in found.rollouts
    ]


def search(found: Searched) -> Record:
    """The rules, and how far it went."""
    rules = found.rules
    return {
        "width": rules.width,
        "most": rules.most,
        "length_penalty": rules.length_penalty,
        "early_stopping": rules.stop,
        "groups": rules.groups,
        "diversity": rules.diversity,
        "expansions": len(found.expansions),
    }


def hypotheses(found: Searched) -> list[Record]:
    """A record a finished chain, the best score first; log p after the pipeline, in nats."""
    return [
        {
            "ids": list(each.ids),
            "text": written(found.document, each.ids, found.tokens, found.rules.eos),
            "logprob": each.logprob,
            "score": each.score,
        }
        for each in found.finished
    ]


def candidates(found: Searched) -> list[Record]:
    """A record a token that an expansion looked at: ``chain_logprob`` after the pipeline, ``logprob`` its own.

    ``step_rank``: among those of its step; ``rank``: of the finished chain, by its score.
    """
    ranks = {(each.ids, each.paid): rank for rank, each in enumerate(found.finished, 1)}
    steps = [step for expansion in found.steps for step in expansion]
    return [
        {
            "candidate": at,
            "parent": leaf.parent if leaf.parent >= 0 else None,
            "step": leaf.column + 1,
            "step_rank": leaf.rank,
            "fate_kind": leaf.fate,
            "id": step.id,
            "token_text": found.tokens.label(step.id),
            "logprob": step.logprob,
            "model_rank": step.rank,
            "chain_logprob": leaf.total,
            "rank": ranks.get((leaf.ids, leaf.paid)) if leaf.fate == "finished" else None,
            "ids": list(leaf.ids),
        }
        for at, (leaf, step) in enumerate(zip(tree_of(found.expansions, found.rules.groups), steps, strict=True))
    ]


def areas(found: Mapped) -> list[Record]:
    """A record an area of a map; ``prob``: of the chain, after the pipeline. ``rest_prob``: of it, what is no area."""
    return [
        {
            "area": at,
            "parent": area.parent if area.parent >= 0 else None,
            "ids": list(chain_of(found.areas, at)),
            "text": written(found.document, chain_of(found.areas, at), found.tokens),
            "logprob": area.total,
            "prob": math.exp(area.total),
            "state_kind": "ended" if area.ended else "opened" if area.opened else "not looked at further",
            "rest_prob": area.rest if area.opened else None,
        }
        for at, area in enumerate(found.areas)
    ]


def written(document: Document, ids: Iterable[int], tokens: TokenSet, eos: Sequence[int] = ()) -> str:
    """The text that ``ids`` write at the end of ``document``; the tokens ``eos`` write nothing."""
    writer = document.writer()
    return "".join([*(writer.write(id, tokens) for id in ids if id not in eos), writer.end()])


def flattened(rows: Sequence[Record]) -> list[Record]:
    """The same for tables, whose cells hold no lists."""
    return [dict(_flat(name, value) for name, value in row.items()) for row in rows]


def _flat(name: str, value: object) -> tuple[str, object]:
    """For a cell: a list is words, which no reader takes for a number."""
    return (f"{name}_text", " ".join(map(str, value))) if isinstance(value, list) else (name, value)
