"""What :mod:`arplay.api` answers: distributions and scores, with every figure that the command line writes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arplay.core.aligned import Aligned, aligned
from arplay.core.chain import Ledger
from arplay.core.decoding.pipeline import Decoded, Pipeline, decode
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.format import nats_or_bits, number, percent
from arplay.core.modalities.base import Document, Ids
from arplay.core.parts import Parts
from arplay.core.position import Answer
from arplay.core.stepping import context_at
from arplay.engine.load import Loaded
from arplay.engine.runs import in_place_of_model, saved_run
from arplay.export import html, parquet, plots, provenance, scorefile, tables
from arplay.export.writers import write
from arplay.models import grammar

if TYPE_CHECKING:
    import pandas

Floats = NDArray[np.float64]


class Token(NamedTuple):
    """One token of a distribution: ``logprob`` in nats, ``prob`` and ``rank`` by the model itself, ``decoded_prob``
    after the pipeline. ``text`` is exact, but a byte that is part of no whole character is a sign (``⟨E2⟩``). None: a
    server did not tell it.
    """

    id: int
    text: str
    logprob: float | None
    prob: float | None
    decoded_prob: float | None
    rank: int | None


@dataclass(frozen=True, eq=False, repr=False)
class Next:
    """p(next | document), from :meth:`arplay.Model.next`; ``answer`` tells what was read for it."""

    loaded: Loaded
    document: Document
    answer: Answer
    pipeline: Pipeline = Pipeline()

    @property
    def distribution(self) -> Distribution:
        """The model's own, before the pipeline."""
        assert self.answer.distribution is not None
        return self.answer.distribution

    @cached_property
    def decoded(self) -> Decoded:
        """What each stage of the pipeline left.

        >>> from arplay import load
        >>> [(trace.label, trace.kept) for trace in load("abc").next("BA", "top-k:2").decoded.traces]
        [('top-k 2', 2)]
        """
        context = context_at(self.answer, self.loaded.vocabulary, 0, self.loaded.eos, grammar=grammar.allowed)
        return decode(self.distribution, self.pipeline, context)

    @property
    def logprobs(self) -> Floats:
        """log p of all V tokens by id, nats, shape (V,), read-only. Raises Problem where a server told only some.

        >>> from arplay import load
        >>> np.exp(load("abc").next("BA").logprobs).round(3)
        array([0.3, 0.1, 0.6])
        """
        if not self.distribution.full:
            known = len(self.distribution.logprobs)
            raise Problem(f"only {known:,} log-probs are known here", "use top(), or distribution for these")
        return self.distribution.logprobs

    @property
    def entropy(self) -> float | None:
        """H = -Σ p log p in nats (Shannon 1948); None where a server told only some log-probs.

        >>> from arplay import load
        >>> round(load("abc").next("BA").entropy, 4)  # of 0.3, 0.1 and 0.6
        0.8979
        """
        return self.distribution.entropy

    def top(self, n: int = 10) -> list[Token]:
        """The n most probable tokens, ties by id (fewer where there are fewer).

        >>> from arplay import load
        >>> [(token.id, token.text, token.rank) for token in load("abc").next("BA").top(2)]
        [(2, 'C', 1), (0, 'A', 2)]
        """
        return self._listed(self.distribution.top(n))

    def find(self, text: str) -> list[Token]:
        """Tokens that contain ``text``, as they are written or as views show them (␣, ↵, ⟨E2⟩), best matches first.

        >>> from arplay import load
        >>> [(token.text, round(token.prob, 3)) for token in load("abc").next("BA").find("b")]
        [('B', 0.1)]
        """
        return self._listed(self.loaded.vocabulary.find(text))

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be known with the figures: what the model did not read of the document, a sentence each.

        >>> from arplay import load
        >>> load("xo-centre").next("#").notes  # the centre comes first in its order
        ('of what is given, 1 token stands behind the place that comes next: not read yet, it changes nothing here',)
        """
        position, found = self.answer.position, []
        if position.start:
            found.append(f"the text is longer than the context; the model read its last {position.context:,} tokens")
        if count := len(self.document.ahead(self.loaded.vocabulary)):
            stand, it = ("token stands", "it changes") if count == 1 else ("tokens stand", "they change")
            behind = f"of what is given, {count:,} {stand} behind the place that comes next"
            found.append(f"{behind}: not read yet, {it} nothing here")
        return tuple(found)

    def as_dict(self, top: int = 20, find: str | None = None) -> tables.Record:
        """What ``arplay next --json`` writes."""
        before = self.document.before(self.document.end)
        tokens = self.loaded.vocabulary
        found = tables.bars(self.answer, self.distribution, self.decoded, tokens, before, top, find)
        return {"model": model_record(self.loaded)} | found

    def __repr__(self) -> str:
        label = self.loaded.vocabulary.label
        return f"<arplay.Next: {', '.join(f'{label(t.id)} {percent(t.prob)}' for t in self.top(5) if t.prob)}>"

    def _listed(self, ids: Sequence[int] | Ids) -> list[Token]:
        items = tables.items(self.distribution, self.decoded, self.loaded.vocabulary, ids)
        return [Token(*(item[name] for name in Token._fields)) for item in items]


@dataclass(frozen=True, eq=False, repr=False)
class Score:
    """Every token of a document with what the model said about it, from :meth:`arplay.Model.score`; n tokens.

    In a notebook it shows itself: the tokens on the heatmap's colours. ``ledger`` has what is not here, the five best
    alternatives of each token among it.
    """

    loaded: Loaded
    ledger: Ledger

    def __len__(self) -> int:
        return len(self.ledger)

    @property
    def tokens(self) -> tuple[str, ...]:
        """The exact text of each token; a byte that is part of no whole character is a sign (``⟨E2⟩``)."""
        ids: list[int] = self.ledger.ids.tolist()
        texts = {id: self.loaded.vocabulary.record(id)["text"] for id in {*ids}}
        return tuple(texts[id] for id in ids)

    @property
    def document(self) -> Document:
        """The text that was scored, which another model may score as well. Raises Problem for what is no text.

        >>> from arplay import load
        >>> run = load("abc").score("BAC")
        >>> load("english").score(run.document).beside(run).units
        3
        """
        return saved_run(self.loaded, self.ledger, "").document

    @property
    def ids(self) -> Ids:
        """Shape (n,)."""
        return self.ledger.ids

    @property
    def logprob(self) -> Floats:
        """log p(x_i | x_<i) in nats, shape (n,), read-only; NaN where not scored (a first token without p(x_1)).

        >>> from arplay import load
        >>> np.exp(load("abc").score("BAC").logprob).round(3)
        array([0.4, 0.5, 0.6])
        """
        return self.ledger.logprob

    @property
    def rank(self) -> NDArray[np.int32]:
        """Rank of the token that came, from 1, shape (n,); 0 where not scored."""
        return self.ledger.rank

    @property
    def entropy(self) -> NDArray[np.float32]:
        """Entropy in nats of the distribution that each token came from, shape (n,); NaN where not scored.

        >>> from arplay import load
        >>> load("abc").score("BAC").entropy.round(4)  # of 0.3, 0.4, 0.3, then 0.5, 0.2, 0.3, then 0.3, 0.1, 0.6
        array([1.0889, 1.0297, 0.8979], dtype=float32)
        """
        return self.ledger.entropy

    @property
    def context(self) -> NDArray[np.signedinteger[Any]]:
        """How many tokens the model had read before each, shape (n,)."""
        return self.ledger.context

    @property
    def nll_nats(self) -> float:
        """-Σ log p over the scored tokens, in nats.

        >>> from arplay import load
        >>> round(float(np.exp(-load("abc").score("BAC").nll_nats)), 4)  # 0.4 · 0.5 · 0.6
        0.12
        """
        return self.ledger.totals.nll_nats

    @property
    def nll_bits(self) -> float:
        """The same in bits: nats / ln 2."""
        return self.ledger.totals.nll_bits

    @property
    def perplexity(self) -> float | None:
        """exp(NLL in nats / scored tokens); None where none is scored.

        >>> from arplay import load
        >>> round(load("abc").score("BAC").perplexity, 4)  # (0.4 · 0.5 · 0.6) ^ (-1/3)
        2.0274
        """
        return self.ledger.totals.perplexity

    @property
    def bits_per_byte(self) -> float | None:
        """NLL in bits / UTF-8 bytes of the scored tokens; None where they have none. Raises Problem for a picture.

        >>> from arplay import load
        >>> load("xo").score("#.# .#. #.#").bits_per_byte
        Traceback (most recent call last):
        ...
        arplay.core.errors.Problem: these tokens are counted in pixels; ask for bits_per_dimension
        """
        return self._per("bits_per_byte")

    @property
    def bits_per_dimension(self) -> float | None:
        """NLL in bits / scored pixels; None where there are none. Raises Problem for a text."""
        return self._per("bits_per_dimension")

    @property
    def bits_per_sample(self) -> float | None:
        """NLL in bits / scored samples of a sound; None where there are none. Raises Problem for anything else."""
        return self._per("bits_per_sample")

    def by(self, kind: str) -> Parts:
        """What each "word", "line", "sentence" or "paragraph" of a text costs, or each "row" of a picture.

        Raises Problem where the document has no such parts.

        >>> from arplay import load
        >>> words = load("english").score("It was a dark night.").by("word")
        >>> [round(float(logprob), 2) for logprob in words.logprob], int(words.crossing.sum())
        ([-4.51, -0.9, -0.6, -4.55, -5.77], 0)
        """
        return Parts.of(self.ledger, kind)

    def save(self, path: str | os.PathLike[str], name: str = "text") -> None:
        """Write it to an npz file that :meth:`opened` opens without the model; ``name``: of the text.

        Raises Problem for what is no text, and where the file cannot be written.
        """
        scorefile.write(Path(path), saved_run(self.loaded, self.ledger, name))

    @classmethod
    def opened(cls, path: str | os.PathLike[str]) -> tuple[Score, str]:
        """A saved one, and the name of its text. Raises Problem for a file that is none, or damaged.

        >>> import tempfile; from arplay import load
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     load("abc").score("BAC").save(f"{folder}/bac.npz")
        ...     Score.opened(f"{folder}/bac.npz")[0]
        <arplay.Score of 3 tokens: NLL 2.1203 nats, perplexity 2.0274, 1.0196 bits per byte>
        """
        run = scorefile.read(path)
        return cls(in_place_of_model(0, run), run.ledger), run.name

    def beside(self, other: Score) -> Aligned:
        """This score and that of the same document by another model, cut where both have an edge between tokens.

        Raises Problem for scores of two documents.

        >>> from arplay import load
        >>> found = load("english").score("BAC").beside(load("abc").score("BAC"))
        >>> [round(bits, 2) for bits in found.bits_per_unit]
        [8.12, 1.02]
        """
        return aligned(self.ledger, other.ledger)

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be known with every total: what was lost, repeated or not scored, a sentence each."""
        return tuple(note.sentence for note in self.ledger.notes)

    @property
    def columns(self) -> dict[str, list[Any]]:
        """The rows of ``arplay score --table`` as columns by name, each of n values; None where not scored.

        >>> from arplay import load
        >>> {name: values[:2] for name, values in load("abc").score("BAC").columns.items() if name in ("text", "rank")}
        {'text': ['B', 'A'], 'rank': [1, 1]}
        """
        return {name: list(values) for name, values in tables.token_table(self.ledger, self.loaded.vocabulary).items()}

    def to_pandas(self) -> pandas.DataFrame:
        """:attr:`columns` as a DataFrame, a row a token; what was not scored is NaN or <NA>.

        Raises Problem where pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise Problem("pandas is not installed", "run: pip install 'arplay[pandas]'") from error
        kinds = {"logprob": "float64", "entropy": "float64", "rank": "Int64"}
        return pandas.DataFrame(self.columns).astype(kinds)

    def to_parquet(self, path: str | os.PathLike[str], name: str = "text") -> None:
        """Write :attr:`columns` as a Parquet file, a row a token; what was not scored is null.

        ``name`` says in its metadata what was scored, beside the model and the totals. Raises Problem where pyarrow is
        not installed, or nothing can be written there.
        """
        ledger, tokens = self.ledger, self.loaded.vocabulary
        origin, sums = provenance.Provenance(self.loaded.info, ledger.first_token, name), tables.totals(ledger)
        about = {"provenance": origin.as_dict(), "totals": sums}
        comments = [*origin.lines(), *tables.comments(sums)]
        columns = tables.token_columns(ledger, tokens)
        write(Path(path), parquet.to_parquet(tables.tokens(ledger, tokens), columns, comments, about))

    def plot(self, name: str = "along", unit: plots.Unit = "nats", mean: int = 100, bin: float = 0.5) -> tables.Record:
        """The figures of a plot as ``arplay export --chart plots --plot NAME`` writes them, without their provenance.

        ``name``: "along" (with a rolling mean of ``mean`` tokens), "histogram" (in bins of ``bin``), "ranks",
        "entropy", "calibration", "context", "surprising" or "confident". "told" is the key figure in words, "rows" the
        table, surprisals and entropies in ``unit``. Raises Problem where there is no such plot.

        >>> from arplay import load
        >>> load("abc").score("BACC").plot("ranks")["rows"]
        [{'from': 1, 'to': 1, 'tokens': 3}, {'from': 2, 'to': 2, 'tokens': 0}, {'from': 3, 'to': 4, 'tokens': 1}]
        """
        if name not in plots.BY_NAME:
            raise Problem(f"there is no plot {name}", f"choose {', '.join(plots.BY_NAME)}")
        chosen = plots.Chosen(name, plots.How(unit, mean, bin))
        return plots.record(chosen, self.ledger, self.loaded.vocabulary)

    def as_dict(self) -> tables.Record:
        """What ``arplay score --json`` writes."""
        return self.around() | {"tokens": tables.tokens(self.ledger, self.loaded.vocabulary)}

    def around(self) -> tables.Record:
        """The same without its tokens: their list is empty."""
        return {"model": model_record(self.loaded), "tokens": [], "totals": tables.totals(self.ledger)}

    def __repr__(self) -> str:
        return f"<arplay.Score of {len(self):,} tokens: {self._figures}>"

    def _repr_html_(self) -> str:
        head = f"{self.loaded.info.name}: {len(self):,} tokens, {self.ledger.totals.scored:,} scored; {self._figures}"
        return html.coloured(self.ledger, self.loaded.vocabulary, [head, *self.notes])

    @property
    def _figures(self) -> str:
        totals = self.ledger.totals
        said = [f"NLL {nats_or_bits(totals.nll_nats, 'nats', 4)}"]
        if totals.perplexity is not None:
            said.append(f"perplexity {number(totals.perplexity)}")
        if totals.bits_per_unit is not None:
            said.append(f"{number(totals.bits_per_unit)} {totals.unit.per}")
        return ", ".join(said)

    def _per(self, key: str) -> float | None:
        totals = self.ledger.totals
        if totals.unit.key != key:
            raise Problem(f"these tokens are counted in {totals.unit.many}", f"ask for {totals.unit.key}")
        return totals.bits_per_unit


def model_record(loaded: Loaded) -> tables.Record:
    """The model for JSON, with how its tokenizer changes text (null where it does not)."""
    return provenance.model(loaded.info) | {"lossy": loaded.lossy or None}
