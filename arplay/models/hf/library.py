"""The changing edges of the transformers library, and of any network that is asked as its networks are.

What a release renames or moves is found here by looking: at the signature of a network's forward and at what comes back
from it, never at versions. Everything else in arplay goes through this file. Nothing is imported before it is used.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from arplay.models.devices import device_died, out_of_memory

if TYPE_CHECKING:
    import torch

ALIKE = 1e-3
"""A pass that goes on from what a network kept is one of the same text if its logits differ by at most so large a part
of the largest: enough to find the right argument; models/hf/proof.py measures what it is worth."""


class Forward:
    """One network, asked for logits and for what it keeps of the tokens read (a KV cache, a state).

    What it keeps is the part of its output that one of its arguments takes back. Their name is mostly the same; where
    it is not, or several are, the pair is taken with which a text goes on as if it had been read in one pass.
    """

    def __init__(self, network: Any) -> None:
        self.network = network
        parameters = inspect.signature(network.forward).parameters
        self._open = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
        self._taken = {name for name, each in parameters.items() if each.kind is not inspect.Parameter.VAR_KEYWORD}
        self._optional = [name for name, each in parameters.items() if each.default is None and name != "input_ids"]
        self._way: tuple[str | int, str] | None = None  # the part of the output, and the argument that takes it back
        self.why = ""
        """Why nothing is kept, in a sentence; "" where something is, or before it was asked for."""

    def __call__(
        self, ids: torch.Tensor, kept: Any = None, *, keep: bool, rows: torch.Tensor | int = 0, **more: Any
    ) -> tuple[torch.Tensor, Any]:
        """Logits after ``ids`` of shape (B, n), read after what is ``kept``, and what is kept then (None: nothing).

        Logits have the shape (B, rows, V): of the last ``rows`` tokens (0: all), or of those at these places. The
        given ``kept`` is used up: some networks change it where it is.
        """
        more |= self.given_back(kept)
        found = self._run(ids, keep, rows, **more)
        if keep and self._way is None and not self.why:
            self._way = self._find(found, ids)
        return _logits(found), found.get(self._way[0]) if keep and self._way is not None else None

    def given_back(self, kept: Any) -> dict[str, Any]:
        """What was kept, as the argument that takes it."""
        if kept is None:
            return {}
        if self._way is None:
            raise ValueError("what is given back must have come from here")
        return {self._way[1]: kept}

    @property
    def in_parts(self) -> bool:
        """Whether it tells its logits a part of the rows at a time, as the arguments ``into`` and ``each`` say: a
        network of arplay's own."""
        return "into" in self._taken

    def takes(self, name: str) -> bool:
        return self._open or name in self._taken

    def _run(self, ids: torch.Tensor, keep: bool, rows: torch.Tensor | int = 0, **more: Any) -> dict[str | int, Any]:
        if self.takes("use_cache"):
            more["use_cache"] = keep
        if "logits_to_keep" in self._taken:
            return _parts(self.network(input_ids=ids, logits_to_keep=rows, **more))
        with _head_sees(self.network, rows):
            return _parts(self.network(input_ids=ids, **more))

    def _find(self, found: dict[str | int, Any], ids: torch.Tensor) -> tuple[str | int, str] | None:
        """The part that is kept and its argument; None, and ``why``, where there is no such pair."""
        logits = _logits(found)
        parts = [name for name, part in found.items() if part is not None and part is not logits]
        same = [name for name in parts if name in self._optional]
        if len(same) == 1:
            return same[0], str(same[0])
        same += [name for name in parts if isinstance(name, str) and self._open and name not in same]
        pairs: list[tuple[str | int, str]] = [(name, str(name)) for name in same]
        pairs += [(name, other) for name in parts for other in self._optional if (name, other) not in pairs]
        if not parts:
            self.why = "it returns nothing but logits, so there is no cache to go on from"
            return None
        import torch

        probe = ids if ids.shape[1] > 1 else torch.cat([ids, ids], 1)
        fresh = _logits(self._run(probe, False, 1))[:, -1:]
        way = next((pair for pair in pairs if self._goes_on(probe, fresh, *pair)), None)
        if way is None:
            said = ", ".join(str(name) for name in parts)
            self.why = f"none of its arguments takes back what it returns beside logits ({said})"
        return way

    def _goes_on(self, ids: torch.Tensor, fresh: torch.Tensor, part: str | int, argument: str) -> bool:
        """Whether the last of ``ids`` has the same logits when it is read after what was kept of the others."""
        try:
            kept = self._run(ids[:, :-1], True)[part]
            logits = _logits(self._run(ids[:, -1:], True, **{argument: kept}))[:, -1:]
        except Exception as error:  # an argument of another meaning may do anything
            if out_of_memory(error) or device_died(error):
                raise
            return False
        return bool((logits - fresh).abs().max() <= ALIKE * fresh.abs().max())


def _parts(out: Any) -> dict[str | int, Any]:
    """What a forward returned, by name or by place: an object with fields, a mapping or a tuple."""
    if isinstance(out, Mapping):
        return dict(out.items())
    if dataclasses.is_dataclass(out):
        return {field.name: getattr(out, field.name) for field in dataclasses.fields(out)}
    if isinstance(out, tuple | list):
        return dict(enumerate(out)) if not hasattr(out, "_asdict") else out._asdict()
    return {0: out} if hasattr(out, "shape") else dict(vars(out))


def _logits(found: dict[str | int, Any]) -> torch.Tensor:
    """The part of that name; where parts have none, the first with three dimensions (batch, tokens, vocabulary)."""
    logits: torch.Tensor | None = found.get("logits")
    if logits is None:
        logits = next((part for part in found.values() if getattr(part, "ndim", 0) == 3), None)
    if logits is None:
        raise ValueError(f"no logits among what it returns ({', '.join(map(str, found))})")
    return logits


@contextlib.contextmanager
def _head_sees(network: Any, rows: torch.Tensor | int) -> Iterator[None]:
    """Within it the head computes the logits of ``rows`` only, in a forward that has no argument for that."""

    def cut(module: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        hidden = args[0]
        return (hidden[:, -rows:] if isinstance(rows, int) else hidden[:, rows], *args[1:])

    hook = network.get_output_embeddings().register_forward_pre_hook(cut)
    try:
        yield
    finally:
        hook.remove()


@dataclass(frozen=True, slots=True)
class CacheTypes:
    """The library's cache, its layer that only grows, and the one with a sliding window."""

    cache: Any
    growing: Any
    sliding: Any


@cache
def cache_types() -> CacheTypes:
    from transformers import cache_utils

    return CacheTypes(cache_utils.DynamicCache, cache_utils.DynamicLayer, cache_utils.DynamicSlidingWindowLayer)


def layers_of(kept: Any) -> list[Any] | None:
    """The layers of the library's own cache; None for any other kind, which may keep more than layers."""
    ours = not type(kept).__module__.startswith("transformers.")  # then the library need not even be imported
    layers: list[Any] | None = None if ours or type(kept) is not cache_types().cache else vars(kept)["layers"]
    return layers


def cache_of(layers: list[Any]) -> Any:
    """The library's cache with these layers."""
    made = cache_types().cache()
    made.layers = layers
    return made


def conv1d() -> Any:
    """GPT-2's linear layer, whose weight is (in, out)."""
    from transformers.pytorch_utils import Conv1D

    return Conv1D


def quiet() -> Any:
    """The library, told to write nothing but errors and to leave no thread behind."""
    import transformers

    transformers.utils.logging.set_verbosity_error()
    bars = sys.modules.get("tqdm")
    if bars is not None:
        bars.tqdm.monitor_interval = 0
    return transformers


@contextlib.contextmanager
def bars(make: Callable[..., Any] | None) -> Iterator[None]:
    """Within it ``make(factory, args, kwargs)`` makes what stands where the library draws progress bars; None: none."""
    logging: Any = quiet().utils.logging
    if make is None:
        shown = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        try:
            yield
        finally:
            if shown:
                logging.enable_progress_bar()
        return
    former = logging.set_tqdm_hook(make)
    try:
        yield
    finally:
        logging.set_tqdm_hook(former)


ANSWERS = {
    "return_dict": True,
    "output_attentions": False,
    "output_hidden_states": False,
    "output_router_logits": False,
}
"""What a config.json may say of what a forward returns, and what is wanted of it here."""


def answer_plainly(network: Any) -> Any:
    """The same network, whose parts return logits and a cache by name and nothing else, whatever its config says."""
    for module in network.modules():
        config = getattr(module, "config", None)
        for name, value in ANSWERS.items():
            if getattr(config, name, value) != value:
                setattr(config, name, value)
    return network


def causal_class() -> Any:
    """The class whose ``from_pretrained`` finds the right causal network for a folder."""
    return quiet().AutoModelForCausalLM


def causal_network(path: str, **arguments: Any) -> Any:
    """The unmodified network of a folder, as the library opens it; ``generate`` has the library's own settings."""
    arguments |= {"use_safetensors": True, "local_files_only": True}
    with bars(None):
        network = answer_plainly(causal_class().from_pretrained(path, **arguments))
    network.generation_config = type(network.generation_config)()  # the folder's may ask for beams, or another cache
    return network
