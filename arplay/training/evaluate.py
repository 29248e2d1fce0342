"""Bits per byte on whole documents: of a network in training, and of any model that arplay opens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from arplay.core.errors import Problem
from arplay.core.modalities.vocabulary import alphabet_of
from arplay.core.reading import Reading
from arplay.core.windows import Windows
from arplay.models.base import Model, lead
from arplay.models.passes import in_windows


@dataclass(frozen=True)
class Score:
    """Totals over documents: summed NLL in nats, scored tokens, UTF-8 bytes of the text."""

    nats: float
    tokens: int
    bytes: int

    @property
    def bits_per_byte(self) -> float:
        """Σ NLL / (ln 2 · bytes).

        >>> Score(nats=math.log(256) * 10, tokens=10, bytes=10).bits_per_byte
        8.0
        """
        return self.nats / (math.log(2) * self.bytes)


def score(network: nn.Module, tokenizer: Tokenizer, texts: Sequence[str], windows: Windows) -> Score:
    """Score each text from the separator that the tokenizer puts before it; every other token counts once.

    A text longer than the context is scored in windows, as everywhere in arplay (see ``Windows``).
    """
    nats, tokens, size = 0.0, 0, 0
    training = network.training
    network.eval()
    with torch.inference_mode():
        for text in texts:
            ids = torch.tensor(tokenizer.encode(text).ids)
            for start, first, stop in windows.spans(len(ids)):
                first = max(first, 1)  # the separator itself is given, not predicted
                logits = network(input_ids=ids[None, start : stop - 1], use_cache=False).logits[0]
                nats += nll(logits[first - start - 1 :].double(), ids[first:stop]).sum().item()
                tokens += stop - first
            size += len(text.encode())
    network.train(training)
    return Score(nats, tokens, size)


def score_model(model: Model, texts: Sequence[str]) -> Score:
    """Score each text from what the tokenizer puts before it, else from the model's own p(x_1), else from BOS.

    Every token counts once and none is left out. Raises Problem where a token has no probability.
    """
    alphabet = alphabet_of(model.alphabet)
    before, _ = lead(alphabet, model.can.starts_empty, "auto" if alphabet.lead or model.can.starts_empty else "bos")
    nats, tokens, size = 0.0, 0, 0
    for text in texts:
        data = text.encode()
        ids = alphabet.encode(data).ids.tolist()
        nats -= float(in_windows(model, [*before, *ids], len(before), Reading()).sum())
        tokens += len(ids)
        size += len(data)
    if not math.isfinite(nats):
        raise Problem(f"{model.info.name} gives no probability to a token of these texts", "compare another model")
    return Score(nats, tokens, size)


def nll(logits: Tensor, targets: Tensor) -> Tensor:
    """-log p(target) in nats for each row of logits: (..., V) and (...) to (n,), in 64 bits where the logits are."""
    rows = logits if logits.dtype == torch.float64 else logits.float()
    return nn.functional.cross_entropy(rows.reshape(-1, logits.shape[-1]), targets.reshape(-1), reduction="none")
