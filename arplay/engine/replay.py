"""What the snapshots of a training run said about a text, one uncached pass each."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import Floats, log_softmax, read_only
from arplay.core.errors import Problem
from arplay.core.modalities.base import Encoded, Ids, TokenSet
from arplay.engine.job import Steps
from arplay.engine.messages import Progress, Request, Result
from arplay.engine.state import State
from arplay.models.base import beginning
from arplay.training.run_folder import Plan, RunFolder

if TYPE_CHECKING:
    from arplay.models.snapshots import Snapshots

MOST_TOKENS = 256

KEPT_BYTES = 128 * 1024 * 1024
"""Logits of all places that are kept, so that another place costs no pass; of what does not fit it costs one."""

Stamp = tuple[int, int, int]
"""A snapshot: its step, and the time and size of its file (a run begun anew writes the same steps)."""


@dataclass(frozen=True, slots=True)
class Replay(Request):
    """What did the snapshots of the run in ``folder`` say about ``text``?

    All logits are given of one place only: of the token with ``index`` in :attr:`Replayed.ids` (None: after the last).
    Only snapshots of a step later than ``after`` are asked: a live view asks again for what is new.
    """

    folder: str
    text: str
    index: int | None = None
    after: int = -1


@dataclass(frozen=True, eq=False, slots=True)
class Replayed(Result):
    """What one snapshot said, by one pass without cache. Not the end of its request: that is ReplayEnded.

    ``step`` of ``steps``; ``steps`` is 0 where the run does not know its length. ``ids`` (n,): the text's first tokens,
    ``encoded``, behind ``lead`` ids that the tokenizer puts before every text. ``logprob`` (n,) in nats, NaN where
    unscored (the lead, and the first token where there is none). ``logits`` (V,) float32 of p(. | ids[:index]);
    ``target`` is the id that really follows there, None at the text's end.
    """

    step: int
    steps: int
    ids: Ids
    lead: int
    encoded: Encoded
    vocabulary: TokenSet
    logprob: NDArray[np.float64]
    index: int
    logits: NDArray[np.float32]
    target: int | None

    @property
    def is_last(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class ReplayEnded(Result):
    """Every snapshot that was asked has answered."""


@dataclass(eq=False)
class SnapshotReader:
    """The network of a run, a text in its tokens, and what each snapshot said of it."""

    folder: str
    plan: Plan
    snapshots: Snapshots
    text: str | None = None
    chain: Ids = field(default_factory=lambda: np.empty(0, np.int64))
    """The lead and the text's first tokens, and one token more where the text goes on."""
    encoded: Encoded = field(init=False)
    """The text's tokens that are read, without the lead."""
    n: int = 0
    """How many tokens of the chain are read."""
    logprobs: dict[Stamp, Floats] = field(default_factory=dict)
    logits: dict[Stamp, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def lead(self) -> int:
        return len(self.snapshots.alphabet.lead)

    def show(self, text: str) -> None:
        """Take another text: its tokens, cut to what is read. Raises Problem where there is nothing to read."""
        if text == self.text:
            return
        alphabet, most = self.snapshots.alphabet, min(MOST_TOKENS, self.snapshots.context or MOST_TOKENS)
        tokens = beginning(alphabet, text, most)
        chain = np.concatenate([np.array(alphabet.lead, np.int64), tokens.ids])
        if not len(chain):
            raise Problem("there is no text to replay", "write at least one token")
        self.text, self.n = text, min(most, len(chain))
        self.chain = read_only(chain[: self.n + 1].copy())
        self.encoded = tokens.part(0, self.n - self.lead)
        self.logprobs.clear()
        self.logits.clear()

    @property
    def ids(self) -> Ids:
        """The tokens that are read."""
        return self.chain[: self.n]

    def has_room(self, size: int) -> bool:
        """Whether ``size`` bytes more of logits may be kept."""
        return sum(kept.nbytes for kept in self.logits.values()) + size <= KEPT_BYTES


@dataclass(eq=False)
class Replays:
    """The run that was replayed last."""

    reader: SnapshotReader | None = None


def replay(state: State, request: Replay) -> Steps:
    """Every snapshot later than ``request.after``, oldest first.

    Raises Problem for a folder without a run, a damaged snapshot, and a text of no tokens.
    """
    run = RunFolder(Path(request.folder))
    plan, steps = run.plan(), run.snapshots()
    if not steps or steps[-1] <= request.after:
        return ReplayEnded(request.number)
    kept = state.kept(Replays, outlives=True)
    reader = kept.reader
    if reader is None or (reader.folder, reader.plan) != (request.folder, plan):
        yield Progress(request.number, "opening the snapshots", None)
        from arplay.models.snapshots import Snapshots

        kept.reader = None  # two networks need not be held at once
        reader = kept.reader = SnapshotReader(request.folder, plan, Snapshots(Path(request.folder)))
        yield None
    reader.show(request.text)
    index = reader.n if request.index is None else min(max(1, request.index), reader.n)
    for step in steps:
        if step > request.after:
            yield from _snapshot(reader, request, run.snapshot(step), step, plan.steps, index)
    return ReplayEnded(request.number)


def _snapshot(
    reader: SnapshotReader, request: Replay, file: Path, step: int, steps: int, index: int
) -> Generator[Replayed | None, None, None]:
    """The answer of one snapshot; its pass is run only where the logits of ``index`` are not kept."""
    stamp = step, *_stamp(file)
    if stamp not in reader.logits:
        row = yield from _pass(reader, file, stamp, index)
    else:
        row = read_only(reader.logits[stamp][index - 1].copy())  # a view would hold all of the rows
    yield Replayed(
        number=request.number,
        step=step,
        steps=steps,
        ids=reader.ids,
        lead=reader.lead,
        encoded=reader.encoded,
        vocabulary=reader.snapshots.alphabet.vocabulary,
        logprob=reader.logprobs[stamp],
        index=index,
        logits=row,
        target=int(reader.chain[index]) if index < len(reader.chain) else None,
    )


def _pass(reader: SnapshotReader, file: Path, stamp: Stamp, index: int) -> Generator[None, None, NDArray[np.float32]]:
    """Read the text by the weights of a snapshot and keep what it said; the logits of p(. | ids[:index])."""
    reader.snapshots.put(file)
    yield None
    logprob, parts, row, at = np.full(reader.n, np.nan), [], np.empty(0, np.float32), 0
    for part in reader.snapshots.logits(reader.ids.tolist()):
        for i, logits in enumerate(part, at):  # the logits after token i are of token i + 1
            if max(1, reader.lead) <= i + 1 < reader.n:
                logprob[i + 1] = log_softmax(logits)[reader.ids[i + 1]]
        if at < index <= at + len(part):
            row = part[index - 1 - at].copy()
        at += len(part)
        if reader.has_room(4 * reader.n * part.shape[1]):
            parts.append(part)
        yield None
    reader.logprobs[stamp] = read_only(logprob)
    if parts:
        reader.logits[stamp] = read_only(np.concatenate(parts))
    return read_only(row)


def _stamp(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError as error:
        raise Problem(f"{file} cannot be read ({error.strerror})", "check the folder") from error
    return found.st_mtime_ns, found.st_size
