"""The network that a config.json describes, built without memory and compared with what the weights really hold."""

from __future__ import annotations

import math
from typing import Any

from arplay.core.errors import Problem
from arplay.models.folder import Folder

MOST_BUFFER_BYTES = 256 * 1024 * 1024
"""Masks and position tables that a network computes for itself; a config can make them of any size."""


def check_skeleton(torch: Any, transformers: Any, folder: Folder) -> Any:
    """The config object of ``folder``, once its network was built on torch's ``meta`` device, which has no memory.

    Raises Problem where config.json cannot be built, or describes more numbers than the weights hold: such a model
    is refused before its first byte is allocated.
    """
    try:
        config = transformers.AutoConfig.from_pretrained(
            str(folder.path), trust_remote_code=False, local_files_only=True
        )
        with torch.device("meta"):
            network = transformers.AutoModelForCausalLM.from_config(config, trust_remote_code=False)
        needed = sum(parameter.numel() for parameter in network.parameters())
        buffers = sum(buffer.numel() * buffer.element_size() for buffer in network.buffers())
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
            f"{folder.path.name}/config.json asks for tables of {buffers / 2**30:,.1f} GiB beside the weights",
            "check max_position_embeddings in it",
        )
    return config
