"""Where a question about a text stands: its pieces, the prefix before the caret, and what of it the model reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arplay.core.document import Encoded, Prefix, prefix_at
from arplay.core.pieces import Ids
from arplay.core.position import Position
from arplay.engine.messages import Explore, Recompute
from arplay.engine.state import State, read_only, windows_of
from arplay.models.base import lead


@dataclass(frozen=True, eq=False, slots=True)
class Place:
    """A caret in a text as the current model sees it.

    ``lead``: ids put before the text; ``first_piece``: the name of that rule. ``encoded``: the whole text's pieces.
    ``position``: where the caret is in the chain (the
    lead and the prefix), and ``context`` the pieces of the chain that the model reads there.
    """

    lead: tuple[int, ...]
    first_piece: str
    encoded: Encoded
    prefix: Prefix
    position: Position
    context: Ids


def place_of(state: State, request: Explore | Recompute) -> Place:
    """Where ``request`` stands. Raises Problem where no model is loaded."""
    model = state.current()
    alphabet, special = model.alphabet, request.reading.special
    lead_ids, first_piece = lead(alphabet, model.starts_empty, request.reading.first_piece)
    encoded = state.encode(request.document, alphabet, special)
    prefix = prefix_at(request.document, encoded, request.caret, alphabet, special, request.index)
    read_only(prefix.ids)
    chain = np.concatenate([np.array(lead_ids, np.int64), prefix.ids])
    windows = windows_of(model.info.context, len(chain), len(lead_ids) * request.reading.window_lead)
    start = windows.start(len(chain))
    position = Position(start, len(chain), windows.before(start))
    context = windows.read(chain, start, len(chain))
    return Place(lead_ids, first_piece, encoded, prefix, position, context)
