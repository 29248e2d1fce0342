"""Where a question about a document stands: its tokens, the prefix before the place, and what the model reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arplay.core.decoding.pipeline import Pipeline
from arplay.core.distribution import read_only
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, Encoded, Ids, Place, Prefix
from arplay.core.position import Position
from arplay.core.reading import Reading
from arplay.core.windows import windows_of
from arplay.engine.messages import WithTokens
from arplay.engine.state import State
from arplay.models.base import Info, lead


@dataclass(frozen=True, eq=False, slots=True)
class OfPlace(WithTokens):
    """What was tried behind ``place`` of ``document``: by which model, after what, and by which rule of the first
    token."""

    document: Document
    place: Place
    info: Info
    pipeline: Pipeline
    first_token: str


@dataclass(frozen=True, eq=False, slots=True)
class Spot:
    """A place in a document as the current model sees it.

    ``lead``: ids put before the document; ``first_token``: the name of that rule. ``encoded``: all of its tokens.
    ``position``: where the place is in the chain (the lead and the prefix), and ``context`` the tokens of the chain
    that the model reads there.
    """

    lead: tuple[int, ...]
    first_token: str
    encoded: Encoded
    prefix: Prefix
    position: Position
    context: Ids
    is_open: bool
    """Whether a token comes next, and the model says which."""

    @property
    def chain(self) -> list[int]:
        """All ids before the place, the lead's first."""
        return [*self.lead, *self.prefix.ids.tolist()]


def spot_of(state: State, document: Document, place: Place, reading: Reading) -> Spot:
    """Where ``place`` of ``document`` is. Raises Problem where no model is loaded."""
    model = state.current()
    alphabet, special = model.alphabet, reading.special
    lead_ids, first_token = lead(alphabet, model.can.starts_empty, reading.first_token)
    encoded = state.encoded_to(document, alphabet, special, place)
    prefix = document.prefix(encoded, place, alphabet, special)
    read_only(prefix.ids)
    chain = np.concatenate([np.array(lead_ids, np.int64), prefix.ids])
    windows = windows_of(model.info.context, len(chain), reading, len(lead_ids))
    start = windows.start(len(chain))
    position = Position(start, len(chain), windows.before(start))
    context = windows.read(chain, start, len(chain))
    is_open = len(prefix.ids) != alphabet.vocabulary.length and (len(context) > 0 or first_token == "model")
    return Spot(lead_ids, first_token, encoded, prefix, position, context, is_open)


def open_spot(state: State, document: Document, place: Place, reading: Reading) -> Spot:
    """The same for what goes on from there. Raises Problem where nothing comes next."""
    spot = spot_of(state, document, place, reading)
    if not spot.is_open:
        raise Problem("nothing comes next here", "choose a place that is open")
    return spot


def free_spot(state: State, document: Document, place: Place, reading: Reading, straight: str = "") -> Spot:
    """The same for many tokens one after the other: in a document of a fixed length they cannot push others aside.

    ``straight`` names what cannot go around those that stand further on. Raises Problem where one stands there already,
    and for a model that tells only some tokens.
    """
    spot = open_spot(state, document, place, reading)
    if state.current().can.partial:
        raise Problem("a server that tells only some tokens steps no batch", "sample one by one")
    if straight and document.ahead(state.tokens):
        raise Problem(f"{straight} cannot go around what stands further on", "take it away first")
    if state.tokens.length is not None and spot.prefix.actual is not None:
        raise Problem("something stands here already", "clear it and what follows, or go to the first open place")
    return spot
