"""Chains side by side in a network: one forward reads a token of each, for little more than it takes to read one.

On a CPU a step waits for the weights to come from memory; in a batch they come once for all chains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import frozen, log_softmax
from arplay.models.base import Info, Session, check, no_first
from arplay.models.hf.caches import chosen
from arplay.models.hf.library import Forward

if TYPE_CHECKING:
    from torch import Tensor


class Chains:
    """What a network keeps of B chains. Use it within ``torch.inference_mode`` only."""

    def __init__(self, forward: Forward) -> None:
        self._forward, self._kept = forward, None

    def read(self, ids: Tensor) -> Tensor:
        """Read ``ids``, (B, n), behind the chains; the logits after each chain, (B, V)."""
        from arplay.models.hf.fast_cache import give_room

        logits, self._kept = self._forward(ids, self._kept, keep=True, rows=1)
        give_room(self._kept)
        return logits[:, -1]

    def reorder(self, parents: Tensor) -> None:
        """Chain i becomes a copy of what was chain ``parents[i]``."""
        self._kept = chosen(self._kept, parents)


class _SideBySide:
    """:class:`arplay.models.base.Batch`, but for who reads and who follows."""

    def __init__(self, info: Info, prefixes: Sequence[Sequence[int]]) -> None:
        texts, parents = distinct(prefixes)
        self._info, self._length, self.logprobs = info, 0, np.empty((len(texts), info.vocabulary or 0))
        self._read(texts)
        self.reorder(parents)

    def step(self, ids: Sequence[int]) -> NDArray[np.float64]:
        if len(ids) != len(self.logprobs):
            raise ValueError(f"{len(ids)} ids for {len(self.logprobs)} chains")
        self._read([(int(id),) for id in ids])
        return self.logprobs

    def reorder(self, parents: Sequence[int]) -> None:
        chains, given = len(self.logprobs), [int(parent) for parent in parents]
        if not given or not 0 <= min(given) <= max(given) < chains:
            raise ValueError(f"no chains to go on from: {given} of {chains}")
        if given != list(range(chains)):
            self._follow(given)
            self.logprobs = frozen(self.logprobs[given])

    def _read(self, ids: Sequence[tuple[int, ...]]) -> None:
        for each in ids:
            check(self._info, each, self._length)
        self._length += len(ids[0])
        self.logprobs = frozen(log_softmax(self._after(ids)))

    def _after(self, ids: Sequence[tuple[int, ...]]) -> NDArray[np.floating]:
        """Read some more of each chain; the logits after them, (B, V)."""
        raise NotImplementedError

    def _follow(self, parents: list[int]) -> None:
        raise NotImplementedError


class NetworkBatch(_SideBySide):
    """By one forward a step, of a network whose cache can be taken apart."""

    def __init__(self, forward: Forward, info: Info, prefixes: Sequence[Sequence[int]]) -> None:
        if prefixes and not len(prefixes[0]):
            raise no_first()
        self._chains, self._device = Chains(forward), forward.network.device
        super().__init__(info, prefixes)

    def _after(self, ids: Sequence[tuple[int, ...]]) -> NDArray[np.floating]:
        import torch

        with torch.inference_mode():
            logits = self._chains.read(torch.tensor(ids, device=self._device)).float().cpu()
        return np.asarray(logits)

    def _follow(self, parents: list[int]) -> None:
        import torch

        with torch.inference_mode():
            self._chains.reorder(torch.tensor(parents, device=self._device))


class OneByOne(_SideBySide):
    """By a session for each chain, where several cannot be read at once, or need not."""

    def __init__(self, info: Info, session: Callable[[], Session], prefixes: Sequence[Sequence[int]]) -> None:
        self._sessions = [session() for _ in distinct(prefixes)[0]]
        super().__init__(info, prefixes)

    def _after(self, ids: Sequence[tuple[int, ...]]) -> NDArray[np.floating]:
        for session, each in zip(self._sessions, ids, strict=True):
            session.read(each)
        return np.stack([session.logits() for session in self._sessions])

    def _follow(self, parents: list[int]) -> None:
        first = {parent: i for i, parent in reversed(list(enumerate(parents)))}  # goes on itself, the others branch
        self._sessions = [
            self._sessions[parent] if first[parent] == i else self._sessions[parent].branch()
            for i, parent in enumerate(parents)
        ]


def distinct(prefixes: Sequence[Sequence[int]]) -> tuple[list[tuple[int, ...]], list[int]]:
    """Each of them once, and which of those every one is. Raises ValueError unless all have one length.

    >>> distinct([[5, 6], [5, 7], [5, 6]])
    ([(5, 6), (5, 7)], [0, 1, 0])
    """
    texts = [tuple(map(int, prefix)) for prefix in prefixes]
    if len({len(text) for text in texts}) != 1:
        raise ValueError("a batch needs one prefix or more, all of one length")
    places = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    return list(places), [places[text] for text in texts]
