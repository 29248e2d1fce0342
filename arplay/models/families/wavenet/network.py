"""WaveNet (van den Oord et al. 2016, arXiv 1609.03499): a sound's next sample from the samples before it, by dilated
convolutions of two taps each.

The samples are ids, 0 .. V - 1, and the id V stands before every sound. Their rows of the embedding are the first h(t),
t = 0 the start. Layer k of dilation d computes at every time, from the h of the layer before it:

    a, b = W_k [h(t - d), h(t)] + bias;   z = tanh(a) * sigmoid(b)
    h'(t) = h(t) + R_k z;   s(t) = sum over the layers of S_k z

and the logits of the sample after time t are B relu(A relu(s(t)) + bias) + bias. h is 0 before the start. That a layer
looks back only, and by so much, is in the shift by d and in nothing else: there is no mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from arplay.core.errors import Problem
from arplay.models.families.wavenet import STAGES
from arplay.models.saved_network import SavedNetwork

MODEL_TYPE = "arplay-wavenet"


@dataclass(frozen=True, slots=True)
class Sizes:
    """What config.json says. ``levels``: V. ``cycles`` of ``stages`` layers, of dilations 1, 2, 4 .. 2^(stages - 1).

    ``width`` numbers at each time in h, ``skip`` in s. ``rate``: samples a second.
    """

    levels: int
    width: int
    skip: int
    stages: int
    cycles: int
    rate: int

    @property
    def dilations(self) -> tuple[int, ...]:
        return tuple(1 << stage for _ in range(self.cycles) for stage in range(self.stages))

    @property
    def field(self) -> int:
        """The receptive field: how many samples before it bear on the next one, 1 + the sum of the dilations.

        >>> Sizes(256, 32, 64, 8, 3, 8000).field
        766
        """
        return 1 + sum(self.dilations)


@dataclass(frozen=True, slots=True)
class Output:
    """``logits``: (B, T, V + 1), the last that of an end, which is a start."""

    logits: Tensor

    def get(self, name: str) -> Any:
        return getattr(self, name, None)


class Network(SavedNetwork):
    """Weights from torch's global generator."""

    config: Sizes
    model_type = MODEL_TYPE

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.config = sizes
        width, layers = sizes.width, len(sizes.dilations)
        self.embedding = nn.Embedding(sizes.levels + 1, width)
        self.gates = nn.ModuleList(nn.Linear(2 * width, 2 * width) for _ in range(layers))
        self.outs = nn.ModuleList(nn.Linear(width, width + sizes.skip) for _ in range(layers))
        self.mix = nn.Linear(sizes.skip, sizes.skip)
        self.unembedding = nn.Linear(sizes.skip, sizes.levels + 1)
        with torch.no_grad():  # neighbouring levels begin as neighbours: an order that else has to be learned first
            where = self.embedding.weight.device  # meta, where weights of a file come into it
            ramp = torch.linspace(-1, 1, sizes.levels, device=where)[:, None]
            self.embedding.weight.mul_(0.1)[:-1] += ramp * torch.randn(width, device=where)
            self.unembedding.weight.mul_(0.1)

    def forward(self, input_ids: Tensor, use_cache: bool = False, kept: list[Tensor] | None = None) -> Output:
        """Logits after every id of ``input_ids``, (B, T) to (B, T, V + 1), the first of them the start.

        ``kept`` gets what each layer reads, (B, T, width).
        """
        width = self.config.width
        h = self.embedding(input_ids)
        skips = torch.zeros((), device=h.device, dtype=h.dtype)
        for dilation, gate, out in self.layers:
            if kept is not None:
                kept.append(h)
            # one product for both taps, whose results are then shifted
            taps = torch.cat([gate.weight[:, :width], gate.weight[:, width:]])
            past, present = nn.functional.linear(h, taps).chunk(2, -1)
            a, b = (self.earlier(past, dilation) + present + gate.bias).chunk(2, -1)
            told = out(torch.tanh(a) * torch.sigmoid(b))
            h, skips = h + told[..., :width], skips + told[..., width:]
        return Output(self.unembedding(torch.relu(self.mix(torch.relu(skips)))))

    def earlier(self, features: Tensor, dilation: int) -> Tensor:
        """What stood ``dilation`` times before, (B, T, C), and 0 before the start: the shift that makes it causal."""
        return nn.functional.pad(features, (0, 0, dilation, 0))[:, : features.shape[1]]

    @property
    def layers(self) -> list[tuple[int, nn.Linear, nn.Linear]]:
        """Dilation, gates and what comes out of each layer, the first one first."""
        return [
            (dilation, cast(nn.Linear, gate), cast(nn.Linear, out))
            for dilation, gate, out in zip(self.config.dilations, self.gates, self.outs, strict=True)
        ]


def wavenet(vocabulary: int, width: int, layers: int, hidden: int, rate: int, context: int) -> Network:
    """A fresh WaveNet of cycles of nine layers for sounds of ``rate`` samples a second of ``vocabulary`` levels.

    ``hidden`` is how many numbers its layers add up to the logits by; ``context``: of the rows that it is trained on,
    in samples. The weights are drawn from torch's global generator: seed it first.
    ``wavenet(256, 32, 18, 64, 8000, 2048)`` has 160,993 parameters. Raises Problem where cycles do not fill the layers.
    """
    if layers % STAGES:
        raise Problem(f"{layers} layers are no cycles of {STAGES}", f"choose a multiple of {STAGES}")
    return Network(Sizes(vocabulary, width, hidden, STAGES, layers // STAGES, rate))
