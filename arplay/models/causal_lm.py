"""Any causal transformer that the transformers library knows, behind the Session contract; owns the KV cache."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.models.alphabets import TokenizerAlphabet
from arplay.models.base import Info, Scores
from arplay.models.scoring_rows import score_rows, unscored
from arplay.models.tabular import frozen_scores

if TYPE_CHECKING:
    import torch

LOGITS_BYTES = 64 * 1024 * 1024
"""No forward holds more logits than this at once."""


class CausalLM:
    """A loaded transformer."""

    starts_empty = False

    def __init__(self, network: Any, alphabet: TokenizerAlphabet, info: Info) -> None:
        self.network = network
        self.alphabet = alphabet
        self.info = info
        self.rows = max(1, LOGITS_BYTES // (4 * info.vocabulary))
        self._keeps = "logits_to_keep" in inspect.signature(network.forward).parameters

    def session(self) -> CausalSession:
        return CausalSession(self)

    def check(self, ids: Sequence[int], before: int = 0) -> None:
        """Refuse what the device must not see: too many pieces, or ids outside the vocabulary."""
        context = self.info.context
        if context is not None and before + len(ids) > context:
            raise Problem(f"the context is full ({context:,} pieces)", "shorten the text or use a longer context")
        if ids and not 0 <= min(ids) <= max(ids) < self.info.vocabulary:
            raise Problem(f"an id is outside the vocabulary of {self.info.vocabulary:,}", "re-tokenise the text")

    def teacher_forced(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """-cross_entropy of torch over one forward without cache; element 0 is NaN (no p(x_1)).

        The last piece is scored, not read: a full window and the piece behind it fit. Where the logits would not
        fit the bound the pass is repeated for a part of the rows at a time.
        """
        import torch

        self.check(ids[:-1])
        self.check(ids[-1:])
        result = np.full(len(ids), np.nan)
        n = len(ids) - 1
        with torch.inference_mode():
            given = torch.tensor([list(ids[:-1])], device=self.info.device)
            chosen = torch.tensor(list(ids[1:]), device=self.info.device)
            step = n if not self._keeps else self.rows
            for low in range(0, n, max(1, step)):
                rows = torch.arange(low, min(n, low + step), device=self.info.device)
                logits = self.network(input_ids=given, use_cache=False, **self.keep(rows)).logits[0]
                if not self._keeps:
                    logits = logits[rows]
                loss = torch.nn.functional.cross_entropy(logits.float(), chosen[rows], reduction="none")
                result[1 + low : 1 + low + len(rows)] = -loss.double().cpu().numpy()
        return result

    def uncached(self, ids: Sequence[int]) -> NDArray[np.floating]:
        import torch

        self.check(ids)
        with torch.inference_mode():
            given = torch.tensor([list(ids)], device=self.info.device)
            logits = self.network(input_ids=given, use_cache=False, **self.keep(1)).logits[0, -1]
            result: NDArray[np.floating] = logits.float().cpu().numpy()
        result.flags.writeable = False
        return result

    def keep(self, rows: torch.Tensor | int) -> dict[str, Any]:
        """The argument that asks for the logits of some rows (or the last few) only, where the network takes it."""
        return {"logits_to_keep": rows} if self._keeps else {}


class CausalSession:
    """A chain in the model's KV cache. A cache of plain layers is cropped on rewind; any other is built anew."""

    starts_empty = False

    def __init__(self, model: CausalLM) -> None:
        self._model = model
        self._ids: list[int] = []
        self._cache: Any = None
        self._read = 0  # pieces in the cache; at most len(self._ids)
        self._next: torch.Tensor | None = None  # logits after self._ids, shape (V,)
        self.evaluated = 0

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(self._ids)

    @property
    def cache_bytes(self) -> int:
        layers = getattr(self._cache, "layers", ())
        tensors = (getattr(layer, name, None) for layer in layers for name in ("keys", "values"))
        return sum(t.numel() * t.element_size() for t in tensors if t is not None)

    def extend(self, ids: Sequence[int]) -> Scores:
        import torch

        given = [int(id) for id in ids]
        self._model.check(given, len(self._ids))
        rows = self._model.rows
        with torch.inference_mode():
            parts = [self._extend_some(torch, given[low : low + rows]) for low in range(0, len(given), rows)]
        if not parts:
            return frozen_scores(*unscored(0))
        return frozen_scores(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def read(self, ids: Sequence[int]) -> None:
        self.extend(ids)

    def rewind(self, length: int) -> None:
        if not 0 <= length <= len(self._ids):
            raise ValueError(f"cannot rewind {len(self._ids)} pieces to {length}")
        if length == len(self._ids):
            return
        del self._ids[length:]
        self._next = None
        self._crop(length)

    def reach(self, length: int) -> int:
        return length

    @property
    def storages(self) -> Mapping[int, int]:
        return {id(self): self.cache_bytes}

    def branch(self) -> CausalSession:
        other = CausalSession(self._model)
        other._ids, other._next = self._ids.copy(), self._next
        if _croppable(self._cache):  # reading rebinds a layer's tensors, so both may hold them
            other._cache, other._read = copy.copy(self._cache), self._read
            other._cache.layers = [copy.copy(layer) for layer in self._cache.layers]
        return other

    def logits(self) -> NDArray[np.floating]:
        import torch

        if not self._ids:
            raise Problem("this model gives no distribution of a first piece", "type something, or choose BOS or EOS")
        if self._next is None:
            with torch.inference_mode():
                self._forward(torch, self._back_one(), 1)
        assert self._next is not None
        result: NDArray[np.floating] = self._next.float().cpu().numpy()
        result.flags.writeable = False
        return result

    def _extend_some(self, torch: Any, given: list[int]) -> tuple[NDArray[Any], ...]:
        """Read a few pieces in one forward and score each by the logits of the piece before it."""
        replay = self._back_one() if self._ids and self._next is None else []
        before = self._next
        logits = self._forward(torch, replay + given, len(given) + bool(replay))
        self._ids += given
        if replay:
            before, logits = logits[0], logits[1:]
        if before is None:
            scores = score_rows(torch, logits[:-1], given[1:])
            return tuple(np.concatenate(pair) for pair in zip(unscored(1), scores, strict=True))
        return score_rows(torch, torch.cat([before[None], logits[:-1]]), given)

    def _forward(self, torch: Any, ids: list[int], keep: int) -> Any:
        """Read ``ids`` after what the cache holds; logits after the last ``keep`` of them, shape (keep, V)."""
        model = self._model
        self.evaluated += len(ids)
        given = torch.tensor([ids], device=model.info.device)
        cache, read = self._cache, self._read
        self._cache, self._read, self._next = None, 0, None  # a forward that fails may leave half a cache
        out = model.network(input_ids=given, past_key_values=cache, use_cache=True, **model.keep(keep))
        self._cache, self._read = out.past_key_values, read + len(ids)
        logits = out.logits[0, -keep:]
        self._next = logits[-1].clone()  # a view would hold all of the rows
        return logits

    def _back_one(self) -> list[int]:
        """The ids that must be read (again) to have the logits after the chain: usually the last one."""
        self._crop(len(self._ids) - 1)
        return self._ids[self._read :]

    def _crop(self, length: int) -> None:
        extra = self._read - length
        if extra <= 0:
            return
        if _croppable(self._cache) and length > 0:
            self._cache.crop(-extra)
            self._read = length
        else:
            self._cache, self._read = None, 0


def _croppable(cache: Any) -> bool:
    """Only plain growing layers are: sliding and recurrent states forget what a rewind would need."""
    from transformers.cache_utils import DynamicLayer

    layers = getattr(cache, "layers", ())
    return len(layers) > 0 and all(type(layer) is DynamicLayer for layer in layers)
