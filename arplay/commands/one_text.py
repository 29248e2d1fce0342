"""What ``arplay score`` found out of one text, for a terminal, as JSON and as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from arplay.commands import scored
from arplay.core.aligned import Aligned
from arplay.core.edited import Edited
from arplay.core.parts import Parts
from arplay.core.signs import safe
from arplay.engine.conventions import Compared
from arplay.engine.curves import Swept
from arplay.engine.divergence import Diverged
from arplay.engine.segmentations import Segmented
from arplay.engine.word_edges import Edged
from arplay.export import (
    comparing,
    comparison,
    conventions,
    divergence,
    parts,
    perplexity,
    report,
    segmentations,
    tables,
)
from arplay.export.charts import Table
from arplay.export.provenance import Provenance
from arplay.results import Score, model_record


@dataclass
class One:
    """All that was asked of one text; ``diverged``: for each of ``beside`` how far it is, where that was asked."""

    name: str
    score: Score
    divided: Parts | None = None
    compared: Compared | None = None
    segmented: Segmented | None = None
    swept: Swept | None = None
    edited: Edited | None = None
    edged: Edged | None = None
    beside: list[tuple[Score, Aligned]] = field(default_factory=list)
    diverged: list[Diverged] = field(default_factory=list)

    @property
    def record(self) -> tables.Record:
        """What JSON tells of it."""
        return self.around | {"tokens": tables.Rows(self.score.ledger, self.score.loaded.vocabulary)}

    @property
    def pieces(self) -> Iterator[str]:
        """The same as a line, a piece at a time."""
        return report.line(self.name, self.around, self.score.ledger, self.score.loaded.vocabulary)

    @cached_property
    def around(self) -> tables.Record:
        """The same without its tokens."""
        found = self.score.around()
        if self.divided is not None:
            found["parts"] = parts.rows(self.divided, None if self.edged is None else self.edged.edges)
        if self.compared is not None:
            found["conventions"] = conventions.record(self.compared)
        if self.swept is not None:
            found["curve"] = perplexity.curve(self.swept, self.score.ledger.unit, self.score.ledger.totals.units)
        if self.segmented is not None:
            found["segmentations"] = segmentations.record(self.segmented)
        if self.beside:
            found["comparison"] = [comparison.record(pair, model_record(other.loaded)) for other, pair in self.beside]
        if self.edited is not None:
            found["edit"] = comparing.edit_record(self.edited)
        if self.diverged:
            found["divergence"] = [divergence.record(each, self.score.loaded.vocabulary) for each in self.diverged]
        return found

    @property
    def origin(self) -> Provenance:
        return Provenance(self.score.loaded.info, self.score.ledger.first_token, self.name)

    def lines(self, coloured: bool = False) -> list[str]:
        """The same for a terminal; ``coloured``: its tokens are shown in colours and stand in no table."""
        beside = self._beside()
        if not beside and not coloured:
            beside = scored.tokens(self.score, tables.tokens(self.score.ledger, self.score.loaded.vocabulary))
        return [*self._of_the_whole(), *scored.head(self.score, self.around["totals"]), *beside]

    def briefly(self) -> list[str]:
        """What was asked of it besides its totals, under its name."""
        told = self.asked()
        return ["", f"{safe(self.name)}:", *told] if told else []

    def asked(self) -> list[str]:
        """The same without its name."""
        return [*self._of_the_whole(), *self._beside()]

    def _of_the_whole(self) -> list[str]:
        told = [] if self.compared is None else [*conventions.lines(self.compared), ""]
        if self.swept is not None:
            told += [*perplexity.lines(self.swept, self.around["curve"], self.score.ledger.unit), ""]
        return told + ([] if self.segmented is None else [*segmentations.lines(self.segmented), ""])

    def _beside(self) -> list[str]:
        name, told = self.score.loaded.info.name, list[str]()
        for other, pair in self.beside:
            told += ["", *comparison.lines(pair, name, other.loaded.info.name)]
        if self.edited is not None:
            told += ["", *comparing.edit_lines(self.edited)]
        for each in self.diverged:
            told += ["", *divergence.lines(each, self.score.loaded.vocabulary)]
        return told + ([] if self.divided is None else scored.parts(self.around["parts"], self.score.ledger.unit))

    def table(self) -> Table:
        """A row a token, or a part."""
        found, ledger = self.record, self.score.ledger
        comments = [*self.origin.lines(), *tables.comments(found["totals"])]
        rows, columns = found["tokens"], tables.token_columns(ledger, self.score.loaded.vocabulary)
        if self.divided is not None:
            rows, columns = found["parts"], parts.columns(ledger, self.edged is not None)
        return Table({"provenance": self.origin.as_dict()} | found, rows, columns, comments)
