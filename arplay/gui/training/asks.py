"""What the views of training ask the window for; it makes the numbered requests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AskReplay:
    """Ask the run's snapshots of a step later than ``after`` about ``text``, and for p(. | tokens before ``index``).

    ``index``: as in :class:`arplay.engine.replay.Replay`; None is after the last token.
    """

    text: str
    index: int | None
    after: int


@dataclass(frozen=True, slots=True)
class AskBatch:
    """Ask the model in the playground for the loss of each position of ``text``."""

    text: str
