"""A step of one token without Python between its operations, for any network whose cache only grows.

Half of a small network's step is Python and the library's own bookkeeping around operations of a few microseconds
each. Here the network's own forward of one token is recorded once (``torch.jit.trace``; nothing of a family is written
anew) and replayed. What a recording cannot hold, a decision that depends on ids, length or place, must not be lost:
it is used only if it gives the logits of the network itself for other ids, lengths and places, and everything else
(several tokens, a first token, other devices, number types and caches) goes through the network as before.

What did not pay on the CPU: ``torch.compile`` with a static cache (a minute, and no faster), and freezing the recording
(many times the time to make it for little).
"""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from arplay.core.errors import in_one_line
from arplay.core.format import significant
from arplay.models.devices import out_of_memory
from arplay.models.hf.fast_cache import RoomyLayer, give_room
from arplay.models.hf.fast_weights import speed_up_weights
from arplay.models.hf.library import Forward, cache_of, cache_types, layers_of
from arplay.models.store.context import context_of

MOST_PARAMETERS = 400_000_000
"""Larger networks spend their step on reading the weights; recording one would take longer than it saves."""

TOLERANCE = 1e-4
"""Nats by which a replayed step may differ from the network's own."""

PROBES = ((3, 0), (11, 1), (29, 2))
"""Tokens read before, and a seed of their ids: what a recording is tried with."""


BY_IDS = ("aten::nonzero", "aten::masked_select", "aten::_unique2")
"""Operations in a recording whose results decide what is computed next, such as the experts that a router chose."""


class NotHeld(Exception):  # noqa: N818 - a finding, told to people
    """A recording cannot stand for the network's own step; the message says why."""


@dataclass(frozen=True, slots=True)
class Faster:
    """What was done to make the steps of a network faster, the recording of one, and what is not used and why."""

    step: FastStep | None = None
    done: str = ""
    not_used: tuple[str, ...] = ()


class _Written(cache_types().growing):  # type: ignore[misc]
    """A layer whose keys and values have their last row still to be written."""

    keys: torch.Tensor
    values: torch.Tensor

    def __init__(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        super().__init__()
        self.keys, self.values, self.is_initialized = keys, values, True
        self.dtype, self.device = keys.dtype, keys.device

    def get_seq_length(self) -> int:
        return int(self.keys.shape[2]) - 1

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        self.keys[:, :, -1:] = key_states
        self.values[:, :, -1:] = value_states
        return self.keys, self.values


class FastStep:
    """One more token of a network, replayed from a recording, behind a cache that only grows."""

    def __init__(self, recorded: Any) -> None:
        self._recorded = recorded

    def prepare(self, kept: Any) -> None:
        """Let what a pass of the network's own has kept grow in place, so that the next token may be a step."""
        give_room(kept)

    def takes(self, ids: torch.Tensor, kept: Any) -> bool:
        """Whether this is a step that the recording stands for: one token after others."""
        return ids.shape == (1, 1) and _replayable(kept)

    def __call__(self, ids: torch.Tensor, kept: Any) -> torch.Tensor:
        """Logits after one more token, shape (1, 1, V); ``kept`` holds it then."""
        layers = layers_of(kept) or []
        length = layers[0].get_seq_length()
        views = [view for layer in layers for view in layer.longer(1)]
        logits = self.at(ids, length, views)
        for layer, keys, values in zip(layers, views[::2], views[1::2], strict=True):
            layer.keys, layer.values = keys, values
        return logits

    def at(self, ids: torch.Tensor, place: int, views: list[torch.Tensor]) -> torch.Tensor:
        """The same as if the token stood at ``place``; the last row of each of ``views`` is written."""
        seen = torch.zeros(1, 1, 1, views[0].shape[2])
        with _as_recorded():
            logits: torch.Tensor = self._recorded(ids, torch.tensor([[place]]), seen, *views)
        return logits


def record(forward: Forward) -> FastStep:
    """A step of a network on the CPU, recorded and proved. Raises NotHeld, or whatever the network and the recorder do.

    Call it within ``torch.inference_mode``.
    """
    network = forward.network
    size = network.get_input_embeddings().weight.shape[0]
    context = context_of(network.config.get_text_config().to_dict())
    step = FastStep(_traced(forward, *_probe(forward, size, 7, 9)))
    for length, seed in PROBES:
        length = min(length, (context or 1 << 20) - 2)
        ids, kept = _probe(forward, size, length, seed)
        other = _second(kept)
        for id in (ids, (ids + 1) % size):
            own, other = forward(id, other, keep=True)
            _check(step(id, kept), own, f"after {length} tokens")
    if context is not None:  # some positions are computed another way from some length on
        ids, kept = _probe(forward, size, 5, 5)
        other = _second(kept)
        place = torch.tensor([[context - 1]])
        views = [view for layer in layers_of(kept) or () for view in layer.longer(1)]
        mine = step.at(ids, context - 1, views)
        _check(mine, forward(ids, other, keep=True, position_ids=place)[0], f"at place {context:,}")
    return step


def _probe(forward: Forward, size: int, length: int, seed: int) -> tuple[torch.Tensor, Any]:
    """One id, and the cache after ``length`` others."""
    ids = torch.randint(0, size, (1, length + 1), generator=torch.Generator().manual_seed(seed))
    kept = forward(ids[:, :length], keep=True)[1]
    give_room(kept)
    if not _replayable(kept):
        raise NotHeld("this network keeps more than keys and values that grow")
    return ids[:, length:], kept


def speed_up(network: Any) -> Faster:
    """Make the steps of a loaded network on the CPU faster where that can be and pays.

    Nothing is done where a parameter is elsewhere, or where accelerate moves them.
    """
    parameters = list(network.parameters())
    if hasattr(network, "_hf_hook") or any(parameter.device.type != "cpu" for parameter in parameters):
        return Faster()
    exact = all(parameter.dtype == torch.float32 for parameter in parameters)
    weights = speed_up_weights(network)
    if not exact or sum(parameter.numel() for parameter in parameters) > MOST_PARAMETERS:
        return Faster(done=weights)
    try:
        with torch.inference_mode():
            step = record(Forward(network))
    except Exception as error:
        if out_of_memory(error):
            raise
        # a family may meet the recorder in any way; its own forward is always there
        said = str(error) if isinstance(error, NotHeld) else in_one_line(error)
        return Faster(done=weights, not_used=(f"steps are not replayed from a recording: {said}",))
    return Faster(step, "; ".join(filter(None, (weights, "steps replayed from a recording"))))


class _Step(torch.nn.Module):
    """The network's own forward of one token as a function of id, place, mask and every layer's keys and values."""

    def __init__(self, forward: Forward) -> None:
        super().__init__()
        self.network = forward.network
        self._forward = forward

    def forward(self, ids: torch.Tensor, place: torch.Tensor, seen: torch.Tensor, *views: torch.Tensor) -> torch.Tensor:
        layers: list[Any] = [_Written(keys, values) for keys, values in zip(views[::2], views[1::2], strict=True)]
        given = {"position_ids": place, "attention_mask": seen}
        return self._forward(ids, cache_of(layers), keep=True, **given)[0]


def _traced(forward: Forward, ids: torch.Tensor, kept: Any) -> Any:
    layers = layers_of(kept) or []
    length = layers[0].get_seq_length()
    views = [view for layer in layers for view in layer.longer(1)]
    given = (ids, torch.tensor([[length]]), torch.zeros(1, 1, 1, length + 1), *views)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the recorder is deprecated, and warns of every decision: see record
        recorded = torch.jit.trace(_Step(forward), given, check_trace=False)  # type: ignore[no-untyped-call]
    if any(node.kind() in BY_IDS for node in recorded.inlined_graph.nodes()):
        raise NotHeld("what is computed depends on the ids")
    return recorded


@contextlib.contextmanager
def _as_recorded() -> Iterator[None]:
    """Within it recordings run as they are; else each one is first optimised, for the lengths that it meets."""
    former = torch._C._get_graph_executor_optimize()
    torch._C._set_graph_executor_optimize(False)
    try:
        yield
    finally:
        torch._C._set_graph_executor_optimize(former)


def _replayable(kept: Any) -> bool:
    """Whether a cache is nothing but keys and values that grow, all of one length, with something in them."""
    layers = layers_of(kept) or []
    if any(type(layer) is not RoomyLayer for layer in layers):
        return False
    lengths = {layer.get_seq_length() for layer in layers}
    return len(lengths) == 1 and lengths != {0}


def _second(kept: Any) -> Any:
    """Another cache with the same rows, which both go on from."""
    other = copy.copy(kept)
    other.layers = [copy.copy(layer) for layer in kept.layers]
    return other


def _check(mine: torch.Tensor, own: torch.Tensor, where: str) -> None:
    gap = (torch.log_softmax(mine, dim=-1) - torch.log_softmax(own[:, -1:], dim=-1)).abs().max()
    if not gap < TOLERANCE:
        raise NotHeld(f"{where} it differs from the network's own by {significant(float(gap), 2)} nats")
