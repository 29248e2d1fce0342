"""All the ways to cut a text as a record for JSON, and as lines for a terminal."""

from __future__ import annotations

from dataclasses import replace

from arplay.core.distribution import LN2
from arplay.core.format import nats_and_bits, number, percent
from arplay.core.signs import safe
from arplay.engine.segmentations import Segmented
from arplay.export.charts import Shown, Table
from arplay.export.tables import Record

LISTED = 10


def record(segmented: Segmented) -> Record:
    """Every way with its tokens and log p in nats, the most probable first; their sum is that of the text."""
    found, label = segmented.found, segmented.tokens.record
    return {
        "ways": [
            {"ids": list(way.ids), "tokens": [label(id)["text"] for id in way.ids], "logprob": way.logprob}
            for way in found.ways
        ],
        "marginal_logprob": found.marginal,
        "canonical_ids": list(found.canonical.ids),
        "canonical_logprob": found.canonical.logprob,
        "canonical_share": found.share,
        "whole": found.whole,
    }


COLUMNS = ("way", "way_text", "tokens", "ids_text", "logprob", "share", "canonical")


def rows(segmented: Segmented) -> list[Record]:
    """A record a way, the most probable first; ``share``: its part of p of the text."""
    found, label = segmented.found, segmented.tokens.record
    return [
        {
            "way": at,
            "way_text": "|".join(label(id)["text"] for id in way.ids),
            "tokens": len(way.ids),
            "ids_text": " ".join(map(str, way.ids)),
            "logprob": way.logprob,
            "share": found.share_of(way),
            "canonical": way is found.canonical,
        }
        for at, way in enumerate(found.ways, 1)
    ]


def table(shown: Shown, segmented: Segmented) -> Table:
    origin = replace(shown.origin(), text=f"typed: {segmented.document.shown}")
    told = f"log p of the text, all ways together: {segmented.found.marginal} nats"
    return Table(
        {"provenance": origin.as_dict(), **record(segmented)}, rows(segmented), COLUMNS, [*origin.lines(), told]
    )


def lines(segmented: Segmented) -> list[str]:
    """The most probable ways, and what the sum of all is."""
    found, label = segmented.found, segmented.tokens.label
    told = [f"{'log p':>10}  {'bits':>10}  way to cut it"]
    for way in found.ways[:LISTED]:
        cut = safe("|".join(label(id) for id in way.ids)) + (" (the tokenizer's)" if way is found.canonical else "")
        told.append(f"{number(way.logprob):>10}  {number(0.0 - way.logprob / LN2):>10}  {cut}")
    if len(found.ways) > LISTED:
        told.append(f"... and {len(found.ways) - LISTED:,} more")
    least = "" if found.whole else " at least: not all ways were looked at"
    told.append(f"all together: log p {nats_and_bits(found.marginal)}{least}")
    return [
        *told,
        f"the tokenizer's way has {percent(found.share)} of it and costs {number(found.lost_bits)} bits more",
    ]
