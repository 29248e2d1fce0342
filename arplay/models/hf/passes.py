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

    def fresh(self, ids: Sequence[int], rows: torch.Tensor | int) -> torch.Tensor:
        """Logits of some rows (or of the last few) after a pass without any cache, shape (rows, V)."""
        return self.forward(self._given(ids), keep=False, rows=rows)[0][0]

    def cached(self, ids: Sequence[int], cache: Any, rows: int) -> tuple[torch.Tensor, Any]:
        """Logits after the last ``rows`` of ``ids``, read after what ``cache`` holds, and the cache afterwards.

        The given one is used up: some networks change it where it is. None: nothing is kept; ``forward.why`` says why.
        """
        given = self._given(ids)
        if self.step is not None and self.step.takes(given, cache):
            return self.step(given, cache)[0], cache
        logits, after = self.forward(given, cache, keep=True, rows=rows)
        if self.step is not None:
            self.step.prepare(after)
        return logits[0], after

    def _given(self, ids: Sequence[int]) -> torch.Tensor:
        import torch

        return torch.tensor([list(ids)], device=self.network.device)
