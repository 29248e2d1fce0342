"""The networks that arplay trains, as plain transformers models.

transformers is imported inside the functions: naming a network must not cost its start.
"""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM


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
        attn_implementation="eager",  # on a CPU its backward pass takes half the time of the fused kernel's
    )
    return LlamaForCausalLM(config)


def save(network: LlamaForCausalLM, folder: Path) -> None:
    """Write config.json and the weights, rounded to bfloat16; each file is replaced whole."""
    with tempfile.TemporaryDirectory(dir=folder) as partial:
        copy.deepcopy(network).bfloat16().save_pretrained(partial)
        for path in sorted(Path(partial).iterdir()):
            path.chmod(0o644)  # safetensors writes for the owner alone
            path.replace(folder / path.name)
