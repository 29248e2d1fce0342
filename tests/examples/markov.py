"""A family from outside the package in one file: Markov chains of two words, such as the weather of two kinds of days.

The file has a line a word, with what follows it::

    sun: sun 0.8, rain 0.2
    rain: sun 0.4, rain 0.6

The first word is drawn from the distribution that the chain keeps to: p(a) p(b | a) = p(b) p(a | b).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.models.base import Report
from arplay.models.families.looked_up import LookedUp, info_of
from arplay.models.families.table.model import TableAlphabet
from arplay.models.family import Family
from arplay.textfile import read_text

_LINE = re.compile(r"(\w+): (\w+) (\d*\.?\d+), (\w+) (\d*\.?\d+)")

MARKOV = Family(
    name="Markov chain",
    what="Two words, each with the probabilities of what follows it (.markov).",
    suffix=".markov",
    file="Markov chain",
    open="tests.examples.markov:load",
    card="arplay.models.store.cards:of_opened",
    looked_up=True,
    any_context=True,
    icon="repeat",
)


class Chain(LookedUp):
    """p(next | last), and before the first word the balance. Exact in float64."""

    def __init__(self, words: Sequence[str], follows: NDArray[np.float64], source: Path) -> None:
        """``follows`` (2, 2): p(column | row)."""
        self.alphabet = TableAlphabet(Vocabulary(f"markov:{' '.join(words)}", tuple(f"{w} ".encode() for w in words)))
        leave = follows[0, 1], follows[1, 0]
        first = np.array([leave[1], leave[0]]) / sum(leave)
        with np.errstate(divide="ignore"):
            self._rows = np.log(np.vstack([follows, first]))
        self._rows.flags.writeable = False
        self.info = info_of(source.stem, MARKOV.name, str(source), "", vocabulary=2, parameters=4)

    def logprobs(self, ids: Sequence[int]) -> NDArray[np.float64]:
        row: NDArray[np.float64] = self._rows[ids[-1] if len(ids) else -1]
        return row

    def teacher_forced(self, ids: Sequence[int]) -> NDArray[np.float64]:
        row: NDArray[np.float64] = self._rows[[-1, *ids[:-1]], list(ids)]
        return row[: len(ids)]


def load(path: Path, name: str, device: str, dtype: str, report: Report) -> Chain:
    """Raises Problem that names the line that is wrong."""
    lines = read_text(path).decode().splitlines()
    found = [_LINE.fullmatch(line) for line in lines]
    if len(found) != 2 or None in found:
        raise Problem(f"{path.name} is no two lines such as sun: sun 0.8, rain 0.2", "see the example")
    rows = [match.groups() for match in found if match]
    words = [row[0] for row in rows]
    if any([row[1], row[3]] != words or not np.isclose(float(row[2]) + float(row[4]), 1) for row in rows):
        raise Problem(f"{path.name}: each line must give both words, and probabilities that sum to 1", "mend it")
    follows = np.array([[float(row[2]), float(row[4])] for row in rows])
    if not follows[0, 1] + follows[1, 0]:
        raise Problem(f"{path.name}: no word is ever left, so neither is the first", "make one of them possible")
    return Chain(words, follows, path)
