"""One token through the network of models/llama.py: the same sums, each written where the next one finds it.

A step is what a person waits for, and half of its time went into making small tensors. Here all that lies between the
weights has one row, made once; each operation writes into it, and the scale of a norm is taken along by the product
that follows it. For 32-bit numbers on a CPU: elsewhere a step is not bound by what it makes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

if TYPE_CHECKING:
    from arplay.models.hf.kv_cache import KVCache
    from arplay.models.llama import Llama, Sizes


class LlamaStep:
    """The rows of a step of a network, which it does not hold; the names are those of models/llama.py."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        heads, kv_heads, width = sizes.num_attention_heads, sizes.num_key_value_heads, sizes.head_dim
        with torch.inference_mode(False):  # rows that may be written in any mode
            self.x, self.normed = torch.empty(2, 1, sizes.hidden_size).unbind(0)
            self.qkv = torch.empty(1, (heads + 2 * kv_heads) * width)
            self.gate_up = torch.empty(1, 2 * sizes.intermediate_size)
        turned, kv = self.qkv[:, : (heads + kv_heads) * width], self.qkv[:, heads * width :]
        self.turned = torch.view_as_complex(turned.view(heads + kv_heads, -1, 2))
        self.q = self.qkv[:, : heads * width].view(1, kv_heads, -1, width)
        self.kv = kv.view(2, 1, kv_heads, width)
        self.gate, self.up = self.gate_up.chunk(2, 1)

    def __call__(self, network: Llama, id: int, cache: KVCache, by: Tensor) -> Tensor:
        """Logits (1, V) after ``id``, read after what ``cache`` holds, which then holds it too.

        ``by``: the rotation of this place, (1, width / 2).
        """
        x, normed, qkv, gate_up, gate = self.x, self.normed, self.qkv, self.gate_up, self.gate
        eps, row = self.sizes.rms_norm_eps, x[0]

        def scale() -> float:
            return float((torch.dot(row, row).item() / len(row) + eps) ** -0.5)

        kept = cache.room(1)
        places, keys, values = kept[..., -1, :].unbind(0), kept[:, 0].unbind(0), kept[:, 1].unbind(0)
        x.copy_(network.embedding[id])
        for layer, place, k, v in zip(network.layers, places, keys, values, strict=True):
            torch.mul(x, layer.before_attention, out=normed)
            qkv.addmm_(normed, layer.qkv, beta=0, alpha=scale())
            self.turned.mul_(by)
            place.copy_(self.kv)
            x.addmm_(F.scaled_dot_product_attention(self.q, k, v).view(1, -1), layer.out)
            torch.mul(x, layer.before_feed_forward, out=normed)
            gate_up.addmm_(normed, layer.gate_up, beta=0, alpha=scale())
            F.silu(gate, inplace=True).mul_(self.up)
            x.addmm_(gate, layer.down)
        cache.length += 1
        torch.mul(x, network.norm, out=normed)
        return torch.mm(normed.mul_(scale()), network.head)
