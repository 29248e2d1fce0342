"""What the model of the window is compared with: other models, each in a slot of its own."""

from __future__ import annotations

from dataclasses import dataclass

from arplay.core.chain import Ledger
from arplay.core.matching import Match
from arplay.core.position import Answer
from arplay.engine.load import Loaded
from arplay.models.base import Info
from arplay.models.scored_run import SavedRun

MOST = 3
"""So many stand beside the window's own: four models at once."""


@dataclass(frozen=True, eq=False, slots=True)
class Peer:
    """A model in ``slot``. ``loaded`` is None until it is there; ``title`` is what it was asked for as.

    ``ledger``: its scores, whole, of the document that ``beside``, the window's own, scores; None where that failed.
    ``answer``: what it says at the place of ``answered``, the window's own answer; ``match``: which tokens are the
    same. ``doing`` says what it works at now, ``share`` how far it is (None: nobody knows); ``problem``: cause and
    remedy of what went wrong.
    """

    slot: int
    title: str
    loaded: Loaded | None = None
    ledger: Ledger | None = None
    beside: Ledger | None = None
    answer: Answer | None = None
    answered: Answer | None = None
    match: Match | None = None
    doing: str = ""
    share: float | None = None
    problem: tuple[str, str] | None = None
    run: SavedRun | None = None
    """It is a saved run, which has no model."""

    @property
    def name(self) -> str:
        """With the number type or quantisation, in which two of the same may differ."""
        return self.title if self.loaded is None else f"{self.title} {self.loaded.info.dtype}"


@dataclass(frozen=True, eq=False, slots=True)
class Base:
    """A text that is remembered as the base of its edits: its scores, and the model that made them."""

    ledger: Ledger
    info: Info
