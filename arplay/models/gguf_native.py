"""GGUF files run natively by llama.cpp, quantised as they are, behind the contract of models/base.py.

llama.cpp multiplies quantised weights with activations that it quantises too (8 bits in blocks of 32), so its numbers
are near those of the dequantised way, not equal; of a file in F32 both are the same within rounding. What a session
gives does agree with its own uncached pass: a cache of llama.cpp is cropped and shared cell by cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.models import gguf_families, gguf_file, gguf_tokenizer
from arplay.models.alphabets import TokenizerAlphabet
from arplay.models.base import Info, Report, Scores, check
from arplay.models.devices import RESERVE, memory
from arplay.models.gguf_llama import Context, Weights, library
from arplay.models.loading import digest, import_torch, threads
from arplay.models.scoring_rows import logprobs_of, score_rows, unscored
from arplay.models.tabular import frozen_scores


def load(path: Path, name: str, device: str, dtype: str, report: Report) -> NativeModel:
    """Load a GGUF file to run in llama.cpp, on the CPU and quantised as it is.

    Raises Problem where the file is refused, llama.cpp is not installed, or another device or number type is asked
    for, and whatever ``report`` raises to cancel.
    """
    report(None, "reading the header")
    file = gguf_file.read(path)
    fit = gguf_families.fit(file)
    other = f"open {path.name}#dequantised"
    if device not in ("auto", "cpu"):
        raise Problem(f"{path.name} runs natively on the CPU, not on {device}", other)
    if dtype not in ("auto", file.quantisation):
        raise Problem(f"{path.name} runs natively as it is, in {file.quantisation}, not in {dtype}", other)
    report(None, "importing llama.cpp")
    library()
    report(None, "opening the tokenizer")
    alphabet = gguf_tokenizer.open_tokenizer(file)
    free, _ = memory()
    if file.weight_bytes + RESERVE > free:
        needed, there = ((size / 2**30) for size in (file.weight_bytes + RESERVE, free))
        raise Problem(f"{path.name} needs {needed:.1f} GiB, {there:.1f} are free", "take a file of fewer bits a weight")
    import_torch(report)
    count = threads(file.parameters)
    weights = Weights(path, file.architecture, fit.sizes, count, report)
    info = Info(
        name=name,
        family=file.architecture,
        source=str(path),
        revision=digest([path]),
        dtype=file.quantisation,
        device="cpu",
        vocabulary=fit.sizes.vocabulary,
        context=fit.sizes.context,
        parameters=file.parameters,
        engine="llama.cpp",
        cache="cropped",
        why=f"quantised as it is ({file.quantisation}), {count} thread{'s' * (count > 1)}; keys and values in float32",
    )
    report(1.0, "proving the model")
    model = NativeModel(weights, alphabet, info)
    if not np.isfinite(model.uncached([0])).all():
        raise Problem(f"the logits of {path.name} are not numbers (NaN)", "fetch the file again")
    return model


class NativeModel:
    """A loaded GGUF file in llama.cpp."""

    starts_empty = False

    def __init__(self, weights: Weights, alphabet: TokenizerAlphabet, info: Info) -> None:
        self.weights = weights
        self.alphabet = alphabet
        self.info = info
        self._spare: Context | None = None  # of the passes without a cache

    def session(self) -> NativeSession:
        return NativeSession(self)

    def teacher_forced(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """-cross_entropy of torch, in 64 bits, over one pass through an emptied context of its own; element 0 is NaN.

        The last piece is scored, not read. Nothing is shared with any session.
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
        result.flags.writeable = False
        return result

    def _alone(self, ids: Sequence[int], every: bool) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Read ``ids`` into the emptied context, a chunk at a time: where it begins, and its logits (or the last)."""
        if self._spare is None:
            self._spare = Context(self.weights)
            self._spare.take(self)
        self._spare.crop(0, 0)
        for low in range(0, len(ids), self.weights.rows):
            given = list(ids[low : low + self.weights.rows])
            yield low, self._spare.read(0, given, low, len(given) if every else 1)


class NativeSession:
    """A chain as one sequence of a llama.cpp context; its branches are other sequences over the same cells."""

    starts_empty = False

    def __init__(self, model: NativeModel, context: Context | None = None) -> None:
        self._model = model
        self._context = context or Context(model.weights)
        sequence = self._context.take(self)
        if sequence is None:  # every number is taken: a context of its own, filled when it is needed
            self._context = Context(model.weights)
            sequence = self._context.take(self)
            assert sequence is not None
        self._sequence = sequence
        self._ids: list[int] = []
        self._read = 0  # pieces in the cache; at most len(self._ids)
        self._next: NDArray[np.float32] | None = None  # logits after self._ids, shape (V,)
        self.evaluated = 0

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(self._ids)

    @property
    def cache_bytes(self) -> int:
        return self._context.bytes

    @property
    def storages(self) -> Mapping[int, int]:
        return {id(self._context): self._context.bytes}

    def extend(self, ids: Sequence[int]) -> Scores:
        given = [int(id) for id in ids]
        check(self._model.info, given, len(self._ids))
        rows = self._model.weights.rows
        parts = [self._extend_some(given[low : low + rows]) for low in range(0, len(given), rows)]
        if not parts:
            return frozen_scores(*unscored(0))
        return frozen_scores(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def read(self, ids: Sequence[int]) -> None:
        given = [int(id) for id in ids]
        check(self._model.info, given, len(self._ids))
        if given:
            self._ids += given
            self._next = None
            self._after()

    def rewind(self, length: int) -> None:
        if not 0 <= length <= len(self._ids):
            raise ValueError(f"cannot rewind {len(self._ids)} pieces to {length}")
        if length == len(self._ids):
            return
        del self._ids[length:]
        self._next = None
        self._crop(length)

    def reach(self, length: int) -> int:
        return length

    def branch(self) -> NativeSession:
        other = NativeSession(self._model, self._context)
        other._ids = self._ids.copy()
        if other._context is self._context:
            self._context.copy(self._sequence, other._sequence)
            other._read, other._next = self._read, self._next
        return other

    def logits(self) -> NDArray[np.floating]:
        if not self._ids:
            raise Problem("this model gives no distribution of a first piece", "type something, or choose BOS or EOS")
        return self._after()

    def _after(self) -> NDArray[np.float32]:
        """The logits after the chain; they are read again where they are not at hand. A chain of at least one piece."""
        if self._next is None:
            self._crop(len(self._ids) - 1)
            missing, rows = self._ids[self._read :], self._model.weights.rows
            for low in range(0, len(missing), rows):
                self._forward(missing[low : low + rows], 1)
        assert self._next is not None
        return self._next

    def _extend_some(self, given: list[int]) -> tuple[NDArray[np.generic], ...]:
        """Read a few pieces in one forward and score each by the logits of the piece before it."""
        import torch

        before = self._after() if self._ids else None
        logits = torch.from_numpy(self._forward(given, len(given)))
        self._ids += given
        if before is None:
            scores = score_rows(torch, logits[:-1], given[1:])
            return tuple(np.concatenate(pair) for pair in zip(unscored(1), scores, strict=True))
        first = score_rows(torch, torch.tensor(before)[None], given[:1])
        rest = score_rows(torch, logits[:-1], given[1:])
        return tuple(np.concatenate(pair) for pair in zip(first, rest, strict=True))

    def _forward(self, ids: list[int], keep: int) -> NDArray[np.float32]:
        """Read ``ids`` after what the cache holds; a view of the logits after the last ``keep``, shape (keep, V)."""
        self.evaluated += len(ids)
        self._next = None
        logits = self._context.read(self._sequence, ids, self._read, keep)
        self._read += len(ids)
        self._next = logits[-1].copy()
        self._next.flags.writeable = False
        return logits

    def _crop(self, length: int) -> None:
        if self._read > length:
            self._context.crop(self._sequence, length)
            self._read = length
