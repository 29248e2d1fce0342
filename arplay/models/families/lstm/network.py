"""A language model that is a long short-term memory: embedding, LSTM layers, logits by the same embedding.

Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000), as torch computes it. At each token, in
each layer, of the input x and the former output h:

    i, f, o = sigmoid of (W_ii x + b_ii + W_hi h + b_hi) and the same with W_if ..., W_io ...
    g = tanh(W_ig x + b_ig + W_hg h + b_hg);  c' = f c + i g;  h' = o tanh(c')

and the logits are E h' of the last layer, where the row of E that belongs to a token is also its x in the first layer
(tied: Press and Wolf 2017). What it knows of the tokens read is h and c, always of one size.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from arplay.models.gradients import through
from arplay.models.saved_network import SavedNetwork

MODEL_TYPE = "arplay-rnn"
LOOKED_AT = 512
"""Tokens through which a gradient is followed back."""


class State(NamedTuple):
    """What is known of the tokens read, each of shape (layers, B, width)."""

    h: Tensor
    c: Tensor

    def chosen(self, chains: Tensor) -> State:
        """That of these chains of the batch, in this order."""
        return State(self.h.index_select(1, chains), self.c.index_select(1, chains))


@dataclass(frozen=True, slots=True)
class Sizes:
    """What config.json says, by the names that the transformers library uses. ``context``: the rows it was trained on,
    in tokens; it reads any number."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    context: int

    wiring: ClassVar[str] = "every token before, through its state, in which they fade"

    def get_text_config(self) -> Sizes:
        return self

    def to_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Output:
    """``logits``: (B, rows, V). ``state``: what to go on from, where it was asked for."""

    logits: Tensor
    state: State | None

    def get(self, name: str) -> Any:
        return getattr(self, name, None)


class Network(SavedNetwork):
    """Weights from torch's global generator."""

    config: Sizes
    model_type = MODEL_TYPE
    said: ClassVar = {
        "architectures": ["LSTMForCausalLM"], "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 0,
    }  # fmt: skip

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.config = sizes
        width = sizes.hidden_size
        self.embedding = nn.Embedding(sizes.vocab_size, width)
        self.lstm = nn.LSTM(width, width, sizes.num_hidden_layers, batch_first=True)
        nn.init.normal_(self.embedding.weight, std=0.1)  # h is small at first, so the first loss is still log V

    def forward(
        self, input_ids: Tensor, use_cache: bool = False, state: State | None = None, logits_to_keep: int | Tensor = 0
    ) -> Output:
        """Logits after every token of ``input_ids``, (B, T) to (B, T, V), read after what ``state`` knows.

        ``logits_to_keep``: only the last so many tokens' (0: all), or those at these places.
        """
        outputs, after = self.lstm(self.embedding(input_ids), state)
        rows = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = nn.functional.linear(outputs[:, rows], self.embedding.weight)
        return Output(logits, State(*after) if use_cache else None)

    def gradient(self, ids: list[int]) -> NDArray[np.float64]:
        """:func:`arplay.models.gradients.magnitudes` of the last ``LOOKED_AT`` of ``ids`` for the token after them."""
        chain = torch.tensor([ids], device=self.device)
        with torch.inference_mode(False), torch.no_grad():
            before = self(chain[:, :-LOOKED_AT], True, logits_to_keep=1).state if len(ids) > LOOKED_AT else None
        return through(
            self.embedding, lambda: self(chain[:, -LOOKED_AT:], state=before, logits_to_keep=1).logits[0, -1]
        )


def lstm(vocabulary: int, width: int, layers: int, context: int) -> Network:
    """A fresh LSTM language model with tied embeddings; token 0 is the document separator.

    ``width`` is the size of the embedding and of every layer. The weights are drawn from torch's global generator:
    seed it first. ``lstm(4096, 512, 1, 256)`` has 4.2 million parameters.
    """
    return Network(Sizes(vocabulary, width, layers, context))
