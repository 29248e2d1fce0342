"""Loading an LSTM that arplay has trained; a session of it keeps h and c as any recurrent network's are kept.

models/hf/causal_lm.py is the Model: the network is called as those of the transformers library are, and its state goes
back by checkpoints (models/hf/caches.py), one after every token that was stepped, dense where it was read last.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from arplay.core.errors import Problem
from arplay.models.alphabets import open_tokenizer
from arplay.models.base import Report
from arplay.models.devices import choose, device_died, does_not_fit, machine, out_of_memory
from arplay.models.families.lstm import LSTM
from arplay.models.hf.causal_lm import CausalLM
from arplay.models.hf.loading import prove
from arplay.models.hf.networks import filled
from arplay.models.libraries import import_torch
from arplay.models.store.folder import MAX_VOCABULARY, Folder, inspect

if TYPE_CHECKING:
    from arplay.models.families.lstm.network import Network

_MOST = {"vocab_size": MAX_VOCABULARY, "hidden_size": 1 << 14, "num_hidden_layers": 64, "context": 1 << 24}


def load(path: Path, name: str, device: str, dtype: str, report: Report) -> CausalLM:
    """Load a folder that :func:`arplay.models.hf.networks.save` wrote of an LSTM, with its tokenizer.

    Raises Problem for sizes that are none, weights that are not those of the sizes, and whatever ``report`` raises to
    cancel.
    """
    folder = inspect(path, causal=False)
    torch = import_torch(report)
    place = choose(machine(torch), device, dtype, path.name, folder.elements, folder.stored_dtype)
    if place.limits is not None:
        raise Problem(f"{path.name} does not fit on one device", "choose --device cpu")
    report(None, "reading the weights")
    try:
        network = build(folder).to(device=place.device, dtype=getattr(torch, place.dtype))
    except Exception as error:
        if out_of_memory(error) or device_died(error):
            raise does_not_fit(path.name, place.device) from error
        raise
    tokenizer, weights = partial(open_tokenizer, path), folder.weights
    return prove(torch, network, place, tokenizer, report, path, name, LSTM.name, weights, engine="torch")


def build(folder: Folder) -> Network:
    """The network of a folder with its weights, in float32 on the CPU, in evaluation mode.

    Nothing is allocated before the sizes in config.json are those of the weights. Raises Problem where they are not.
    """
    from arplay.models.families.lstm.network import Network, Sizes

    sizes = Sizes(**{key: folder.setting(key, most) for key, most in _MOST.items()})
    return filled(lambda: Network(sizes), folder.weights[0])
