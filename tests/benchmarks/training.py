"""Training tokens/s of arplay's Run beside the same network, data and optimisers in a bare torch loop.

The two take turns, so that a machine that is busy is as busy for both; the medians are compared.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import numpy as np
import torch

from arplay.models.networks import llama
from arplay.training.train import Run, Schedule

BAR = 0.95
TURNS = 12
VOCABULARY, CONTEXT, BATCH = 4096, 256, 8


def bare(pieces: np.ndarray) -> Iterator[float]:
    """Seconds of each step."""
    torch.manual_seed(1)
    net = network()
    hidden = [p for name, p in net.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in net.named_parameters() if p.ndim != 2 or "embed" in name]
    muon = torch.optim.Muon(hidden, lr=0.02, weight_decay=0.1)
    adamw = torch.optim.AdamW(others, lr=0.004, betas=(0.9, 0.95), weight_decay=0.0)
    while True:
        for at in range(0, len(pieces) - BATCH * CONTEXT - 1, BATCH * CONTEXT):
            began = time.perf_counter()
            x = torch.from_numpy(pieces[at : at + BATCH * CONTEXT]).view(BATCH, CONTEXT)
            y = torch.from_numpy(pieces[at + 1 : at + 1 + BATCH * CONTEXT])
            with torch.autocast("cpu", torch.bfloat16):
                logits = net(input_ids=x, use_cache=False).logits
            loss = torch.nn.functional.cross_entropy(logits.float().view(-1, VOCABULARY), y)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            muon.step()
            adamw.step()
            muon.zero_grad()
            adamw.zero_grad()
            loss.item()
            yield time.perf_counter() - began


def ours(pieces: np.ndarray) -> Iterator[float]:
    """Seconds of each step."""
    torch.manual_seed(1)
    schedule = Schedule(10**8, BATCH, CONTEXT, 0.02, 0.004, 0.01, 0.5, 0.1, 1.0, 1)
    run = Run(network(), [pieces], schedule)
    while True:
        began = time.perf_counter()
        run.advance()
        yield time.perf_counter() - began


def network() -> torch.nn.Module:
    return llama(VOCABULARY, width=128, layers=4, heads=1, hidden=352, context=CONTEXT)


def main() -> None:
    pieces = np.random.default_rng(0).integers(0, VOCABULARY, 20 * BATCH * CONTEXT)
    loops = {"ours": ours(pieces), "bare": bare(pieces)}
    times: dict[str, list[float]] = {name: [] for name in loops}
    for turn in range(2 + TURNS):
        for name, loop in loops.items():
            seconds = next(loop)
            if turn >= 2:  # the first ones warm up
                times[name].append(seconds)
    speed = {name: BATCH * CONTEXT / statistics.median(each) for name, each in times.items()}
    ratio = speed["ours"] / speed["bare"]
    print(
        f"training: {speed['ours']:,.0f} tokens/s, a bare torch loop {speed['bare']:,.0f}, ratio {ratio:.3f} "
        f"(bar: at least {BAR}) {'met' if ratio >= BAR else 'MISSED'}"
    )


main()
