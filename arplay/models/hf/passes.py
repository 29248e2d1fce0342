"""The two ways to ask a network for logits: a fresh pass, and one that goes on from what it keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        self.in_parts = self.forward.in_parts and bool(network.head.is_cpu)
        """Whether the logits of a pass come a part at a time: no bound of theirs is one of the tokens read."""
        self._lent: torch.Tensor | None = None

    def fresh(self, ids: Sequence[int], rows: torch.Tensor | int) -> torch.Tensor:
        """Logits of some rows (or of the last few) after a pass without any cache, shape (rows, V)."""
        return self.forward(self._given(ids), keep=False, rows=rows)[0][0]

    def cached(
        self,
        ids: Sequence[int],
        cache: Any,
        rows: int,
        each: Callable[[int, torch.Tensor], object] | None = None,
        most: int = 0,
    ) -> tuple[torch.Tensor, Any]:
        """Logits after the last ``rows`` of ``ids``, read after what ``cache`` holds, and the cache afterwards.

        The given one is used up: some networks change it where it is. None: nothing is kept; ``forward.why`` says why.
        ``each`` is told the logits of the rows, with the number of those before; of a network that can, ``most`` at a
        time, each part written over the last, since new pages for them take a sixth of the time that their product
        does. That memory is kept until a pass without ``each``, and the last part alone is returned.
        """
        given = self._given(ids)
        if each is None:
            self._lent = None
        elif self.in_parts:
            if self._lent is None or len(self._lent) != most:
                self._lent = self.network.head.new_empty(most, self.network.config.vocab_size)
            logits, after = self.forward(given, cache, keep=True, rows=rows, into=self._lent, each=each)
            return logits[0], after
        if self.step is not None and self.step.takes(given, cache):
            logits, after = self.step(given, cache), cache
        else:
            logits, after = self.forward(given, cache, keep=True, rows=rows)
            if self.step is not None:
                self.step.prepare(after)
        if each is not None:
            each(0, logits[0])
        return logits[0], after

    def _given(self, ids: Sequence[int]) -> torch.Tensor:
        import torch

        return torch.tensor([list(ids)], device=self.network.device)
