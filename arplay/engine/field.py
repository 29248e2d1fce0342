"""The receptive field of the token at a place: what bears on it by the network's connections, and by gradient."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from arplay.core.modalities.base import Document, Place
from arplay.core.reading import Reading
from arplay.engine.messages import Question, WithTokens
from arplay.engine.place import open_spot
from arplay.engine.state import State
from arplay.models.base import Field, Info, field_of


@dataclass(frozen=True, slots=True)
class Reach(Question):
    """Which tokens before ``place`` bear on what comes there, and how much?"""

    document: Document
    place: Place
    reading: Reading = Reading()


@dataclass(frozen=True, eq=False, slots=True)
class Reached(WithTokens):
    """``field``: of the n tokens of the document before the one with this ``index``; what was put before it is left
    out. ``measure``: what stands in its ``gradient``, where that is how far a change of each token moved the
    distribution."""

    document: Document
    place: Place
    info: Info
    index: int
    field: Field
    measure: str = "gradient"


def reach(state: State, request: Reach) -> Generator[None, None, Reached]:
    """Measure it, in passes that cannot be interrupted. Raises Problem where the model has no field, or no token."""
    model, spot = state.current(), open_spot(state, request.document, request.place, request.reading)
    yield None  # a step that was asked meanwhile comes first
    field, index = field_of(model, spot.context.tolist()), spot.prefix.index
    own = field.last(min(len(field.declared), index, spot.position.end - spot.position.start))
    return Reached(request.number, state.tokens, request.document, request.place, model.info, index, own)
