"""A run from where it stands to its end: checkpoints, snapshots, reports, and held-out text scored in between.

None of this touches the weights, so how often it happens, by the clock, does not change the result.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.training.evaluate import nll
from arplay.training.run_folder import Report, RunFolder
from arplay.training.train import Ids, Run, autocast, rows, write_tensors

CHECKPOINT_SECONDS = 30.0
HELD_OUT_SECONDS = 30.0
REPORT_SECONDS = 1.0
REPORTS = 1000
"""A long run reports every so many-th part of its time: a log of some thousand lines is read at once."""
HELD_OUT_SHARE = 0.04
"""Of the time, at most, for held-out text."""

MOST_HELD_OUT = 16 * 1024
"""Tokens of held-out text that are scored each time."""

LN2 = math.log(2)


@dataclass(frozen=True)
class Sample:
    """Held-out rows, packed as those of training: ``rows`` (n, context + 1) and the bytes that their targets write."""

    rows: Ids
    bytes: int

    @classmethod
    def draw(cls, documents: Sequence[Ids], run: Run, lengths: NDArray[np.int64]) -> Sample:
        """Some rows, always the same; ``lengths`` (V,) are the bytes of every token."""
        context = run.schedule.context
        tokens = sum(map(len, documents))
        most = max(run.schedule.batch, min(MOST_HELD_OUT, run.schedule.tokens // 500) // context)
        packed = rows(documents, min(context, tokens - 1), run.schedule.seed, 0)[:most]
        return cls(packed, int(lengths[packed[:, 1:]].sum()))

    def loss(self, run: Run) -> float:
        """Mean NLL in nats a token, in the precision of training."""
        network, total = run.network, 0.0
        network.eval()
        with torch.inference_mode(), autocast(run.schedule):
            for first in range(0, len(self.rows), run.schedule.batch):
                part = torch.from_numpy(self.rows[first : first + run.schedule.batch]).to(run.schedule.device)
                logits = network(input_ids=part[:, :-1], use_cache=False).logits
                total += nll(logits.double(), part[:, 1:]).sum().item()
        network.train()
        return total / self.rows[:, 1:].size

    def bits_per_byte(self, loss: float) -> float:
        return loss * self.rows[:, 1:].size / (LN2 * self.bytes)


class Follower:
    """Trains a run and keeps its folder. ``on_report`` is called with every report."""

    def __init__(
        self,
        run: Run,
        folder: RunFolder,
        snapshots: Sequence[int],
        sample: Sample,
        lengths: NDArray[np.int64],
        on_report: Callable[[Report], None],
    ) -> None:
        self._run = run
        self._folder = folder
        self._snapshots = set(snapshots)
        self._sample = sample
        self._lengths = lengths
        self._on_report = on_report
        self._scoring = 0.0
        self._losses: list[tuple[float, int]] = []
        now = time.monotonic()
        self._reported = self._saved = self._scored = now
        self._pace: tuple[float, int] | None = None

    def train(self, stop: Callable[[], bool]) -> bool:
        """Go on to the last step, or until ``stop()``: whether the end was reached. A checkpoint is left either way.

        Raises Problem where the loss is not a number any more; OSError where a file cannot be written.
        """
        run, steps = self._run, self._run.schedule.steps
        held_out = None
        if run.step == 0:
            self._snapshot()
            held_out = self._score()
        while run.step < steps:
            if stop():
                if self._losses:
                    self._report(run.step, None)
                run.save(self._folder.state)
                self._write_model()
                return False
            self._advance()
            if run.step == 1:
                self._report(0, held_out)
            self._keep()
        return True

    def _advance(self) -> None:
        size = int(self._lengths[self._run.batch()[:, 1:]].sum())
        loss = self._run.advance()
        if not math.isfinite(loss):
            cause = f"the loss is not a number after step {self._run.step:,}"
            raise Problem(cause, "start a new run with another seed or smaller rates")
        self._losses.append((loss, size))
        if self._pace is None:  # the first step of a session is slower
            self._pace = time.monotonic(), self._run.step

    def _keep(self) -> None:
        """Whatever is due after a step.

        The report comes before the checkpoint: of a run that is killed between the two, the checkpoint before counts,
        and no run ends at its last step without a report of it.
        """
        run, now = self._run, time.monotonic()
        last = run.step == run.schedule.steps
        mark = run.step in self._snapshots
        if mark:
            self._snapshot()
        held_out = None
        cheap = self._scoring <= HELD_OUT_SHARE * run.seconds
        if last or (cheap and (mark or now - self._scored >= HELD_OUT_SECONDS)):
            held_out = self._score()
        if mark or held_out is not None or now - self._reported >= max(REPORT_SECONDS, run.seconds / REPORTS):
            self._report(run.step, held_out)
        if mark or now - self._saved >= CHECKPOINT_SECONDS:
            run.save(self._folder.state)
            self._saved = time.monotonic()

    def _score(self) -> float:
        began = time.monotonic()
        loss = self._sample.loss(self._run)
        self._scored = time.monotonic()
        self._scoring += self._scored - began
        return loss

    def _snapshot(self) -> None:
        self._write_model()
        write_tensors(self._folder.snapshot(self._run.step), self._weights(), {"format": "pt"})

    def _write_model(self) -> None:
        write_tensors(self._folder.path / "model.safetensors", self._weights(), {"format": "pt"})

    def _weights(self) -> dict[str, torch.Tensor]:
        return {name: weight.detach().bfloat16() for name, weight in self._run.network.named_parameters()}

    def _report(self, step: int, held_out: float | None) -> None:
        run, now = self._run, time.monotonic()
        schedule = run.schedule
        a_step = schedule.batch * schedule.context
        losses = sum(loss for loss, _ in self._losses)
        began, first = self._pace or (now, run.step)
        done = run.step - first
        report = Report(
            step=step,
            steps=schedule.steps,
            tokens=step * a_step,
            seconds=run.seconds if step else 0.0,
            loss=losses / len(self._losses),
            held_out=held_out,
            bits_per_byte=losses * a_step / (LN2 * sum(size for _, size in self._losses)),
            held_out_bits_per_byte=None if held_out is None else self._sample.bits_per_byte(held_out),
            tokens_per_second=len(self._losses) * a_step / max(now - self._reported, 1e-9),
            seconds_left=(schedule.steps - run.step) * ((now - began) / done if done else run.seconds / run.step),
            rate=schedule.factor(max(0, step - 1)),
        )
        self._folder.append(report)
        self._on_report(report)
        if step:  # the first batch counts in the next report as well
            self._losses.clear()
            self._reported = now
