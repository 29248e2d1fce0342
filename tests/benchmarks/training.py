"""Training tokens/s of arplay's Run beside the same network, data and optimisers in a bare torch loop.

Also of a Run that shares its batches among processes, one a core, beside one in threads: of the network that
``arplay train`` makes by default. They take turns, so that a machine that is busy is as busy for all; the medians are
compared.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Generator, Iterator

import numpy as np
import torch

from arplay.models.families import trained
from arplay.models.hf.networks import llama
from arplay.training.order import PARAMS
from arplay.training.shares import shares_of
from arplay.training.sizes import transformer
from arplay.training.train import Run, Schedule

BAR = 0.95
TURNS = 12
VOCABULARY, CONTEXT, BATCH = 4096, 256, 8


def bare(tokens: np.ndarray) -> Iterator[float]:
    """Seconds of each step."""
    net = network()
    hidden = [p for name, p in net.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in net.named_parameters() if p.ndim != 2 or "embed" in name]
    muon = torch.optim.Muon(hidden, lr=0.02, weight_decay=0.1)
    adamw = torch.optim.AdamW(others, lr=0.004, betas=(0.9, 0.95), weight_decay=0.0)
    while True:
        for at in range(0, len(tokens) - BATCH * CONTEXT - 1, BATCH * CONTEXT):
            began = time.perf_counter()
            x = torch.from_numpy(tokens[at : at + BATCH * CONTEXT]).view(BATCH, CONTEXT)
            y = torch.from_numpy(tokens[at + 1 : at + 1 + BATCH * CONTEXT])
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


def ours(tokens: np.ndarray, made: torch.nn.Module, context: int, processes: int = 1) -> Generator[float, None, None]:
    """Seconds of each step; the cores are divided among the processes."""
    schedule = Schedule(10**8, BATCH, context, 0.02, 0.004, 0.01, 0.5, 0.1, 1.0, 1, processes=processes)
    run = Run(made, [tokens], schedule)
    cores = torch.get_num_threads()
    try:
        while True:
            torch.set_num_threads(cores // processes)
            began = time.perf_counter()
            run.advance()
            seconds = time.perf_counter() - began
            torch.set_num_threads(cores)
            yield seconds
    finally:
        run.close()


def network() -> torch.nn.Module:
    torch.manual_seed(1)
    return llama(VOCABULARY, width=128, layers=4, heads=1, hidden=352, context=CONTEXT)


def usual() -> torch.nn.Module:
    """The network of a run that says nothing of it."""
    torch.manual_seed(1)
    made = transformer(PARAMS, VOCABULARY)
    return llama(VOCABULARY, made.width, made.layers, made.heads, made.hidden, trained("transformer").context)


def speeds(loops: dict[str, Iterator[float]], tokens: int) -> dict[str, float]:
    """Tokens a second, by the median of the turns."""
    times: dict[str, list[float]] = {name: [] for name in loops}
    for turn in range(2 + TURNS):
        for name, loop in loops.items():
            seconds = next(loop)
            if turn >= 2:  # the first ones warm up
                times[name].append(seconds)
    return {name: tokens / statistics.median(each) for name, each in times.items()}


def main() -> None:
    context = trained("transformer").context
    tokens = np.random.default_rng(0).integers(0, VOCABULARY, 20 * BATCH * context)
    speed = speeds({"ours": ours(tokens, network(), CONTEXT), "bare": bare(tokens)}, BATCH * CONTEXT)
    ratio = speed["ours"] / speed["bare"]
    print(
        f"training: {speed['ours']:,.0f} tokens/s, a bare torch loop {speed['bare']:,.0f}, ratio {ratio:.3f} "
        f"(bar: at least {BAR}) {'met' if ratio >= BAR else 'MISSED'}"
    )
    cores = shares_of(BATCH, torch.get_num_threads())
    both = {"threads": ours(tokens, usual(), context), "processes": ours(tokens, usual(), context, cores)}
    speed = speeds(both, BATCH * context)
    for loop in both.values():
        loop.close()
    print(
        f"{cores} processes: {speed['processes']:,.0f} tokens/s, {cores} threads {speed['threads']:,.0f}, "
        f"ratio {speed['processes'] / speed['threads']:.2f}"
    )


if __name__ == "__main__":  # the other processes import this file
    main()
