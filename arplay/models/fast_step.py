"""A step of one piece without Python between its operations, for any network whose cache only grows.

Half of a small network's step is Python and the library's own bookkeeping around operations of a few microseconds
each. Here the network's own forward of one piece is recorded once (``torch.jit.trace``; nothing of a family is written
anew) and replayed. What a recording cannot hold, a decision that depends on ids, length or place, must not be lost:
it is used only if it gives the logits of the network itself for other ids, lengths and places, and everything else
(several pieces, a first piece, other devices, number types and caches) goes through the network as before.

What did not pay on the CPU: ``torch.compile`` with a static cache (a minute, and no faster), and freezing the recording
(many times the time to make it for little).
"""

from __future__ import annotations

import contextlib
import copy
import functools
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer
from transformers.modeling_outputs import CausalLMOutputWithPast

from arplay.models.context import context_of
from arplay.models.fast_cache import RoomyLayer, give_room
from arplay.models.fast_weights import speed_up_weights

MOST_PARAMETERS = 400_000_000
"""Larger networks spend their step on reading the weights; recording one would take longer than it saves."""

TOLERANCE = 1e-4
"""Nats by which a replayed step may differ from the network's own."""

PROBES = ((3, 0), (11, 1), (29, 2))
"""Pieces read before, and a seed of their ids: what a recording is tried with."""


BY_IDS = ("aten::nonzero", "aten::masked_select", "aten::_unique2")
"""Operations in a recording whose results decide what is computed next, such as the experts that a router chose."""


class _Written(DynamicLayer):  # type: ignore[no-untyped-call]
    """A layer whose keys and values have their last row still to be written."""

    keys: torch.Tensor
    values: torch.Tensor

    def __init__(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
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


class FastForward:
    """The forward of a network: replayed for one piece behind a cache that only grows, else the network's own."""

    def __init__(self, network: Any) -> None:
        self._own = network.forward
        functools.update_wrapper(self, self._own)  # its signature too
        self._step: Any = None

    def __call__(self, *args: Any, **given: Any) -> Any:
        ids, cache = given.get("input_ids"), given.get("past_key_values")
        if (
            self._step is not None
            and not args
            and ids is not None
            and ids.shape == (1, 1)
            and given.keys() <= {"input_ids", "past_key_values", "use_cache", "logits_to_keep"}
            and given.get("use_cache")
            and isinstance(given.get("logits_to_keep", 1), int)
            and _replayable(cache)
        ):
            return CausalLMOutputWithPast(logits=self._replay(ids, cache), past_key_values=cache)
        out = self._own(*args, **given)
        if given.get("use_cache"):
            give_room(out.get("past_key_values"))
        return out

    def record(self, network: Any) -> bool:
        """Record a step and keep it if it is proved; whether it was. Call within ``torch.inference_mode``."""
        size = network.get_input_embeddings().weight.shape[0]
        try:
            self._step = _traced(network, *self._probe(size, 7, 9))
            most = (context_of(network.config.get_text_config().to_dict()) or 1 << 20) - 2
            probes = [(min(length, most), seed) for length, seed in PROBES]
            if self._keeps_to_places(network, size) and all(self._agrees(size, *probe) for probe in probes):
                return True
        except Exception:  # noqa: BLE001 - a family may meet the recorder in any way; its own forward is always there
            pass
        self._step = None
        return False

    def _replay(self, ids: torch.Tensor, cache: Any) -> torch.Tensor:
        """Logits after one more piece, shape (1, 1, V)."""
        length = cache.layers[0].get_seq_length()
        views = [view for layer in cache.layers for view in layer.longer(1)]
        logits = self._at(ids, length, views)
        for layer, keys, values in zip(cache.layers, views[::2], views[1::2], strict=True):
            layer.keys, layer.values = keys, values
        return logits

    def _at(self, ids: torch.Tensor, place: int, views: list[torch.Tensor]) -> torch.Tensor:
        seen = torch.zeros(1, 1, 1, views[0].shape[2])
        with _as_recorded():
            logits: torch.Tensor = self._step(ids, torch.tensor([[place]]), seen, *views)
        return logits

    def _probe(self, size: int, length: int, seed: int) -> tuple[torch.Tensor, Any]:
        """One id, and the cache after ``length`` others."""
        ids = torch.randint(0, size, (1, length + 1), generator=torch.Generator().manual_seed(seed))
        cache = self(input_ids=ids[:, :length], use_cache=True).past_key_values
        if not _replayable(cache):
            raise ValueError("this network keeps more than keys and values that grow")
        return ids[:, length:], cache

    def _agrees(self, size: int, length: int, seed: int) -> bool:
        """Whether two replayed steps give the network's own logits."""
        ids, cache = self._probe(size, length, seed)
        other = _second(cache)
        for id in (ids, (ids + 1) % size):
            mine = self(input_ids=id, past_key_values=cache, use_cache=True).logits
            own = self._own(input_ids=id, past_key_values=other, use_cache=True).logits
            if not _same(mine, own[:, -1:]):
                return False
        return True

    def _keeps_to_places(self, network: Any, size: int) -> bool:
        """The same at the last place of the context: some positions are computed another way from some length on."""
        context = context_of(network.config.get_text_config().to_dict())
        if context is None:
            return True
        ids, cache = self._probe(size, 5, 5)
        other = _second(cache)
        views = [view for layer in cache.layers for view in layer.longer(1)]
        mine = self._at(ids, context - 1, views)
        place = torch.tensor([[context - 1]])
        own = self._own(input_ids=ids, position_ids=place, past_key_values=other, use_cache=True).logits
        return _same(mine, own[:, -1:])


def speed_up(network: Any) -> str:
    """Make the steps of a loaded network on the CPU faster where that can be and pays; what was done, or "".

    Nothing is done where a parameter is elsewhere, or where accelerate moves them.
    """
    parameters = list(network.parameters())
    if hasattr(network, "_hf_hook") or any(parameter.device.type != "cpu" for parameter in parameters):
        return ""
    exact = all(parameter.dtype == torch.float32 for parameter in parameters)
    done = [speed_up_weights(network)]
    if exact and sum(parameter.numel() for parameter in parameters) <= MOST_PARAMETERS:
        forward = FastForward(network)
        with torch.inference_mode():
            if forward.record(network):
                network.forward = forward
                done.append("steps replayed from a recording")
    return "; ".join(filter(None, done))


class _Step(torch.nn.Module):
    """The network's own forward of one piece as a function of id, place, mask and every layer's keys and values."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: torch.Tensor, place: torch.Tensor, seen: torch.Tensor, *views: torch.Tensor) -> torch.Tensor:
        layers: Any = DynamicCache()
        layers.layers = [_Written(keys, values) for keys, values in zip(views[::2], views[1::2], strict=True)]
        out = self.network(input_ids=ids, position_ids=place, attention_mask=seen, past_key_values=layers)
        logits: torch.Tensor = out.logits
        return logits


def _traced(network: Any, ids: torch.Tensor, cache: Any) -> Any:
    length = cache.layers[0].get_seq_length()
    views = [view for layer in cache.layers for view in layer.longer(1)]
    given = (ids, torch.tensor([[length]]), torch.zeros(1, 1, 1, length + 1), *views)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the recorder is deprecated, and warns of every decision: see _agrees
        recorded = torch.jit.trace(_Step(network), given, check_trace=False)  # type: ignore[no-untyped-call]
    if any(node.kind() in BY_IDS for node in recorded.inlined_graph.nodes()):
        raise ValueError("what is computed depends on the ids")
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


def _replayable(cache: Any) -> bool:
    """Whether a cache is nothing but keys and values that grow, all of one length, with something in them."""
    layers: list[Any] = vars(cache)["layers"] if type(cache) is DynamicCache else []
    if any(type(layer) is not RoomyLayer for layer in layers):
        return False
    lengths = {layer.get_seq_length() for layer in layers}
    return len(lengths) == 1 and lengths != {0}


def _second(cache: Any) -> Any:
    """Another cache with the same rows, which both go on from."""
    other = copy.copy(cache)
    other.layers = [copy.copy(layer) for layer in cache.layers]
    return other


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    gap = torch.log_softmax(a, dim=-1) - torch.log_softmax(b, dim=-1)
    return bool(gap.abs().max() < TOLERANCE)
