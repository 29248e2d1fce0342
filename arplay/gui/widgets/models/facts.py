"""How models are told: sizes, counts, times, whether one fits, and what a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from arplay.core.format import short, size
from arplay.engine.messages import Progress
from arplay.gui.widgets.labels import capital
from arplay.models.devices import RESERVE
from arplay.models.store.cards import Card

Fit = Literal["fits", "tight", "too large", "unknown"]
Engine = Literal["native", "dequantised"]


@dataclass(frozen=True, slots=True)
class Choice:
    """How a model would be loaded. ``free``: bytes of main memory that are free now."""

    dtype: str = "auto"
    device: str = "auto"
    engine: Engine = "native"
    free: int = 0


def needed(card: Card, choice: Choice) -> int | None:
    """Estimated bytes of the weights in memory; None where nobody knows. "auto" counts as float32, the CPU's choice."""
    if card.of.ways and choice.engine == "native":
        return card.disk_bytes or card.download_bytes or None
    return card.memory_bytes("float32" if choice.dtype == "auto" else choice.dtype)


def fit(card: Card, choice: Choice) -> Fit:
    """Whether the weights fit into the main memory that is free now, with room for a cache ("tight": without).

    What is free on an accelerator is not known before the library is loaded.
    """
    need = needed(card, choice)
    if need is None or not choice.free or choice.device not in ("auto", "cpu"):
        return "unknown"
    return "fits" if need + RESERVE <= choice.free else "tight" if need <= choice.free else "too large"


def memory(card: Card, choice: Choice) -> str:
    """The estimate and the verdict in words."""
    need, verdict = needed(card, choice), fit(card, choice)
    if need is None:
        return "none here, it runs at the server" if card.origin == "server" else "not known before it is here"
    free = size(choice.free)
    return {
        "fits": f"{size(need)}, fits ({free} are free)",
        "tight": f"{size(need)}, just fits ({free} are free), with little room for a cache",
        "too large": f"{size(need)}, does not fit into main memory ({free} are free)",
        "unknown": size(need),
    }[verdict]


def summary(card: Card) -> str:
    """Family, parameters, context and licence in a line."""
    context = f"context {card.context:,}" if card.context else ""
    count = short(card.parameters) + " parameters" if card.parameters else ""
    return "  ·  ".join(part for part in (card.family, count, context, card.licence) if part) or card.about


def download(progress: Progress | None) -> str:
    """What has come, how fast, and how long it still takes, as far as that is known."""
    if progress is None:
        return "Asking for it"
    if progress.bytes_done is None:
        return capital(progress.what)
    return "  ·  ".join(progress.transfer)


def found(card: Card, query: str) -> bool:
    """Whether every word of ``query`` is somewhere in the card."""
    text = " ".join((card.title, card.spec, card.family, card.licence, card.about)).lower()
    return all(word in text for word in query.lower().split())
