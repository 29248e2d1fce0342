"""A model comes into a slot, and leaves it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from arplay.core.modalities.base import TokenSet
from arplay.engine.job import Line, Steps
from arplay.engine.messages import Lane, Result, Slotted, WithTokens
from arplay.engine.state import State
from arplay.models.base import Capabilities, Info

Device = Literal["auto", "cpu", "cuda", "mps", "xpu"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class Load(Slotted):
    """Load a model by catalogue name or path into the slot; the former one stays there until then."""

    spec: str
    device: Device = "auto"
    dtype: Dtype = "auto"


@dataclass(frozen=True, slots=True)
class Unload(Slotted):
    """Free the slot: end what was asked of its model, and give back the memory of that and of its caches."""

    @property
    def lane(self) -> Lane:
        return Lane(Load, self.slot)  # of the two the newer one counts


@dataclass(frozen=True, eq=False, slots=True)
class Loaded(Result):
    info: Info
    vocabulary: TokenSet
    lead: tuple[int, ...]
    bos: int | None
    eos: int | None
    can: Capabilities
    lossy: str = ""
    """How the tokenizer changes text, as one sentence; empty where its tokens are the text."""

    def grown(self, result: Result) -> Loaded:
        """The same with the tokens that ``result`` knows, if it is of this model and knows more."""
        if not isinstance(result, WithTokens) or result.tokens is self.vocabulary:
            return self
        return replace(self, vocabulary=result.tokens) if result.tokens.name == self.vocabulary.name else self


@dataclass(frozen=True, slots=True)
class Unloaded(Result):
    """The slot is empty."""


def load(state: State, request: Load, line: Line) -> Steps:
    """The loader blocks: it tells progress through ``line``, which raises Stopped once the load is cancelled."""
    yield None
    model = state.load(request.spec, request.device, request.dtype, line.report)
    line.report(1.0, "ready")  # the last chance to be cancelled
    state.use(model)
    state.asked = request.spec, request.device, request.dtype
    alphabet = model.alphabet
    return Loaded(
        request.number,
        model.info,
        alphabet.vocabulary,
        alphabet.lead,
        alphabet.bos,
        alphabet.eos,
        model.can,
        alphabet.lossy,
    )


def unload(state: State, request: Unload) -> Steps:
    """Whatever was asked of the model has been ended by the worker, and holds it no longer."""
    yield None
    state.use(None)
    return Unloaded(request.number)
