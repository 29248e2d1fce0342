"""A fresh network of the transformers library, and weights that go into a network or a folder.

transformers and torch are imported inside the functions: naming a network must not cost their start.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from arplay.core.errors import Problem
from arplay.models.hf import library
from arplay.models.store.safetensors_file import check_safetensors

if TYPE_CHECKING:
    from torch import nn
    from transformers import LlamaForCausalLM

N = TypeVar("N", bound="nn.Module")


def llama(vocabulary: int, width: int, layers: int, heads: int, hidden: int, context: int) -> LlamaForCausalLM:
    """A fresh Llama with tied embeddings; token 0 is the document separator (BOS and EOS).

    ``width`` is the size of the residual stream, ``hidden`` that of the feed-forward layers. The weights are
    drawn from torch's global generator: seed it first. ``llama(4096, 256, 8, 4, 688, 512)`` has 7.4 million
    parameters.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=None,
        # on a CPU its backward pass takes half the time of the fused kernel's
        attn_implementation="eager",
    )
    return LlamaForCausalLM(config)


def save(network: Any, folder: Path) -> None:
    """Write config.json and the weights, rounded to bfloat16; each file is replaced whole."""
    with tempfile.TemporaryDirectory(dir=folder) as partial, library.bars(None):
        copy.deepcopy(network).bfloat16().save_pretrained(partial)
        for path in sorted(Path(partial).iterdir()):
            path.chmod(0o644)  # safetensors writes for the owner alone
            path.replace(folder / path.name)


def filled(make: Callable[[], N], file: Path) -> N:
    """A network in evaluation mode, in float32 on the CPU, with the weights of a safetensors file.

    Nothing is allocated before they are known to be those of a network as ``make`` gives it. Raises Problem where they
    are not.
    """
    import torch

    with torch.device("meta"):
        network = make()
    check_weights(network, file)
    network = network.to_empty(device="cpu").eval()
    put_weights(network, file)
    return network


def put_weights(network: Any, file: Path) -> None:
    """Give a network the weights in a safetensors file, in place, rounded to the network's own number type.

    Raises Problem where they are not its own; the network is then unchanged.
    """
    import torch
    from safetensors.torch import load_file

    check_weights(network, file)
    found = load_file(file)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(found[name])


def check_weights(network: Any, file: Path) -> None:
    """Raise Problem unless a safetensors file holds every parameter of a network (one that is used twice once), in its
    shape, and nothing else. Only the file's header is read."""
    try:
        held = {name: tensor.shape for name, tensor in check_safetensors(file).items()}
    except OSError as error:
        raise Problem(f"{file.name} cannot be read ({error.strerror})", "check the folder") from error
    mine = {name: tuple(parameter.shape) for name, parameter in network.named_parameters()}
    wrong = sorted(name for name in mine.keys() | held.keys() if mine.get(name) != held.get(name))
    if wrong:
        name = wrong[0]
        shapes = f"{held.get(name, 'nothing')} for {name[:80]}, the network has {mine.get(name, 'nothing')}"
        raise Problem(f"{file.name} holds {shapes}", "these weights belong to another network")
