"""The labs of arplay in Python that ask no loaded model."""

from __future__ import annotations

from collections.abc import Sequence

from arplay.core.errors import Problem
from arplay.core.masks import Pair
from arplay.core.merges import Made
from arplay.core.reading import Reading
from arplay.engine.alone import answered
from arplay.engine.masks import KINDS, BreakMask, Broke
from arplay.engine.messages import Progress
from arplay.engine.state import State
from arplay.engine.tokenizing import MadeOf, Make, Tokenize, Tokenized
from arplay.models import catalogue, documents
from arplay.models.base import Report
from arplay.models.documents import Given


def break_mask(kind: str, *, seed: int = 0, progress: Report | None = None) -> Pair:
    """Train a small network in a process of its own, and beside it one that sees what it is to predict.

    ``kind``: "transformer", "lstm", "pixelcnn" or "wavenet". It takes about a minute. ``progress`` is called with a
    fraction from 0 to 1 and what is being done; it may raise to cancel. Of both networks, the causal one first, there
    are ``curves`` of losses and ``figures``, in bits a token (:mod:`arplay.core.masks`).

    Raises Problem for another kind, and where the process ends early.

    >>> break_mask("perceptron")
    Traceback (most recent call last):
    arplay.core.errors.Problem: there is no lab for perceptron; choose transformer, lstm, pixelcnn or wavenet
    """
    names = [each.name for each in KINDS]
    if kind not in names:
        raise Problem(f"there is no lab for {kind}", f"choose {', '.join(names[:-1])} or {names[-1]}")

    def on_progress(told: Progress) -> None:
        if progress is not None:
            progress(told.fraction, told.what)

    return answered(Broke, State(catalogue.load), BreakMask(0, kind, seed), on_progress).pair


def tokenizers(text: Given, models: Sequence[str], *, special: bool = False) -> Tokenized:
    """One text cut by the tokenizers of several models, of which no weights are loaded.

    ``models``: names, folders, GGUF files, as :func:`arplay.load` takes them. What is wrong with one stands in its
    ``problem``; of the others there are ``tokens``, the vocabulary, and ``encoded``: ``ids``, and the bytes ``ends``
    where each token ends, both of shape (n,). ``special``: the name of a special token in the text is that token.
    Raises Problem for more than 8, and for what is no text.

    >>> for each in tokenizers("The unbelievable", ["english", "abc"]).found:
    ...     print(each.name, each.problem or [each.tokens.label(id) for id in each.encoded.ids.tolist()])
    english ['The', '␣un', 'b', 'el', 'ie', 'v', 'able']
    abc ("'T' at byte 0 is not in this model's alphabet", 'it can write only A B C')
    """
    asked = Tokenize(0, tuple(models), documents.document(text, None), Reading(special=special))
    return answered(Tokenized, State(catalogue.load), asked, lambda _: None)


def merges(word: str, model: str, *, first: bool | None = None) -> Made:
    """How the tokenizer of a model makes its tokens of a word: byte pair encoding merge by merge, other kinds in words.

    ``first``: the word stands at the beginning of a text (None: where no space is before it). Raises Problem as
    :func:`tokenizers` tells it.

    >>> made = merges(" the", "english")
    >>> [(step.rank, step.symbols) for word in made.words for step in word.merges], made.words[0].tokens
    ([(1, ('␣t', 'h', 'e')), (2, ('␣t', 'he')), (6, ('␣the',))], ('␣the',))
    """
    begins = not word.startswith(" ") if first is None else first
    asked = Make(0, model, documents.document(word, None), first=begins)
    return answered(MadeOf, State(catalogue.load), asked, lambda _: None).made
