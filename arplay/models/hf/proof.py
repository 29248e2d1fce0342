"""A proof, at load time, that a network is causal, and how far its cache can be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from arplay.core.errors import Problem, in_one_line
from arplay.core.format import significant
from arplay.models.devices import device_died, out_of_memory
from arplay.models.hf.caches import Kept, holds_chains
from arplay.models.hf.passes import Passes
from arplay.models.store.context import context_of
from arplay.models.store.folder import MAX_VOCABULARY

MOST_WINDOW = 64
"""The proof reads past a sliding window of at most so many tokens; of a longer one only the beginning is proved."""

MASKED = 1e30
"""Logits beyond it are no measure of the others: some networks forbid tokens by the least number there is."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found true of a network.

    ``vocabulary``: V, the length of its logits. ``cache``: how a session goes back; "recomputed" where nothing that
    the network keeps gives the numbers of a fresh pass. ``several``: more than one token at once may be read after
    those in the cache. ``why``: why it is recomputed. ``batch``: whether the cache may be one of several chains.
    """

    vocabulary: int
    cache: Literal["cropped", "checkpoints", "recomputed"]
    several: bool
    why: str = ""
    batch: bool = False

    @property
    def not_used(self) -> tuple[str, ...]:
        """The same for :class:`arplay.models.base.Info`."""
        return (f"the cache is recomputed at each step: {self.why}",) if self.why else ()


def proved(torch: Any, network: Any, name: str) -> Proof:
    """A few small forwards that prove what everything here stands on.

    Raises Problem unless the network runs, its logits are numbers, and it is causal: a token's logits do not change
    with what follows.
    """
    passes = Passes(network)
    text = network.config.get_text_config()
    window = min((size for size in _windows(text) if size <= MOST_WINDOW), default=0)
    n = min(max(8, window + 6), context_of(text.to_dict()) or MOST_WINDOW + 6)
    ids = [place % text.vocab_size for place in range(1, n + 1)]
    first = max(1, n - 4)
    with torch.inference_mode():
        try:
            whole = passes.fresh(ids, n).float()
            beginning = passes.fresh(ids[:first], first).float()
        except Exception as error:  # the library's own code runs here on a config it did not check
            if out_of_memory(error) or device_died(error):
                raise
            raise Problem(f"{name} does not run ({type(error).__name__}: {error})", "check its config.json") from error
        if bool(torch.isnan(whole).any()):
            raise Problem(f"the logits of {name} are not numbers (NaN)", "use float32, or fetch the model again")
        size = int(whole.shape[1])
        if size > MAX_VOCABULARY:
            raise Problem(f"a vocabulary of {size:,} is more than arplay opens", f"at most {MAX_VOCABULARY:,}")
        numbers = whole.abs()[whole.abs() < MASKED]
        allowed = (1e-4 if network.dtype == torch.float32 else 0.05) * float(numbers.amax() if len(numbers) else 0.0)
        if _gap(torch, beginning, whole[:first]) > allowed:
            cause = f"{name} looks at the tokens to come, so it is no causal language model"
            raise Problem(cause, "choose a model that predicts the next token")
        kept = Kept()
        found = _going_on(torch, passes, ids, first, whole, allowed, kept)
        again = passes.fresh(ids[:first], first).float()
        if _gap(torch, again, beginning) > allowed:
            raise Problem(f"{name} remembers one text while it reads another", "choose another model")
    return Proof(size, *found, batch=found[0] != "recomputed" and holds_chains(kept.cache))


def _gap(torch: Any, a: Any, b: Any) -> float:
    """max |a - b|, equal infinities being 0 apart; infinite where one is no number."""
    return float(torch.where(a == b, 0.0, (a - b).abs()).nan_to_num_(nan=math.inf, posinf=math.inf).amax())


def _windows(config: Any) -> list[int]:
    sizes = (getattr(config, name, None) for name in ("sliding_window", "window_size", "attention_window_size"))
    return [size for size in sizes if isinstance(size, int) and size > 0]


def _going_on(
    torch: Any, passes: Passes, ids: list[int], first: int, whole: Any, allowed: float, kept: Kept
) -> tuple[Literal["cropped", "checkpoints", "recomputed"], bool, str]:
    """Read several tokens, one more, the rest at once; go back and go on again while a branch reads something else."""

    def gap(low: int, high: int, session: Kept, tokens: list[int]) -> float:
        logits, cache = passes.cached(tokens, session.take(), high - low)
        if cache is None:
            raise _NothingKeptError
        session.put(cache, high, logits[-1].clone())
        return _gap(torch, logits.float(), whole[low:high])

    step = (first, first + 1, kept, ids[first : first + 1])
    try:
        for found, what in (
            (gap(0, first, kept, ids[:first]), "while it keeps a cache"),
            (gap(*step), "after its cache"),
        ):
            if found > allowed:
                return "recomputed", False, _differs(what, found, allowed)
        several = gap(first + 1, len(ids), kept, ids[first + 1 :]) <= allowed
        kept.back(first)
        branch = kept.branch()
        gap(first, first + 1, branch, ids[:1])
        if kept.length != first:
            return "recomputed", False, "its cache does not go back"
        if (found := gap(*step)) > allowed:
            return "recomputed", False, _differs("after its cache went back", found, allowed)
    except _NothingKeptError:
        return "recomputed", False, passes.forward.why or "it kept nothing of what it read"
    except Exception as error:
        if out_of_memory(error) or device_died(error):
            raise
        # whatever else goes wrong in there, the network does well without its cache
        return "recomputed", False, in_one_line(error)
    return "checkpoints" if kept.checkpointed else "cropped", several, ""


class _NothingKeptError(Exception):
    pass


def _differs(what: str, gap: float, allowed: float) -> str:
    return f"{what} its logits differ from a fresh pass by {significant(gap, 2)}, more than {significant(allowed, 2)}"
