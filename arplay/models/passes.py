"""The two ways to ask a transformers network for logits: a fresh pass, and one that goes on from its cache."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

ARGUMENTS = ("past_key_values", "cache_params", "state")
"""What families call that which they keep: a key-value cache, Mamba's parameters, RWKV's state."""


class Passes:
    """Forwards of one network. ``argument`` is its name for the cache, "" where it takes none."""

    def __init__(self, network: Any) -> None:
        self.network = network
        taken = inspect.signature(network.forward).parameters
        self.argument = next((name for name in ARGUMENTS if name in taken), "")
        self._keeps = "logits_to_keep" in taken

    def fresh(self, ids: Sequence[int], rows: torch.Tensor | int) -> torch.Tensor:
        """Logits of some rows (or of the last few) after a pass without any cache, shape (rows, V)."""
        return self._run(ids, rows, use_cache=False)[0]

    def cached(self, ids: Sequence[int], cache: Any, rows: int) -> tuple[torch.Tensor, Any]:
        """Logits after the last ``rows`` of ``ids``, read after what ``cache`` holds, and the cache afterwards.

        The given one is used up: some networks change it where it is.
        """
        given = {} if cache is None else {self.argument: cache}
        logits, out = self._run(ids, rows, use_cache=True, **given)
        return logits, out.get(self.argument)

    def _run(self, ids: Sequence[int], rows: torch.Tensor | int, **more: Any) -> tuple[torch.Tensor, Any]:
        import torch

        given = torch.tensor([list(ids)], device=self.network.device)
        if self._keeps:
            out = self.network(input_ids=given, logits_to_keep=rows, **more)
        else:
            with _head_sees(self.network.get_output_embeddings(), rows):
                out = self.network(input_ids=given, **more)
        return out.logits[0], out


@contextlib.contextmanager
def _head_sees(head: Any, rows: torch.Tensor | int) -> Iterator[None]:
    """Within it the head computes the logits of ``rows`` only, in a forward that has no argument for that."""

    def cut(module: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        hidden = args[0]
        return (hidden[:, -rows:] if isinstance(rows, int) else hidden[:, rows], *args[1:])

    hook = head.register_forward_pre_hook(cut)
    try:
        yield
    finally:
        hook.remove()
