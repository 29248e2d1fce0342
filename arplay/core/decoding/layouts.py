"""Layouts of stages as they are kept and sent: JSON, the user's presets by name, and what a file means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arplay.core.decoding.generation_config import from_config, is_config
from arplay.core.decoding.rows import PRESETS, Rows, as_json, from_json, rows_of
from arplay.core.errors import Problem
from arplay.core.signs import safe

MOST_BYTES = 1 << 20
"""Of a file with a layout."""
MOST_PRESETS = 50
LONGEST_NAME = 60

Presets = tuple[tuple[str, Rows], ...]
"""The user's own, by name."""


def layout_of(said: Any) -> tuple[Rows, list[str]]:
    """The layout that a file's JSON means, ours or a GenerationConfig, and a sentence for what is not taken over.

    Raises Problem.

    >>> rows, notes = layout_of({"do_sample": True, "top_k": 40, "num_beams": 4})
    >>> [row.stage for row in rows], notes
    (['top-k'], ['num_beams is not taken over'])
    """
    if isinstance(said, Mapping) and is_config(said):
        pipeline, notes = from_config(said)
        return rows_of(pipeline), notes
    return from_json(said), []


def named(presets: Presets, name: str, rows: Rows | None, former: str = "") -> Presets:
    """With ``rows`` under ``name``, instead of what has that name or the name ``former``; without it for None.

    Raises Problem for a name that cannot be given, and where there are too many.
    """
    name = safe(name.strip())
    if not name or len(name) > LONGEST_NAME or name in PRESETS:
        said = "a preset needs a name" if not name else f"“{name[:LONGEST_NAME]}” cannot be the name of a preset"
        raise Problem(said, f"give at most {LONGEST_NAME} characters, and none of the names that are there already")
    kept = [(known, old) for known, old in presets if known not in (name, former)]
    if rows is not None:
        kept.append((name, rows))
    if len(kept) > MOST_PRESETS:
        raise Problem(f"{MOST_PRESETS} presets are kept already", "delete one first")
    return tuple(sorted(kept, key=lambda each: each[0].casefold()))


def presets_as_json(presets: Presets) -> list[dict[str, Any]]:
    return [{"name": name, "stages": as_json(rows)} for name, rows in presets]


def presets_from_json(said: Any) -> Presets:
    """Raises Problem for what :func:`presets_as_json` does not write."""
    if not isinstance(said, list) or len(said) > MOST_PRESETS:
        raise Problem("these are no presets", f"give a list of at most {MOST_PRESETS}")
    done: Presets = ()
    for each in said:
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            raise Problem("a preset has no name", "give each a name and its stages")
        done = named(done, each["name"], from_json(each.get("stages")))
    return done
