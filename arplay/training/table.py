"""The table of a model's card: bits per byte on the held-out documents of its recipe, beside other ways to write them.

``python -m arplay.training.table assets/recipes/english.toml`` prints it in Markdown. A model needs -log2 p bits for a
text, and an arithmetic coder would write that many (Shannon 1948), so models and compressors stand in one unit:

- the model, and others that ``--beside`` names: each document by itself, from the separator on;
- an n-gram model of the same tokens, counted on the training documents, each of them once;
- xz -9 and bzip2 -9 of all held-out documents of a source as one file: they start from nothing, on little text;
- slow models that ``--sample`` names, on every so many-th document only, beside the model on the same ones.
"""

from __future__ import annotations

import argparse
import bz2
import lzma
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from arplay import api, paths
from arplay.core.errors import Problem
from arplay.core.format import part_percent
from arplay.core.modalities.vocabulary import alphabet_of
from arplay.export.writers import to_json, write
from arplay.models.families.ngram.model import NgramModel
from arplay.training import ngram
from arplay.training.corpus import Document, Recipe, documents, read_recipe, split
from arplay.training.evaluate import score_model

ORDER = 5
SAMPLE_BYTES = 40_000
"""So much of a source is enough for a slow model: about 10,000 tokens, a minute's work for 135 M parameters."""

GRAM, XZ, BZIP2 = f"{ORDER}-gram", "xz -9", "bzip2 -9"
BARS = {(GRAM,): 0.25, (XZ, BZIP2): 0.30}
"""By what part the model is to need fewer bits than the best of some columns."""

Figures = list[dict[str, Any]]


@dataclass(frozen=True)
class HeldOut:
    """Held-out documents of one source. ``outside``: nothing of that source is trained on."""

    source: str
    outside: bool
    texts: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """Their length in UTF-8."""
        return sum(len(text.encode()) for text in self.texts)

    def sample(self, size: int) -> HeldOut:
        """Whole documents, evenly spaced, of about ``size`` bytes together; at least one."""
        return HeldOut(self.source, self.outside, self.texts[:: max(1, round(self.bytes / size))])


@dataclass
class Table:
    """The bits that each column, by its title, needs for each row."""

    rows: Sequence[HeldOut]
    columns: dict[str, list[float]] = field(default_factory=dict)

    def add(self, title: str, bits: Callable[[HeldOut], float]) -> None:
        """Work out one more column, which is told on standard error."""
        found: list[float] = []
        for row in self.rows:
            found.append(bits(row))
            print(f"{title}, {row.source}: {found[-1] / row.bytes:.4f} bits per byte", file=sys.stderr, flush=True)
        self.columns[title] = found

    def figures(self) -> Figures:
        """A record a source, and one for the mix as a whole: all that is held out of sources that were trained on."""
        mix = [i for i, row in enumerate(self.rows) if not row.outside]
        outside = [i for i, row in enumerate(self.rows) if row.outside]
        return [
            *(self._record(self.rows[i].source, [i]) for i in mix),
            *([self._record("the mix", mix)] if mix else []),
            *(self._record(f"{self.rows[i].source} (outside the mix)", [i]) for i in outside),
        ]

    def _record(self, name: str, members: Sequence[int]) -> dict[str, Any]:
        size = sum(self.rows[i].bytes for i in members)
        return {
            "source": name,
            "documents": sum(len(self.rows[i].texts) for i in members),
            "bytes": size,
            "bits_per_byte": {title: sum(bits[i] for i in members) / size for title, bits in self.columns.items()},
        }


def markdown(figures: Figures) -> str:
    """Records of :meth:`Table.figures` as a Markdown table."""
    titles = list(figures[0]["bits_per_byte"])
    lines = [["source", "documents", "bytes", *titles], ["---", *["---:"] * (2 + len(titles))]]
    for record in figures:
        counts = [f"{record['documents']:,}", f"{record['bytes']:,}"]
        lines.append([record["source"], *counts, *(f"{record['bits_per_byte'][title]:.3f}" for title in titles)])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def bars(figures: Figures, title: str) -> list[dict[str, Any]]:
    """For each of :data:`BARS` and each record: by what part the column ``title`` is below, and whether that is enough.

    1.5 bits per byte are 25 % below 2.0.
    """
    return [
        {
            "source": record["source"],
            "than": " and ".join(others),
            "bar": bar,
            "below": below,
            "met": below >= bar,
        }
        for others, bar in BARS.items()
        for record in figures
        for below in [1 - record["bits_per_byte"][title] / min(record["bits_per_byte"][other] for other in others)]
    ]


def bars_in_words(found: list[dict[str, Any]], title: str) -> str:
    """A line a bar: the part by which the model is below, source by source."""
    lines = []
    for than, bar in dict.fromkeys((record["than"], record["bar"]) for record in found):
        mine = [record for record in found if record["than"] == than]
        each = ", ".join(f"{r['source']} {part_percent(r['below'], 1)}{'' if r['met'] else ' (not met)'}" for r in mine)
        lines.append(
            f"{title} is to be {part_percent(bar)} below {'the better of ' if ' and ' in than else ''}{than}: {each}\n"
        )
    return "".join(lines)


def model_bits(model: api.Model, row: HeldOut) -> float:
    """What the model needs for each document by itself, together. Raises Problem where it cannot write one."""
    nats = sum(map(model.nll, row.texts))
    if not math.isfinite(nats):
        raise Problem(f"{model.info.name} gives no probability to a token of these texts", "compare another model")
    return nats / math.log(2)


def file_bits(size: Callable[[bytes], int], row: HeldOut) -> float:
    """What a compressor that gives files of ``size`` bytes needs for the documents end to end."""
    return 8.0 * size("".join(row.texts).encode())


def xz(data: bytes) -> int:
    """Bytes of an .xz file, as ``xz -9`` makes it."""
    return len(lzma.compress(data, preset=9))


def bzip2(data: bytes) -> int:
    """Bytes of a .bz2 file, as ``bzip2 -9`` makes it."""
    return len(bz2.compress(data, 9))


def rows_of(recipe: Recipe, held_out: Sequence[Document]) -> list[HeldOut]:
    """A row for each source that has held-out documents, in the recipe's order."""
    rows = []
    for source in recipe.sources:
        texts = tuple(document.text for document in held_out if document.source == source.name)
        if texts:
            rows.append(HeldOut(source.name, source.name in recipe.outside, texts))
    return rows


def open_model(spec: str) -> api.Model:
    """A model by name or folder, in float32 on the CPU; every token is scored, the first after BOS if after nothing."""
    model = api.load(spec, device="cpu", dtype="float32")
    alphabet = model.backend.alphabet
    if not (alphabet and alphabet.lead) and not model.backend.can.starts_empty:
        model.reading = api.Reading(first_token="bos")
    return model


def count(model: api.Model, texts: Sequence[str]) -> NgramModel:
    """An n-gram model over the tokens of ``model``, of these texts, each read once."""
    alphabet = alphabet_of(model.backend.alphabet)
    ids = [np.array([*alphabet.lead, *alphabet.encode(text.encode()).ids.tolist()]) for text in texts]
    counts = ngram.train(ids, ORDER, len(alphabet.vocabulary))
    info = replace(model.info, name=GRAM, family="ngram", context=None, parameters=counts.entries)
    return NgramModel(counts, alphabet, info)


def main() -> None:
    """Print the tables; what is under way goes to standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m arplay.training.table", description="Bits per byte on the held-out documents of a recipe."
    )
    parser.add_argument("recipe", type=Path, help="for example assets/recipes/english.toml")
    parser.add_argument("--model", help="the model's folder (default: the one that the recipe makes)")
    parser.add_argument("--beside", action="append", default=[], metavar="MODEL", help="one more model; repeatable")
    parser.add_argument("--sample", action="append", default=[], metavar="MODEL", help="a slow one, on a sample only")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the figures as JSON as well")
    given = parser.parse_args()
    try:
        note(given)
    except Problem as problem:
        sys.exit(f"arplay: {problem}")


def note(given: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    recipe = read_recipe(given.recipe)
    name = recipe.name
    models = {name: open_model(given.model or str(paths.assets() / "models" / name))}
    models |= {Path(spec).name: open_model(spec) for spec in given.beside}
    slow = {spec: open_model(spec) for spec in given.sample}

    beside, corpora = given.recipe.absolute().parent, paths.cache() / "corpora"
    say = partial(print, file=sys.stderr)
    found = [document for source in recipe.sources for document in documents(source, beside, corpora, say)]
    training, held_out = split(found, recipe.held_out_every, recipe.outside)
    gram = count(models[name], [document.text for document in training])
    table = Table(rows_of(recipe, held_out))
    for title, model in models.items():
        table.add(title, partial(model_bits, model))
    table.add(GRAM, lambda row: score_model(gram, row.texts).nats / math.log(2))
    table.add(XZ, partial(file_bits, xz))
    table.add(BZIP2, partial(file_bits, bzip2))

    figures = table.figures()
    compared = bars(figures, name)
    print(markdown(figures), bars_in_words(compared, name), sep="\n", end="")
    result = {"recipe": name, "model": asdict(models[name].info), "figures": figures, "bars": compared}
    if slow:
        sampled = Table([row.sample(SAMPLE_BYTES) for row in table.rows])
        for title, model in {name: models[name], **slow}.items():
            sampled.add(title, partial(model_bits, model))
        result["sample"] = sampled.figures()
        print("\nWhole documents, evenly spaced:\n", markdown(sampled.figures()), sep="\n", end="")
    if given.json:
        write(given.json, to_json(result))


if __name__ == "__main__":
    main()
