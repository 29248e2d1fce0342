"""Scoring with `smollm2` beside lm-evaluation-harness's rolling log-likelihood, in turns in one process.

``python -m tests.benchmarks.lm_eval [ROUNDS]``, where ``pip install 'arplay[harness]'`` was done. Both read the same
3,300 tokens in 32 bits on the processor; the harness tells their sum, arplay also ranks, entropies and the best five of
each. All are milliseconds a token, medians of the rounds; a busy machine lengthens processor time less than the other.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import time
from collections.abc import Callable

from tests.benchmarks.harness import row
from tests.benchmarks.speed import TEXT

TOKENS, ROUNDS = 3300, 5
ALIKE = 1e-4
"""The two sums may differ by so many nats a token."""


def main() -> None:
    from arplay.models import catalogue

    if importlib.util.find_spec("lm_eval") is None:
        print("lm-evaluation-harness is not installed (pip install 'arplay[harness]')")
        return
    if not catalogue.is_ready("smollm2"):
        print("smollm2 is not on this computer (arplay models get smollm2)")
        return
    import torch

    ours, theirs = both()
    gap = abs(ours() - theirs()) / TOKENS  # the first of each warms up
    print(f"log p differs by {gap:.1e} nats a token (at most {ALIKE:.0e}) {'met' if gap <= ALIKE else 'MISSED'}")
    for threads in dict.fromkeys((1, torch.get_num_threads())):
        torch.set_num_threads(threads)
        taken: dict[Callable[[], float], list[tuple[float, float]]] = {ours: [], theirs: []}
        for turn in range(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS):
            for score in (ours, theirs) if turn % 2 else (theirs, ours):
                wall, processor = time.perf_counter(), time.process_time()
                score()
                taken[score].append((time.perf_counter() - wall, time.process_time() - processor))
        for kind, name in enumerate(("wall", "processor")):
            mine, peer = ([each[kind] for each in taken[score]] for score in (ours, theirs))
            ms, bar = (1000 * statistics.median(times) / TOKENS for times in (mine, peer))
            least = f"ratio of the least {min(peer) / min(mine):.2f}"
            row(f"{threads} thread(s), {name} a token", ms, "ms", bar, f"the harness; {bar / ms:.2f} x; {least}")


def both() -> tuple[Callable[[], float], Callable[[], float]]:
    """Two functions that score the text anew and give its log p: arplay's, as the command line does, and the peer's."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    from arplay.core.modalities.text import Text
    from arplay.core.reading import Reading
    from arplay.engine.alone import answered
    from arplay.engine.load import Load, Loaded
    from arplay.engine.scoring import Known, Score, Scored
    from arplay.engine.state import Pace, State
    from arplay.models import catalogue

    def tell(progress: object) -> None:
        pass

    state = State(catalogue.load, pace=Pace(patience=2.0, alone=True))  # as the command line scores
    answered(Loaded, state, Load(0, "smollm2", "cpu", "float32"), tell)
    model = state.current()
    prose = (TEXT * (TOKENS // 20)).encode()
    text = prose[: int(model.alphabet.encode(prose).ends[TOKENS - 1])]
    peer = HFLM(pretrained=model.info.source, dtype="float32", device="cpu", batch_size=1)
    asked = Instance("loglikelihood_rolling", {}, (text.decode(),), 0)

    def ours() -> float:
        state.kept(Known).work = None
        state.prefixes.free()
        ledger = answered(Scored, state, Score(0, Text.of(text), Reading("bos")), tell).ledger  # as the harness begins
        assert ledger.done == TOKENS
        return float(ledger.logprob.sum())

    def theirs() -> float:
        return float(peer.loglikelihood_rolling([asked], disable_tqdm=True)[0])

    return ours, theirs


if __name__ == "__main__":
    main()
