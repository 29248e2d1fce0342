"""Faster products of one row with the weights of a loaded network, on the CPU, whatever its family.

A step at one token reads every weight once: its time is the memory's. Two things help, each taken only where it can be
and where a measurement at load says that it pays:

- *Halved*: weights in float32 whose numbers are all 16-bit ones (most models are published so) are kept in 16 bits
  and multiplied in float32 by torch's FBGEMM kernel: half the bytes, half the memory.
- *Spread*: on processors where the library runs a single row on one thread, the product is cut into one block of
  outputs a thread (a view of the weight) and runs as one batched product.

A weight is *the same number in 16 bits* if it is a float16, or a bfloat16 that float16 holds but for its smallest
steps of 2^-24, and those together are less than 1e-6 of the whole tensor's norm (float32 sums round by as much).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Any

import torch

from arplay.models.hf.library import conv1d

Conv1D = conv1d()

LOST = 1e-6
"""The largest share of a tensor's norm that 16 bits may lose."""

GAIN = 0.85
"""Another product is taken if it needs less than this share of the time."""

LEAST_WEIGHTS = 1 << 14
"""Smaller matrices stay as they are: their product is the call itself."""

REPEATS = 7


class HalvedLinear(torch.nn.Module):
    """A linear layer whose weight is kept in 16 bits; input, sums and output are float32."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self._packed = torch.ops.quantized.linear_prepack_fp16(weight.detach(), None if bias is None else bias.detach())

    def __getattr__(self, name: str) -> Any:
        """``weight`` (out, in) and ``bias`` in float32, made anew for whoever asks.

        They are no properties: the recorder of fast_step.py reads all of those, and keeps what it gets.
        """
        if name not in ("weight", "bias"):
            return super().__getattr__(name)
        weight, bias = torch.ops.quantized.linear_unpack_fp16(self._packed)
        return weight if name == "weight" else bias

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = torch.ops.quantized.linear_dynamic_fp16(input, self._packed)
        return result

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, kept in 16 bits"


class SpreadLinear(torch.nn.Linear):
    """nn.Linear; a single row is multiplied by one block of outputs a thread."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if input.numel() != self.in_features:
            return super().forward(input)
        n = torch.get_num_threads()
        blocks = self.weight.view(n, self.out_features // n, self.in_features).transpose(1, 2)
        return _spread(input, blocks, self.bias)


class SpreadConv1D(Conv1D):  # type: ignore[misc, valid-type]
    """GPT-2's Conv1D (weight of shape (in, out)), spread the same way."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.numel() != self.nx:
            result: torch.Tensor = super().forward(x)
            return result
        n = torch.get_num_threads()
        return _spread(x, self.weight.view(self.nx, n, self.nf // n).transpose(0, 1), self.bias)


def _spread(row: torch.Tensor, blocks: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """row (..., in) times blocks (n, in, out / n), as one batched product."""
    n, width, _ = blocks.shape
    result = torch.bmm(row.reshape(1, 1, width).expand(n, 1, width), blocks).view(*row.shape[:-1], -1)
    return result if bias is None else result + bias


def speed_up_weights(network: Any) -> str:
    """Take other products for the plain linear layers of a network on the CPU where they pay; what was done, or ""."""
    with torch.inference_mode():
        done = (_halve(network), _spread_out(network))
    return "; ".join(filter(None, done))


def bytes_of(network: Any) -> int:
    """Bytes of all weights of a network as they are held; one that two layers share counts once."""
    held: int = sum(parameter.numel() * parameter.element_size() for parameter in network.parameters())
    halved = (module for module in network.modules() if isinstance(module, HalvedLinear))
    return held + sum(2 * int(module.in_features) * int(module.out_features) for module in halved)


def _halve(network: Any) -> str:
    if not {"fbgemm", "x86"} & set(torch.backends.quantized.supported_engines):
        return ""
    found = [(parent, name, module) for parent, name, module in _linears(network) if _sixteen(module.weight)]
    if not found:
        return ""
    _, _, largest = max(found, key=lambda place: place[2].weight.numel())
    if not _pays(largest, HalvedLinear(largest.weight, largest.bias)):
        return ""
    made: dict[Any, HalvedLinear] = {}
    for parent, name, module in found:
        if module not in made:
            made[module] = HalvedLinear(module.weight, module.bias)
            module.weight = None  # frees it before the next is made; a tied embedding keeps its own
        setattr(parent, name, made[module])
    return "weights kept in 16 bits, which hold their numbers (to a millionth)"


def _spread_out(network: Any) -> str:
    threads = torch.get_num_threads()
    found: list[tuple[Any, Any]]
    found = [(module, SpreadLinear) for _, _, module in _linears(network) if module.out_features % threads == 0]
    found += [(m, SpreadConv1D) for m in network.modules() if type(m) is Conv1D and m.nf % threads == 0]
    if threads == 1 or not found:
        return ""
    largest, kind = max(found, key=lambda pair: pair[0].weight.numel())
    other = kind.__new__(kind)
    other.__dict__.update(largest.__dict__)
    if not _pays(largest, other):
        return ""
    for module, kind in found:
        module.__class__ = kind
    return "single rows spread over the threads"


def _linears(network: Any) -> Iterator[tuple[Any, str, Any]]:
    """Parent, name and module of every plain linear layer of a size that matters."""
    for parent in list(network.modules()):
        for name, module in list(parent.named_children()):
            plain = type(module) is torch.nn.Linear and not hasattr(module, "_hf_hook")
            if plain and module.weight.numel() >= LEAST_WEIGHTS and module.weight.is_contiguous():
                yield parent, name, module


def _sixteen(weight: torch.Tensor) -> bool:
    """Whether the weights are 16-bit numbers that are stored as float32. Looks at blocks, so as to hold no copy."""
    if weight.dtype != torch.float32:
        return False
    lost = whole = 0.0
    for rows in torch.split(weight, max(1, (1 << 20) // weight.shape[1])):
        half = rows.half().float()
        if not torch.equal(half, rows):
            if not torch.equal(rows.bfloat16().float(), rows):
                return False
            lost += float((half - rows).square_().sum())
        whole += float(rows.square().sum())
    return lost <= LOST**2 * whole  # False for what is not finite in 16 bits


def _pays(plain: Any, other: Any) -> bool:
    """Whether ``other`` multiplies one row clearly faster than ``plain``: medians, measured in turns."""
    row = torch.full((1, 1, plain.in_features if hasattr(plain, "in_features") else plain.nx), 0.5)
    row = row.to(plain.weight.dtype)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(REPEATS + 1):
        for module, mine in zip((plain, other), times, strict=True):
            began = time.perf_counter()
            module(row)
            mine.append(time.perf_counter() - began)
    first, second = (statistics.median(mine[1:]) for mine in times)
    return second < GAIN * first
