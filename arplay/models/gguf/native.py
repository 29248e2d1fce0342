"""GGUF files run natively by llama.cpp, quantised as they are, behind the contract of models/base.py.

llama.cpp multiplies quantised weights with activations that it quantises too (8 bits in blocks of 32), so its numbers
are near those of the dequantised way, not equal; of a file in F32 both are the same within rounding. What a session
gives does agree with its own uncached pass: a cache of llama.cpp is cropped and shared cell by cell, or goes back by
checkpoints where the network keeps a state that cannot be cut. Whatever llama.cpp runs may be opened: it runs in a
process of its own (models/gguf/parent.py), and what it breaks off on is a Problem here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arplay.core.distribution import read_only
from arplay.core.errors import Problem
from arplay.core.format import significant, size
from arplay.core.waits import Interrupted
from arplay.models.alphabets import TextAlphabet
from arplay.models.base import (
    Capabilities,
    Columns,
    Info,
    Memory,
    Report,
    Scores,
    check,
    columns,
    frozen_scores,
    no_first,
)
from arplay.models.batches import OneByOne
from arplay.models.checkpoints import Checkpoint, latest, thin
from arplay.models.devices import RESERVE, memory
from arplay.models.gguf import families as gguf_families
from arplay.models.gguf import file as gguf_file
from arplay.models.gguf import tokenizer as gguf_tokenizer
from arplay.models.gguf.file import GGUF
from arplay.models.gguf.parent import Context, Process, Weights
from arplay.models.libraries import import_torch, threads
from arplay.models.scoring_rows import logprobs_of, score_given
from arplay.models.sessions import Chain
from arplay.models.store.folder import digest

_PROVED = 9
"""Tokens that are read to see that the cache gives the numbers of a fresh pass."""


def load(path: Path, name: str, device: str, dtype: str, report: Report) -> NativeModel:
    """Load a GGUF file to run in llama.cpp, on the CPU and quantised as it is.

    Raises Problem where the file is refused, llama.cpp is not installed or breaks off, or another device or number type
    is asked for, and whatever ``report`` raises to cancel.
    """
    report(None, "reading the header")
    file = gguf_file.read(path)
    if device not in ("auto", "cpu"):
        raise Problem(f"{path.name} runs natively on the CPU, not on {device}", _otherwise(file))
    if dtype not in ("auto", file.quantisation):
        raise Problem(f"{path.name} runs natively as it is, in {file.quantisation}, not in {dtype}", _otherwise(file))
    free, _ = memory()
    if file.weight_bytes + RESERVE > free:
        needed = size(file.weight_bytes + RESERVE)
        raise Problem(f"{path.name} needs {needed}, {size(free)} are free", "take a file of fewer bits a weight")
    process = Process(path.name, _otherwise(file))
    try:
        return _loaded(process, file, name, report)
    except BaseException:
        process.end()
        raise


def _loaded(process: Process, file: GGUF, name: str, report: Report) -> NativeModel:
    report(None, "opening the tokenizer")
    path, alphabet = file.path, gguf_tokenizer.open_tokenizer(file, process)
    import_torch(report)
    report(None, "starting llama.cpp")
    count = threads(file.parameters)
    vocabulary = len(alphabet.vocabulary)
    weights = Weights(process, path, file.architecture, vocabulary, count, report)
    why = (
        f"quantised as it is ({file.quantisation}), {count} thread{'s' * (count > 1)}",
        f"{'keys and values' if weights.cell_bytes else 'the state'} in float32",
        "" if gguf_tokenizer.is_restored(file) else "text is cut by llama.cpp",
        alphabet.notes,
    )
    info = Info(
        name=name,
        family=file.architecture,
        source=str(path),
        revision=digest([path]),
        dtype=file.quantisation,
        device="cpu",
        vocabulary=vocabulary,
        context=weights.context,
        parameters=file.parameters,
        engine="llama.cpp",
        why="; ".join(filter(None, why)),
    )
    report(1.0, "proving the model")
    model = NativeModel(weights, alphabet, info)
    if not np.isfinite(model.uncached([0])).all():
        raise Problem(f"the logits of {path.name} are not numbers (NaN)", "fetch the file again")
    model.info = replace(info, not_used=_doubts(model))
    return model


def _otherwise(file: GGUF) -> str:
    """What to do with a file that does not run natively."""
    try:
        gguf_families.fit(file)
    except Problem:
        return "take another file of this model, or a newer llama-cpp-python"
    return f"open {file.path.name}#dequantised"


def _doubts(model: NativeModel) -> tuple[str, ...]:
    """Read a few tokens, go back, read others and these again: a sentence where a fresh pass gives other numbers.

    A forward of several tokens rounds otherwise than of one (activations in 8 bits, tables of GELU), so as much is
    allowed as models/hf/proof.py allows for 16 bits.
    """
    count = min(_PROVED, model.info.context or _PROVED)
    ids = np.linspace(0, len(model.alphabet.vocabulary) - 1, count).astype(int).tolist()
    first = (count + 1) // 2
    session = model.session()
    session.read(ids[:first])
    branch = session.branch()
    branch.read(ids[: count - first])
    session.read(ids[first:])
    session.rewind(first)
    for id in ids[first:]:
        session.read([id])
    fresh = model.uncached(ids)
    gap = float(np.abs(session.logits() - fresh).max())
    allowed = 0.05 * float(np.abs(fresh).max())
    if gap <= allowed:
        return ()
    by = significant(gap, 2)
    return (f"its numbers are not exact: after its cache went back, logits differ by {by} from a fresh pass",)


class NativeModel:
    """A loaded GGUF file in llama.cpp."""

    def __init__(self, weights: Weights, alphabet: TextAlphabet, info: Info) -> None:
        self.weights = weights
        self.alphabet = alphabet
        self.info = info
        self.can = Capabilities(starts_empty=False, rewinds="cropped" if weights.crops else "checkpoints", batch=False)
        self._spare: Context | None = None  # of the passes without a cache

    def memory(self) -> Memory:
        return Memory(self.weights.bytes, self.weights.process.peak())

    def session(self) -> NativeSession:
        return NativeSession(self)

    def batch(self, prefixes: Sequence[Sequence[int]]) -> OneByOne:
        return OneByOne(self.info, self.session, prefixes)

    def teacher_forced(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """-cross_entropy of torch, in 64 bits, over one pass through an emptied context of its own; element 0 is NaN.

        The last token is scored, not read. Nothing is shared with any session.
        """
        import torch

        check(self.info, ids[:-1])
        check(self.info, ids[-1:])
        result = np.full(len(ids), np.nan)
        for low, logits in self._alone(ids[:-1], every=True):
            chosen = ids[low + 1 : low + 1 + len(logits)]
            result[low + 1 : low + 1 + len(logits)] = logprobs_of(torch, torch.from_numpy(logits), chosen)
        return result

    def uncached(self, ids: Sequence[int]) -> NDArray[np.floating]:
        check(self.info, ids)
        result = np.empty(0, np.float32)
        for _, logits in self._alone(ids, every=False):
            result = logits[-1].copy()
        return read_only(result)

    def _alone(self, ids: Sequence[int], every: bool) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Read ``ids`` into the emptied context, a chunk at a time: where it begins, and its logits (or the last)."""
        if self._spare is None:
            self._spare = Context(self.weights)
            self._spare.take(self)
        self._spare.crop(0, 0)
        for low in range(0, len(ids), self.weights.rows):
            given = list(ids[low : low + self.weights.rows])
            yield low, self._spare.read(0, given, low, len(given) if every else 1)


class NativeSession(Chain):
    """A chain as one sequence of a llama.cpp context; its branches are other sequences over the same cells.

    Where llama.cpp cannot crop a sequence, checkpoints of its state are kept here, and a branch is a copy.
    """

    def __init__(self, model: NativeModel, context: Context | None = None) -> None:
        super().__init__(model.info)
        self._model = model
        self._context = context or Context(model.weights)
        sequence = self._context.take(self)
        if sequence is None:  # every number is taken: a context of its own
            self._context = Context(model.weights, self._context.cells)
            sequence = self._context.take(self)
            assert sequence is not None
        self._sequence = sequence
        self._read = 0  # tokens in the cache; at most len(self._ids)
        self._next: NDArray[np.float32] | None = None  # logits after self._ids, shape (V,)
        self._checkpoints: list[Checkpoint] = []

    @property
    def storages(self) -> Mapping[int, int]:
        held = {id(each): each.bytes for each in self._checkpoints}
        return held | {id(self._context): self._context.held}

    def extend(self, ids: Sequence[int]) -> Scores:
        given = self._checked(ids)
        rows = self._model.weights.rows
        return frozen_scores(columns(self._extend_some(given[low : low + rows]) for low in range(0, len(given), rows)))

    def rows(self, ids: Sequence[int]) -> NDArray[np.floating]:
        given, most, found = self._checked(ids), self._model.weights.rows, []
        if self._ids:
            self._after()
        for low in range(0, len(given), most):
            part = given[low : low + most]
            found.append(self._forward(part, len(part)).copy())
            self._ids += part
        return np.concatenate(found)

    def read(self, ids: Sequence[int]) -> None:
        given = self._checked(ids)
        if given:
            self._ids += given
            self._next = None
            self._after()

    def rewind(self, length: int) -> None:
        before = len(self._ids)
        super().rewind(length)
        if length == before:
            return
        self._next = None
        self._back(length)

    def reach(self, length: int) -> int:
        if self._model.weights.crops or length >= self._read:
            return length
        known = latest(self._checkpoints, length)
        return known.length if known is not None else 0

    def branch(self) -> NativeSession:
        other = NativeSession(self._model, self._context)
        other._ids = self._ids.copy()
        if self._read and self._context.copy(self._sequence, other._context, other._sequence):
            other._read, other._next = self._read, self._next
            other._checkpoints = self._checkpoints.copy()
        return other

    def logits(self) -> NDArray[np.floating]:
        if not self._ids:
            raise no_first()
        return self._after()

    def _after(self) -> NDArray[np.float32]:
        """The logits after the chain; they are read again where they are not at hand. A chain of at least one token."""
        if self._next is None:
            known = latest(self._checkpoints, len(self._ids))
            if known is not None and known.length == self._read == len(self._ids):
                self._next = known.logits
                return known.logits  # type: ignore[no-any-return]
            self._back(len(self._ids) - 1)
            missing, rows = self._ids[self._read :], self._model.weights.rows
            for low in range(0, len(missing), rows):
                self._forward(missing[low : low + rows], 1)
        assert self._next is not None
        return self._next

    def _extend_some(self, given: list[int]) -> Columns:
        """Read a few tokens in one forward and score each by the logits of the token before it."""
        import torch

        before = self._after() if self._ids else None
        logits = torch.from_numpy(self._forward(given, len(given)))
        self._ids += given
        return score_given(torch, logits, given, None if before is None else torch.tensor(before))

    def _forward(self, ids: list[int], keep: int) -> NDArray[np.float32]:
        """Read ``ids`` after what the cache holds; the logits after the last ``keep``, shape (keep, V)."""
        self.evaluated += len(ids)
        self._next = None
        before, self._read = self._read, 0  # a forward that fails leaves nobody knows what
        if not before:
            self._context.crop(self._sequence, 0)
        try:
            logits = self._context.read(self._sequence, ids, before, keep)
        except Interrupted as interrupted:
            if not interrupted.lost:  # what it had read before is still there
                self._read = before + 1
                self._back(before)
            raise
        self._read = before + len(ids)
        self._next = logits[-1].copy()
        self._next.flags.writeable = False
        if not self._model.weights.crops:
            state = self._context.save(self._sequence)
            self._checkpoints.append(Checkpoint(self._read, state, self._next, state.nbytes + self._next.nbytes))
            thin(self._checkpoints, self._read)
        return logits

    def _back(self, length: int) -> None:
        """Let the cache hold at most the first ``length`` tokens, and as many of them as it can."""
        if self._read <= length:
            return
        while self._checkpoints and self._checkpoints[-1].length > length:
            self._checkpoints.pop()
        self._read = 0  # unless it can go back
        if length and self._model.weights.crops and self._context.crop(self._sequence, length):
            self._read = length
        elif self._checkpoints:
            known = self._checkpoints[-1]
            if self._context.restore(self._sequence, known.states, known.length):
                self._read = known.length
