"""How many tokens a network reads at once, from its configuration: the same for a card and for a loaded network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMES = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "context_length")
"""What the families call it."""
LONGROPE = ("longrope", "su")


def context_of(config: Mapping[str, Any]) -> int | None:
    """The context of a configuration, as config.json or the library's ``to_dict`` has it; None where it sets no limit.

    A network with "longrope" turns every key another way once a text is longer than it was first trained for: there
    the keys of a cache, read before, would be wrong, and the numbers depend on how a text is cut. It ends there.

    >>> context_of({"n_positions": 1024}), context_of({"text_config": {"max_position_embeddings": 512}})
    (1024, 512)
    >>> context_of({"max_position_embeddings": 131072, "original_max_position_embeddings": 4096,
    ...             "rope_scaling": {"type": "longrope"}})
    4096
    """
    inner = config.get("text_config")
    for text in (config, inner if isinstance(inner, dict) else {}):
        named = [length for name in NAMES if (length := _length(text.get(name)))][:1]
        if named:
            return min([*named, *_turns(text)])
    return None


def _turns(text: Mapping[str, Any]) -> list[int]:
    """The lengths up to which keys keep their turn, if any."""
    found = []
    for key in ("rope_parameters", "rope_scaling"):
        rope = text.get(key)
        rope = rope if isinstance(rope, dict) else {}
        for each in (rope, *(part for part in rope.values() if isinstance(part, dict))):  # one for each kind of layer
            if (each.get("rope_type") or each.get("type")) in LONGROPE:
                original = "original_max_position_embeddings"
                found.append(_length(each.get(original)) or _length(text.get(original)))
    return [length for length in found if length]


def _length(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
