"""The two ways to ask a network for logits: a fresh pass, and one that goes on from what it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from arplay.models.hf.library import Forward

if TYPE_CHECKING:
    import torch

    from arplay.models.hf.fast_step import FastStep


class Passes:
    """Passes of one text over a network. ``step``: a recording of one, replayed where it can be."""

    def __init__(self, network: Any, step: FastStep | None = None) -> None:
        self.network = network
        self.forward = Forward(network)
        self.step = step
        self._lent: torch.Tensor | None = None

    def fresh(self, ids: Sequence[int], rows: torch.Tensor | int) -> torch.Tensor:
        """Logits of some rows (or of the last few) after a pass without any cache, shape (rows, V)."""
        return self.forward(self._given(ids), keep=False, rows=rows)[0][0]

    def cached(self, ids: Sequence[int], cache: Any, rows: int, lent: int = 0) -> tuple[torch.Tensor, Any]:
        """Logits after the last ``rows`` of ``ids``, read after what ``cache`` holds, and the cache afterwards.

        The given one is used up: some networks change it where it is. None: nothing is kept; ``forward.why`` says why.
        ``lent``: where it is not 0, the logits may stand in memory for so many rows that the next pass writes over, as
        new pages for them take a sixth of the time that their product does. It is given back by a pass without.
        """
        given = self._given(ids)
        more = {}
        if not lent:
            self._lent = None
        elif self.forward.writes and given.is_cpu:
            if self._lent is None or len(self._lent) != lent:
                self._lent = self.network.head.new_empty(lent, self.network.config.vocab_size)
            more["into"] = self._lent
        if self.step is not None and self.step.takes(given, cache):
            return self.step(given, cache)[0], cache
        logits, after = self.forward(given, cache, keep=True, rows=rows, **more)
        if self.step is not None:
            self.step.prepare(after)
        return logits[0], after

    def _given(self, ids: Sequence[int]) -> torch.Tensor:
        import torch

        return torch.tensor([list(ids)], device=self.network.device)
