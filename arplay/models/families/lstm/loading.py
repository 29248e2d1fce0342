"""Loading an LSTM that arplay has trained; a session of it keeps h and c as any recurrent network's are kept.

models/hf/causal_lm.py is the Model: the network is called as those of the transformers library are, and its state goes
back by checkpoints (models/hf/caches.py), one after every token that was stepped, dense where it was read last.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from arplay.models.alphabets import open_tokenizer
from arplay.models.base import Report
from arplay.models.families.lstm import LSTM
from arplay.models.hf.causal_lm import CausalLM
from arplay.models.hf.loading import prove
from arplay.models.hf.networks import filled
from arplay.models.libraries import import_torch
from arplay.models.own_network import placed
from arplay.models.store.folder import MAX_VOCABULARY, Folder, sizes

if TYPE_CHECKING:
    from arplay.models.families.lstm.network import Network

_BOUNDS = {
    "vocab_size": (1, MAX_VOCABULARY), "hidden_size": (1, 1 << 14), "num_hidden_layers": (1, 64),
    "context": (1, 1 << 24),
}  # fmt: skip


def load(path: Path, name: str, device: str, dtype: str, report: Report) -> CausalLM:
    """Load a folder that :func:`arplay.models.hf.networks.save` wrote of an LSTM, with its tokenizer.

    Raises Problem for sizes that are none, weights that are not those of the sizes, and whatever ``report`` raises to
    cancel.
    """
    folder, place, network = placed(path, device, dtype, report, build)
    tokenizer, weights = partial(open_tokenizer, path), folder.weights
    return prove(
        import_torch(report), network, place, tokenizer, report, path, name, LSTM.name, weights, engine="torch"
    )


def build(folder: Folder) -> Network:
    """The network of a folder with its weights, in float32 on the CPU, in evaluation mode.

    Nothing is allocated before the sizes in config.json are those of the weights. Raises Problem where they are not.
    """
    from arplay.models.families.lstm.network import Network, Sizes

    made = Sizes(**sizes(folder.path, folder.config, _BOUNDS))
    return filled(lambda: Network(made), folder.weights[0])
