"""A history as data: a record a state with its step, for CSV, JSON and JSON lines, and as a graph for Graphviz."""

from __future__ import annotations

import math

from arplay.core.errors import Problem
from arplay.core.outline import Outline
from arplay.core.signs import safe
from arplay.core.tree import PLAIN, Node, Tree
from arplay.export.charts import Shown, Table
from arplay.export.tables import Record
from arplay.export.writers import to_json_line

COLUMNS = (
    "state", "parent", "kind", "text", "id", "index", "logprob", "prob", "decoded_prob", "rank", "u", "seed",
    "decoding_text", "cut_text", "total_logprob", "here", "name_text", "star", "pruned",
)  # fmt: skip
MOST_LABEL = 60


def tree(shown: Shown) -> Table:
    """Every state of the history, the oldest first. Raises Problem where nothing was written yet."""
    if shown.tree is None or shown.tree.count == 1:
        raise Problem("there is no history to export yet", "write, pick or sample something")
    origin, rows = shown.origin(), records(shown.tree)
    lines = "".join(to_json_line(row) for row in rows)
    record = {"provenance": origin.as_dict(), "states": rows}
    return Table(record, rows, COLUMNS, origin.lines(), {"jsonl": lines, "dot": graph(shown.tree)})


def records(tree: Tree) -> list[Record]:
    """A record a state. ``total_logprob``: of the tokens on the way to it, in nats."""
    outline = Outline(tree)
    return [_record(tree, node, float(outline.total[outline.of[node.serial]])) for node in tree.nodes.values()]


def _record(tree: Tree, node: Node, total: float) -> Record:
    step, mark = node.step, tree.marks.get(node.serial, PLAIN)
    figures: Record = dict.fromkeys(COLUMNS[4:14])
    if step is not None:
        known = {"logprob": step.logprob, "prob": step.prob, "decoded_prob": step.decoded_prob}
        figures |= {name: None if math.isnan(value) else value for name, value in known.items()}
        figures |= {"id": step.id, "index": step.index, "rank": step.rank or None, "u": step.u, "seed": step.seed}
        figures |= {"decoding_text": step.by, "cut_text": step.cut or None}
    parent = None if node.parent is None else node.parent.serial
    return {
        "state": node.serial, "parent": parent, "kind": node.kind, "text": node.said[0], **figures,
        "total_logprob": total, "here": node is tree.node, "name_text": mark.name, "star": mark.star,
        "pruned": mark.pruned,
    }  # fmt: skip


def graph(tree: Tree) -> str:
    """For ``dot -Tsvg``: a box a state, an edge as wide as its token is probable.

    >>> from arplay.core.modalities.text import Text
    >>> print(graph(Tree(Text.of(b'"'))), end="")
    digraph history {
      rankdir=LR; node [shape=box, fontname="monospace"];
      0 [label="Opened 1 byte", penwidth=3];
    }
    """
    lines = ["digraph history {", '  rankdir=LR; node [shape=box, fontname="monospace"];']
    for node in tree.nodes.values():
        mark, step = tree.marks.get(node.serial, PLAIN), node.step
        name = f"{'★ ' * mark.star}{mark.name}"
        said = [name] * bool(name) + [node.said[0][:MOST_LABEL]]
        here = ", penwidth=3" if node is tree.node else ""
        style = ", style=dashed" if mark.pruned else ""
        lines.append(f"  {node.serial} [label={_quoted(said)}{here}{style}];")
        if node.parent is not None:
            p = step.prob if step is not None and not math.isnan(step.prob) else None
            of = "" if p is None else f' [label="{p:.4g}", penwidth={1 + 5 * p:.2f}]'
            lines.append(f"  {node.parent.serial} -> {node.serial}{of};")
    return "\n".join([*lines, "}", ""])


def _quoted(lines: list[str]) -> str:
    """A label of these lines: in DOT only quotes and backslashes mean something; what cannot be seen is a sign."""
    return '"' + "\\n".join(safe(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines) + '"'
