"""A proof, at load time, that a network is causal and that its numbers mean what they should."""

from __future__ import annotations

import inspect as signatures
from typing import Any

from arplay.core.errors import Problem
from arplay.models.folder import MAX_VOCABULARY


def proved(torch: Any, network: Any, name: str) -> int:
    """V, the length of the logits, from three small forwards that prove what everything here stands on.

    Raises Problem unless the model is causal (a piece's logits do not change with what follows), its cache continues
    exactly, and its logits are numbers.
    """
    remedy = "choose a model that predicts the next token from a key-value cache"
    takes_cache = "past_key_values" in signatures.signature(network.forward).parameters
    if not takes_cache or getattr(network, "_is_stateful", False):
        raise Problem(f"{name} keeps a recurrent state, which arplay does not open yet", remedy)
    try:
        given = torch.arange(3, device=network.device)[None] % network.config.get_text_config().vocab_size
        with torch.inference_mode():
            whole = network(input_ids=given, use_cache=False).logits[0].float()
            first = network(input_ids=given[:, :1], use_cache=True)
            then = network(input_ids=given[:, 1:], past_key_values=first.past_key_values, use_cache=True)
            gap = (torch.cat([first.logits[0], then.logits[0]]).float() - whole).abs()
    except Exception as error:  # the library's own code runs here on a config it did not check
        raise Problem(f"{name} does not run ({type(error).__name__}: {error})", "check its config.json") from error
    if bool(torch.isnan(whole).any()):
        raise Problem(f"the logits of {name} are not numbers (NaN)", "use float32, or fetch the model again")
    allowed = (1e-4 if whole.dtype == network.dtype else 0.1) * float(whole.abs().max())
    if float(gap[0].max()) > allowed:
        raise Problem(f"{name} looks at the pieces to come, so it is no causal language model", remedy)
    if float(gap.max()) > allowed:
        raise Problem(f"the cache of {name} does not continue where it stopped", remedy)
    if whole.shape[1] > MAX_VOCABULARY:
        raise Problem(f"a vocabulary of {whole.shape[1]:,} is more than arplay opens", f"at most {MAX_VOCABULARY:,}")
    return int(whole.shape[1])
