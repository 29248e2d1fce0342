"""GGUF files dequantised: every weight becomes a plain number of its exact value, and transformers runs the network.

The numbers are the file's own (scale times quantised integer, in float32), whatever model they were rounded from. In
float32 nothing else is rounded; another number type is the user's choice. One tensor at a time is held twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from arplay.core.errors import Problem
from arplay.models.base import Report
from arplay.models.gguf import families as gguf_families
from arplay.models.gguf import file as gguf_file
from arplay.models.gguf import tokenizer as gguf_tokenizer
from arplay.models.gguf.file import GGUF, Tensor

if TYPE_CHECKING:
    from arplay.models.hf.causal_lm import CausalLM

BLOCK = 4 * 1024 * 1024
"""Numbers that are dequantised at once."""


def load(path: Path, name: str, device: str, dtype: str, report: Report) -> CausalLM:
    """Load a GGUF file as a plain transformers network. ``device`` and ``dtype`` as the user chose them, or "auto".

    Raises Problem where the file is refused or its dequantised weights do not fit in memory (before any is read), and
    whatever ``report`` raises to cancel.
    """
    from arplay.models import devices
    from arplay.models.hf import loading
    from arplay.models.libraries import import_torch

    report(None, "reading the header")
    file = gguf_file.read(path)
    fit = gguf_families.fit(file)
    report(None, "opening the tokenizer")
    alphabet = gguf_tokenizer.open_tokenizer(file)
    torch = import_torch(report)
    stored = {"F16": "float16", "BF16": "bfloat16"}.get(file.quantisation, "")
    place = devices.choose(devices.machine(torch), device, dtype, path.name, file.parameters, stored)
    report(None, "importing the model class")
    import transformers

    try:
        config: Any = transformers.AutoConfig.for_model(**fit.config)
    except Exception as error:  # the library's own checks of sizes that go together
        raise file.problem(f"makes no model ({str(error).strip()[:200]})") from error
    state = _state(torch, getattr(torch, place.dtype), file, fit, report)
    (family,) = fit.config["architectures"]
    made = getattr(transformers, family)
    network = loading.read_network(torch, made, path.name, place, report, None, config=config, state_dict=state)
    if fit.rope_factors is not None:
        _stretch(torch, network, numbers(file, fit.rope_factors))
    why = f"dequantised from {file.quantisation}"
    return loading.prove(
        torch, network, place, lambda size: alphabet, report, path, name, file.architecture, [path], why
    )


def numbers(file: GGUF, tensor: Tensor) -> np.ndarray:
    """All numbers of a tensor as float32, in its shape. Raises Problem where the file ends early."""
    made = np.empty(tensor.shape, np.float32)
    rows = made.reshape(-1, tensor.shape[-1])
    for low, block in _blocks(file, tensor):
        rows[low : low + len(block)] = block
    return made


def undone(weights: Any, row: gguf_families.Weight, sizes: gguf_families.Sizes) -> Any:
    """The array or tensor ``weights`` in transformers' order of rows and columns."""
    if row.change == "rotary":
        return rotary_halves_apart(weights, sizes.heads if row.shape[0] == "queries" else sizes.kv_heads)
    return weights.T if row.change == "transposed" else weights


def rotary_halves_apart(weights: Any, heads: int) -> Any:
    """Undo llama.cpp's row order of q and k: in each head (0, d/2, 1, d/2+1, …) becomes (0, 1, …, d-1).

    `weights` is (heads * d, inputs). llama.cpp rotates neighbouring rows as a pair, transformers i and i + d/2.
    The inverse of ``LlamaModel.permute`` in llama.cpp's convert_hf_to_gguf.py.
    """
    rows, inputs = weights.shape
    return weights.reshape(heads, rows // heads // 2, 2, inputs).swapaxes(1, 2).reshape(rows, inputs)


def _blocks(file: GGUF, tensor: Tensor, less_one: bool = False) -> Iterator[tuple[int, np.ndarray]]:
    """Row number and float32 rows of a tensor, a block at a time."""
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize

    kind = GGMLQuantizationType[tensor.kind]
    inputs = tensor.shape[-1]
    rows = tensor.elements // inputs
    row_bytes = tensor.bytes // rows
    at_once = max(1, BLOCK // inputs)
    with file.path.open("rb") as stream:
        stream.seek(tensor.start)
        for low in range(0, rows, at_once):
            count = min(at_once, rows - low)
            raw = np.fromfile(stream, np.uint8, count * row_bytes)
            if len(raw) != count * row_bytes:
                raise Problem(f"{file.path.name} became shorter while it was read", "load it again")
            with np.errstate(
                all="ignore"
            ):  # a scale may be infinite; the proof of the model tells what is not a number
                block = dequantize(raw.reshape(count, row_bytes), kind)
                yield low, block - 1 if less_one else block


def _state(torch: Any, dtype: Any, file: GGUF, fit: gguf_families.Fit, report: Report) -> dict[str, Any]:
    """Every weight by its name in transformers, in ``dtype``."""
    state: dict[str, Any] = {}
    done = 0
    for name, row in fit.weights.items():
        tensor = file.tensors[name]
        report(done / file.parameters, "dequantising the weights")
        made = torch.empty(tensor.shape, dtype=dtype)
        rows = made.view(-1, tensor.shape[-1])
        for low, block in _blocks(file, tensor, row.change == "less one"):
            rows[low : low + len(block)] = torch.from_numpy(block)
        state[row.name] = undone(made, row, fit.sizes).contiguous()
        done += tensor.elements
    return state


def _stretch(torch: Any, network: Any, factors: np.ndarray) -> None:
    """Divide the rotary frequencies by the file's factors, as llama.cpp does (``rope_freqs``; Llama 3.1 and later)."""
    for module in network.modules():
        for name in ("inv_freq", "original_inv_freq"):
            frequencies = getattr(module, name, None)
            if isinstance(frequencies, torch.Tensor):
                frequencies /= torch.from_numpy(factors).to(frequencies)
