"""The same text under several tokenizers, of which no weights are loaded; and how one of them cuts a word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from arplay.core.errors import Problem
from arplay.core.merges import Made
from arplay.core.modalities.base import Coder, Document, Encoded, TokenSet
from arplay.core.reading import Reading
from arplay.core.recent import Recent
from arplay.engine.job import Steps
from arplay.engine.messages import Progress, Request, Result
from arplay.engine.state import State
from arplay.models import catalogue, documents

MOST = 8
"""So many tokenizers are kept open, and compared."""
LONGEST = 1_000_000
"""Units of a document that are cut: more of it would stop all else for a second and more."""


@dataclass
class Open:
    """Tokenizers that were asked for, by what names their models."""

    kept: Recent[str, tuple[str, Coder]] = field(default_factory=lambda: Recent(MOST))


@dataclass(frozen=True, slots=True)
class Tokenize(Request):
    """Cut ``document`` by the tokenizers of the models that ``specs`` name; "" is the model that is loaded.

    Of a long document, what is around unit ``place``.
    """

    specs: tuple[str, ...]
    document: Document
    reading: Reading = Reading()
    place: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Tokenization:
    """The text by one tokenizer, as if it had all been typed; or why there is none: ``problem``, cause and remedy.

    ``tokens`` are there where it could be opened, even if it cannot write this text.
    """

    spec: str
    name: str
    kind: str = ""
    tokens: TokenSet | None = None
    encoded: Encoded | None = None
    lossy: str = ""
    problem: tuple[str, str] | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Tokenized(Result):
    """``text`` is ``document``, or of a long one the part from unit ``start`` on."""

    document: Document
    reading: Reading
    text: Document
    start: int
    found: tuple[Tokenization, ...]

    @property
    def distinct(self) -> list[Tokenization]:
        """All but those with the same tokens as one before: one tokenizer stands there once."""
        names, kept = set[str](), list[Tokenization]()
        for each in self.found:
            if each.tokens is None or each.tokens.name not in names:
                kept.append(each)
            if each.tokens is not None:
                names.add(each.tokens.name)
        return kept

    @property
    def known(self) -> Iterator[tuple[Tokenization, TokenSet, Encoded]]:
        """Those of them that could be opened and write the text."""
        for each in self.distinct:
            if each.tokens is not None and each.encoded is not None:
                yield each, each.tokens, each.encoded


@dataclass(frozen=True, slots=True)
class Make(Request):
    """How the tokenizer of ``spec`` cuts ``document``, a word say; ``first``: it stands at the beginning of a text."""

    spec: str
    document: Document
    reading: Reading = Reading()
    first: bool = True


@dataclass(frozen=True, eq=False, slots=True)
class MadeOf(Result):
    """``tokens``: the name of the vocabulary that the tokens are of."""

    spec: str
    tokens: str
    document: Document
    made: Made


def tokenize(state: State, request: Tokenize) -> Steps:
    """One tokenizer after the other. Raises Problem for a document that is no text."""
    if len(request.specs) > MOST:
        raise Problem(f"{len(request.specs):,} tokenizers are too many", f"choose at most {MOST}")
    if not documents.is_text(request.document):
        raise Problem("this is no text: each of its units is a token", "type a text of your own to cut")
    text, start = documents.passage(request.document, request.place, LONGEST)
    text = text.apply(text.retokenise())
    found = list[Tokenization]()
    for at, spec in enumerate(request.specs):
        yield Progress(request.number, "Opening tokenizers", at / len(request.specs))
        found.append(_cut(state, spec, text, request.reading))
    return Tokenized(request.number, request.document, request.reading, text, start, tuple(found))


def make(state: State, request: Make) -> Steps:
    """Raises Problem where the tokenizer cannot be opened, or cannot write the document."""
    from arplay.models.alphabets.making import made  # of all kinds of tokenizers, which the window's start needs not

    yield None
    _, coder = opened(state, request.spec)
    text = request.document.file.decode("utf-8", "replace")
    name = coder.vocabulary.name
    return MadeOf(request.number, request.spec, name, request.document, made(coder, text, request.first))


def opened(state: State, spec: str) -> tuple[str, Coder]:
    """The name of a model, and its tokenizer: that of the model that is loaded for "". Raises Problem."""
    if not spec:
        model = state.current()
        return model.info.name, model.alphabet
    return state.kept(Open, outlives=True).kept.get(spec, lambda: catalogue.coder(spec))


def _cut(state: State, spec: str, text: Document, reading: Reading) -> Tokenization:
    from arplay.models.alphabets.making import kind_of  # likewise

    found = Tokenization(spec, spec)
    try:
        name, coder = opened(state, spec)
        if not documents.reads_text(coder):
            raise Problem(f"{name} reads {coder.vocabulary.unit.many}", "choose a model of text")
        found = Tokenization(spec, name, kind_of(coder), coder.vocabulary, lossy=coder.lossy)
        coder.vocabulary.find("a", 1)  # what a search needs is made ready here, not while somebody types
        return replace(found, encoded=state.encode(text, coder, reading.special))
    except Problem as problem:
        return replace(found, problem=(problem.cause, problem.remedy))
