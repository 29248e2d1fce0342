"""The network of a run folder, with the weights of one of its snapshots in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.models import families
from arplay.models.alphabets import TextAlphabet, open_tokenizer, opened
from arplay.models.base import LOGITS_BYTES
from arplay.models.devices import Placement
from arplay.models.family import resolve
from arplay.models.hf import library, loading, skeleton
from arplay.models.hf.networks import put_weights
from arplay.models.hf.passes import Passes
from arplay.models.libraries import import_torch, threads
from arplay.models.store.context import context_of
from arplay.models.store.folder import configuration, inspect


class Snapshots:
    """One network in float32 on the CPU and its tokenizer; the weights of any snapshot are put into it.

    Not thread-safe. ``context``: tokens that it reads at once (None: any number).
    """

    alphabet: TextAlphabet

    def __init__(self, folder: Path) -> None:
        """Raises Problem for a folder that :func:`arplay.models.hf.loading.load` would refuse."""
        import_torch(lambda *_: None)
        self._name = folder.name
        self._network = load_network(folder)
        self._passes = Passes(self._network)
        self._threads = threads(sum(parameter.numel() for parameter in self._network.parameters()))
        self._size = int(self._network.config.get_text_config().vocab_size)
        self.context = context_of(self._network.config.to_dict())
        self.alphabet = opened(lambda: open_tokenizer(folder, self._size), folder.name)

    def put(self, weights: Path) -> None:
        """Take the weights of a safetensors file. Raises Problem where they are not those of this network."""
        put_weights(self._network, weights)

    def logits(self, ids: Sequence[int]) -> Iterator[NDArray[np.float32]]:
        """Logits after each of ``ids`` by a pass without cache, in read-only parts of shape (rows, V).

        No part is larger than LOGITS_BYTES; where all rows are, the pass is repeated for every part of them. Raises
        Problem for more tokens than the context, ids outside the vocabulary, and logits that are not numbers.
        """
        import torch

        if self.context is not None and len(ids) > self.context:
            raise Problem(f"the context is full ({self.context:,} tokens)", "shorten the text")
        if ids and not 0 <= min(ids) <= max(ids) < self._size:
            raise Problem(f"an id is outside the vocabulary of {self._size:,}", "check the folder's tokenizer")
        most = max(1, LOGITS_BYTES // (4 * self._size))
        for low in range(0, len(ids), most):
            former = torch.get_num_threads()  # of the model in the playground
            torch.set_num_threads(self._threads)
            try:
                with torch.inference_mode():
                    rows = torch.arange(low, min(len(ids), low + most))
                    part: NDArray[np.float32] = self._passes.fresh(ids, rows).float().numpy()
            finally:
                torch.set_num_threads(former)
            if np.isnan(part).any():
                raise Problem(f"the logits of a snapshot of {self._name} are not numbers (NaN)", "train it again")
            part.flags.writeable = False
            yield part


def load_network(path: Path, dtype: str = "float32") -> Any:
    """The bare network that ``save`` wrote, on the CPU, in evaluation mode; nothing is proved of it.

    Raises Problem for a folder that :func:`arplay.models.hf.loading.load` would refuse.
    """
    family = families.of_type(configuration(path, causal=False)["model_type"])
    if family.build:
        return resolve(family.build)(inspect(path, causal=False))
    folder = inspect(path)
    import torch

    transformers = library.quiet()
    config = skeleton.check_skeleton(torch, transformers, folder)
    place = Placement("cpu", dtype, "")
    return loading.read_network(
        torch, transformers.AutoModelForCausalLM, path.name, place, lambda *_: None, str(path), config=config
    )
