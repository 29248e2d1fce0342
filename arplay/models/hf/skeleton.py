"""The network that a config.json describes, built without memory and compared with what the weights really hold."""

from __future__ import annotations

import math
from typing import Any

from arplay.core.errors import Problem
from arplay.core.format import size
from arplay.models.store.folder import Folder

MOST_BUFFER_BYTES = 256 * 1024 * 1024
"""Masks and position tables that a network computes for itself; a config can make them of any size."""


_OUTPUT = {"return_dict": True, "output_attentions": False, "output_hidden_states": False, "torchscript": False}
"""What a config may say of the form of a network's output, and what arplay asks for."""


def refuse_foreign(transformers: Any, name: str, family: str) -> None:
    """Raise Problem for a model that names code of its own where transformers has none for its family."""
    if family not in transformers.CONFIG_MAPPING:
        cause = f"{name} wants to run code of its own (auto_map), and transformers has none for it"
        raise Problem(cause, "arplay runs no code from model folders")


def check_skeleton(torch: Any, transformers: Any, folder: Folder) -> tuple[Any, Any]:
    """The config object of ``folder`` and the library's auto class for it, once its network was built without memory.

    That is on torch's ``meta`` device. Raises Problem where config.json cannot be built, or describes more numbers than
    the weights hold: such a model is refused before its first byte is allocated.
    """
    if folder.has_code:
        refuse_foreign(transformers, folder.path.name, folder.family)
    try:
        known = folder.family in transformers.CONFIG_MAPPING
        kind = transformers.CONFIG_MAPPING[folder.family] if known else transformers.AutoConfig
        config = kind.from_pretrained(str(folder.path), trust_remote_code=False, local_files_only=True, **_OUTPUT)
        vars(config).pop("auto_map", None)  # the library's own class is there: nobody is to look for another one
        text = config.get_text_config()
        if text.is_encoder_decoder:
            raise Problem(f"{folder.path.name} is an encoder-decoder model", "arplay shows decoder-only models")
        for key, value in _OUTPUT.items():
            if getattr(text, key, value) != value:
                setattr(text, key, value)
        causal = type(config) in transformers.MODEL_FOR_CAUSAL_LM_MAPPING
        auto = transformers.AutoModelForCausalLM if causal else transformers.AutoModelForImageTextToText
        with torch.device("meta"):
            network = auto.from_config(config, trust_remote_code=False)
        needed = sum(parameter.numel() for parameter in network.parameters())
        buffers = sum(buffer.numel() * buffer.element_size() for buffer in network.buffers())
    except Problem:
        raise
    except Exception as error:  # the library's own code runs here on a config it did not check
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise Problem(
            f"{folder.path.name} cannot be loaded: its config.json does not make a model ({lines[0][:200]})",
            "check that file",
        ) from error
    held = folder.elements
    # a head that is not stored is tied or missing: the load itself tells which
    head = math.prod(network.get_output_embeddings().weight.shape) if network.get_output_embeddings() else 0
    if needed - head > held + 65536:
        raise Problem(
            f"{folder.path.name}/config.json describes {needed:,} parameters, its weights hold {held:,}",
            "fetch the model again",
        )
    if buffers > MOST_BUFFER_BYTES + 2 * held:
        raise Problem(
            f"{folder.path.name}/config.json asks for tables of {size(buffers)} beside the weights",
            "check max_position_embeddings in it",
        )
    return config, auto
