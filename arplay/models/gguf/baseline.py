"""What `arplay bench` compares a GGUF file with: llama.cpp's own loop."""

from __future__ import annotations

from typing import Any

import numpy as np

from arplay.models.base import Model
from arplay.models.gguf import ways as gguf_ways
from arplay.models.libraries import threads


class LlamaCpp:
    def __init__(self, path: str, threads: int, cells: int) -> None:
        import llama_cpp

        self.net: Any = llama_cpp.Llama(path, n_ctx=cells, n_threads=threads, verbose=False)

    def read(self, ids: list[int]) -> None:
        self.net.eval(ids)

    def after(self, ids: list[int]) -> np.ndarray:
        import llama_cpp

        self.net.reset()
        self.read(ids)
        return np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(self.net.ctx, -1), (self.net.n_vocab(),)).copy()


def baseline(model: Model, cells: int) -> LlamaCpp | None:
    """The library's own loop on the same file; None for one that is dequantised."""
    if model.info.engine != "llama.cpp":
        return None
    return LlamaCpp(gguf_ways.split(model.info.source)[0], threads(model.info.parameters or 0), cells)
