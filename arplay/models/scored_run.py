"""A scored text as arrays, and back: what a file of it holds, so that it opens without its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import BEST, Best, Ledger
from arplay.core.distribution import Distribution, read_only
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, Note, Place, TokenSet
from arplay.core.modalities.encoded_text import Encoded
from arplay.core.modalities.runs import MOST_FIXED, Fixed, Run, Typed, normal
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.core.position import Answer, Position
from arplay.core.windows import Windows
from arplay.models.base import Capabilities, Info

Arrays = Mapping[str, NDArray[Any]]

COLUMNS: Mapping[str, tuple[str, int]] = {
    "text": ("u1", 1),
    "ids": ("i4", 1),
    "ends": ("i4", 1),
    "fixed": ("b1", 1),
    "logprob": ("f8", 1),
    "rank": ("i4", 1),
    "entropy": ("f4", 1),
    "best_ids": ("i4", 2),
    "best_logprobs": ("f4", 2),
    "known_ids": ("i4", 1),
    "known_ends": ("i8", 1),
    "known_bytes": ("u1", 1),
}
"""The arrays by name, with type and dimensions: n tokens each, but the bytes of the text and of the tokens in it."""

MOST_TOKENS = 100_000_000
LEAST = -1e12
"""No log-prob of a model is so small, and of no text do so many add up to no number."""
SAVED = Capabilities(False, "none", False, no_scores="its model is not loaded: this is a saved scoring run")
ONLY_ITS_TEXT = "a saved scoring run knows its own text only, as it was scored"


@dataclass(frozen=True, eq=False)
class SavedRun:
    """A scored text that needs no model. ``name``: of the text; ``lossy``: how the tokenizer changed it; ``lead``: the
    ids that stood before it; ``when`` it was saved, "" where the file does not tell."""

    ledger: Ledger
    tokens: Vocabulary
    info: Info
    name: str
    lossy: str = ""
    lead: tuple[int, ...] = ()
    when: str = ""

    @cached_property
    def document(self) -> Text:
        """The text, in which the ids that were kept as they were picked or sampled are kept again."""
        encoded = self.ledger.encoded
        assert isinstance(encoded, Encoded), "a text"
        if not encoded.fixed.any():
            return Text.of(encoded.data)
        edges = np.flatnonzero(np.diff(encoded.fixed)) + 1
        runs: list[Run] = []
        for first, stop in pairwise([0, *edges.tolist(), len(encoded)]):
            if not encoded.fixed[first]:
                runs.append(Typed(encoded.data[encoded.span(first)[0] : encoded.span(stop - 1)[1]]))
                continue
            for at in range(first, stop, MOST_FIXED):
                part = range(at, min(at + MOST_FIXED, stop))
                data = tuple(encoded.data[slice(*encoded.span(i))] for i in part)
                runs.append(Fixed(self.tokens.name, tuple(encoded.ids[part.start : part.stop].tolist()), data))
        return Text(normal(tuple(runs)))

    def answer(self, document: Document, place: Place) -> Answer:
        """What the run tells of the token at a place: the five best and the one that came, and of all others together
        what is left. Raises Problem for another text, inside a token and behind the last one.
        """
        ledger, encoded = self.ledger, self.ledger.encoded
        if not encoded.is_of(document):
            raise Problem(ONLY_ITS_TEXT, "choose a model in the Model menu to read another")
        prefix = document.prefix(encoded, place, _Spelled(self.tokens), False)
        index = prefix.index
        if prefix.actual is None or index >= len(ledger):
            raise Problem(ONLY_ITS_TEXT, "choose a token of it, or a model in the Model menu to go on behind its end")
        end = index + ledger.before
        start = int(ledger.windows.start(end))
        position = Position(start, end, ledger.windows.before(start))
        told = distribution_at(ledger, index, len(self.tokens))
        return Answer(self.lead, ledger.first_token, prefix, encoded, position, told, 0, 0.0, 0)


def distribution_at(ledger: Ledger, index: int, size: int) -> Distribution | None:
    """What a ledger keeps of the distribution before one of its tokens: the best, the token that came, the entropy.

    None where the token is not scored.
    """
    logprob = float(ledger.logprob[index])
    if np.isnan(logprob):
        return None
    best = dict(ledger.best.at(index))
    worst = min(best.values(), default=-np.inf)
    known = sorted((best | {int(ledger.ids[index]): logprob}).items())
    ids, logprobs = np.array([id for id, _ in known], np.int64), np.array([value for _, value in known])
    entropy = float(ledger.entropy[index])
    return Distribution(size, logprobs, ids, ceiling=worst, told_entropy=None if np.isnan(entropy) else entropy)


@dataclass(frozen=True, slots=True)
class _Spelled:
    """The tokens of a run cut no other text. It is a :class:`arplay.core.modalities.vocabulary.Alphabet` so far."""

    vocabulary: Vocabulary
    lead: tuple[int, ...] = ()
    bos: int | None = None
    eos: int | None = None
    lossy: str = ""

    def encode(self, data: bytes, start: bool = True, special: bool = False) -> Any:
        raise Problem(ONLY_ITS_TEXT, "put the caret before a token")


def text_tokens(tokens: TokenSet) -> Vocabulary:
    """The same, of texts. Raises Problem for those of something else."""
    if not isinstance(tokens, Vocabulary):
        raise Problem("only scored texts are saved", "export the table of this one")
    return tokens


def arrays(ledger: Ledger, tokens: TokenSet, lead: Sequence[int] = ()) -> Arrays:
    """Of a whole ledger of a text. ``known_*``: the bytes of each token that stands in it, or before it (``lead``).

    Raises Problem for what is no text, or not scored to its end.
    """
    encoded, tokens = ledger.encoded, text_tokens(tokens)
    assert isinstance(encoded, Encoded), "a text"
    if not ledger.complete:
        raise Problem("the text is not scored to its end", "wait for it")
    known = np.unique(np.concatenate([ledger.ids, ledger.best_ids.ravel(), np.asarray(lead, np.int32)]))
    known = known[known >= 0]
    data = [tokens.data[id] or b"" for id in known.tolist()]
    found = {
        "text": np.frombuffer(encoded.data, np.uint8),
        "ids": encoded.ids,
        "ends": encoded.ends,
        "fixed": encoded.fixed,
        "logprob": ledger.logprob,
        "rank": ledger.rank,
        "entropy": ledger.entropy,
        "best_ids": ledger.best_ids,
        "best_logprobs": ledger.best_logprobs,
        "known_ids": known,
        "known_ends": np.cumsum([len(each) for each in data], dtype=np.int64),
        "known_bytes": np.frombuffer(b"".join(data), np.uint8),
    }
    return {name: np.asarray(found[name], kind) for name, (kind, _) in COLUMNS.items()}


def special(columns: Arrays, tokens: TokenSet) -> list[int]:
    """Those of its ids that stand for themselves."""
    return sorted(tokens.special & set(columns["known_ids"].tolist()))


def restored(found: Arrays, head: Mapping[str, Any]) -> SavedRun:
    """The same run. Raises ValueError for arrays that do not fit together."""
    n, size = len(found["ids"]), head["vocabulary"]
    if n > MOST_TOKENS or any(len(found[name]) != n for name in list(COLUMNS)[1:9]):
        raise ValueError("its columns are not of one length")
    if found["best_ids"].shape != (n, BEST) or found["best_logprobs"].shape != (n, BEST):
        raise ValueError("it has another number of best tokens")
    ids, ends, known, known_ends = (found[name] for name in ("ids", "ends", "known_ids", "known_ends"))
    _rising(ends, len(found["text"]), "ends")
    _rising(known_ends, len(found["known_bytes"]), "known_ends")
    if len(known) != len(known_ends) or (len(known) and not 0 <= known.min() <= known.max() < size <= 1 << 24):
        raise ValueError("an id is outside of the vocabulary")
    there = np.concatenate([ids, found["best_ids"].ravel()])
    is_known = np.zeros(size, bool)
    is_known[known] = True
    there = there[there >= 0]
    if (len(there) and int(there.max()) >= size) or not is_known[there].all() or (ids < 0).any():
        raise ValueError("it has tokens whose bytes it does not tell")
    best, entropy = found["best_logprobs"], found["entropy"]
    no_entropy = ((entropy < 0.0) | np.isinf(entropy)).any()  # NaN: not known
    logprob = found["logprob"]
    no_logprob = ((logprob > 1e-9) | (np.isfinite(logprob) & (logprob < LEAST))).any()  # NaN: not scored
    if no_logprob or not (best <= 1e-6).all() or (found["rank"] < 0).any() or no_entropy:
        raise ValueError("it has what is no log-probability, no rank or no entropy")
    if any(not is_known[id : id + 1].any() for id in head["lead"]):
        raise ValueError("it does not tell what stood before the text")
    data: list[bytes | None] = [None] * size
    spelled, start = found["known_bytes"].tobytes(), 0
    for id, end in zip(known.tolist(), known_ends.tolist(), strict=True):
        data[id], start = spelled[start:end] or None, end
    tokens = Vocabulary(head["tokens"], tuple(data), frozenset(head["special"]))
    window, stride, lead = head["windows"]
    fixed = read_only(found["fixed"].view(np.uint8) != 0)  # no truth value of other bytes
    ledger = Ledger(
        encoded=Encoded(found["text"].tobytes(), read_only(ids), read_only(ends), fixed),
        unit=tokens.unit,
        logprob=read_only(found["logprob"]),
        rank=read_only(found["rank"]),
        entropy=read_only(found["entropy"]),
        best=Best.of(found["best_ids"], found["best_logprobs"]),
        before=head["before"],
        done=n,
        first_token=head["first_token"],
        windows=Windows(window, stride, lead),
        added=tuple(Note(*note) for note in head["notes"]),
    )
    ledger.add_up()
    info = Info(**{**head["model"], "not_used": tuple(head["model"]["not_used"])})
    return SavedRun(ledger, tokens, info, head["name"], head["lossy"], tuple(head["lead"]), head["when"])


def _rising(ends: NDArray[Any], last: int, name: str) -> None:
    if len(ends) and ((np.diff(ends) < 0).any() or ends[0] < 0 or ends[-1] != last):
        raise ValueError(f"{name} do not rise to {last:,}")
    if not len(ends) and last:
        raise ValueError(f"{name} are missing")
