"""Made-up results for the views of training: snapshots of a model that learns to predict a text, and one batch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from arplay.core.distribution import log_softmax
from arplay.core.modalities.encoded_text import Encoded
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.engine.load import Loaded
from arplay.engine.one_batch import BatchLosses
from arplay.engine.replay import Replayed
from arplay.engine.trainer import Plan, Report, TrainingState
from arplay.models.base import Capabilities, Info

TEXT = "Once upon a time there was a little girl who lived in a house by the sea."
STEPS = (0, 1, 4, 12, 40, 120, 300, 700, 1500, 2600, 4000, 5000)
FOLDER = Path("a run")

_WORDS = (
    "the a of was and in it he she they had little big girl boy house sea time day very his her to with old man dog"
)


def vocabulary(text: str = TEXT, size: int = 600) -> Vocabulary:
    """A beginning-of-text token, the text's words, common ones, and fillers up to ``size``."""
    words = [b"<s>", *tokens(text), *(f" {word}".encode() for word in _WORDS.split()), b".", b","]
    words = list(dict.fromkeys(words))
    words += [f" w{i}".encode() for i in range(size - len(words))]
    return Vocabulary(f"made up {size} {text}", tuple(words[:size]), frozenset({0}))


def tokens(text: str) -> list[bytes]:
    """Words with the space before them."""
    words = text.split(" ")
    return [word.encode() if i == 0 else f" {word}".encode() for i, word in enumerate(words) if word or i]


def ids_of(text: str, vocabulary: Vocabulary) -> list[int]:
    return [vocabulary.data.index(token) for token in tokens(text)]


def replayed(
    step: int,
    index: int | None = None,
    text: str = TEXT,
    lead: bool = True,
    size: int = 600,
    steps: int = STEPS[-1],
    words: Vocabulary | None = None,
) -> Replayed:
    """What a model that has learned for ``step`` of ``steps`` says: chance at 0, and then more and more sure."""
    words = words or vocabulary(text, size)
    ids = np.array([0] * lead + ids_of(text, words), np.int64)
    n, size = len(ids), len(words)
    share = (step / steps) ** 0.3
    logprob, every = np.full(n, np.nan), []
    for i in range(n + 1):
        rng = np.random.default_rng(i)
        logits = rng.normal(0, 0.05, size) + share * (rng.normal(0, 2.2, size) + 3.5 * (np.arange(size) < 50))
        if i < n:
            logits[ids[i]] += share * rng.uniform(1, 6)
        every.append(logits.astype(np.float32))
        if max(1, lead) <= i < n:
            logprob[i] = log_softmax(every[i])[ids[i]]
    at = n if index is None else index
    ends = np.cumsum([len(token) for token in tokens(text)])
    encoded = Encoded(text.encode(), ids[int(lead) :], ends, np.zeros(len(ends), bool))
    target = int(ids[at]) if at < n else None
    return Replayed(1, step, steps, ids, int(lead), encoded, words, logprob, at, every[at], target)


def replays(
    index: int | None = None, steps: Sequence[int] = STEPS, text: str = TEXT, lead: bool = True
) -> list[Replayed]:
    words = vocabulary(text)
    return [replayed(step, index, text, lead, words=words) for step in steps]


def plan() -> Plan:
    return Plan(
        *("transformer", ("story.txt",), "", ("0" * 64,), "", 600, 128, 4, 4, 384, 256, STEPS[-1] * 2048, 8, 0.02),
        *(0.003, 0.02, 0.2, 0.1, 1.0, 0, "cpu", 1, 1, "bfloat16", False, 0),
    )


def report(step: int) -> Report:
    loss = 1.2 + 5.2 * 0.999**step
    return Report(
        step, STEPS[-1], step * 2048, step * 0.1, loss, loss + 0.1, loss / 3, (loss + 0.1) / 3, 2e4, 60.0, 1.0
    )


def state(
    snapshots: Sequence[int] = STEPS,
    status: str = "running",
    problem: tuple[str, str] | None = None,
    folder: Path = FOLDER,
) -> TrainingState:
    reports = tuple(report(step) for step in snapshots)
    what = "training" if snapshots else "training the tokenizer"
    return TrainingState(status, what, plan(), reports, tuple(snapshots), problem, folder, True)  # type: ignore[arg-type]


def loaded(words: Vocabulary) -> Loaded:
    info = Info("made up", "test", "test", "0", "float32", "cpu", len(words), 512, 10**6)
    return Loaded(1, info, words, (0,), 0, 0, Capabilities(False, "cropped", True))


def batch_losses(text: str = TEXT, lead: bool = True) -> BatchLosses:
    """The losses of the newest snapshot of :func:`replays`, stepping a rounding error apart."""
    answer = replayed(STEPS[-1], text=text, lead=lead)
    one_pass = -answer.logprob[1:]
    stepped = one_pass + np.random.default_rng(2).normal(0, 2e-7, len(one_pass))
    largest = float(np.abs(one_pass - stepped).max())
    return BatchLosses(1, answer.ids[:-1], answer.ids[1:], one_pass, stepped, float(one_pass.mean()), largest)


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits.astype(np.float64) - float(logits.max()))
    return e / e.sum()
