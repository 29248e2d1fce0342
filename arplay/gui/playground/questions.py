"""Questions about the whole text: asked of the worker, told as it works, ended. A new one is a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from arplay.engine.candidates import Rate
from arplay.engine.conventions import Compare
from arplay.engine.curves import Sweep
from arplay.engine.divergence import Diverge
from arplay.engine.messages import Cancelled, Failed, Progress, Question, Request, Result
from arplay.engine.segmentations import Segment
from arplay.engine.tokenizing import Make, Tokenize
from arplay.engine.total import Total
from arplay.engine.two_orders import TrainOrders
from arplay.engine.word_edges import Edges
from arplay.gui.bridge import Bridge
from arplay.gui.intents import (
    AddUp,
    Ask,
    ByContext,
    ByStride,
    CompareCandidates,
    CompareConventions,
    CompareDistributions,
    CorrectSpaces,
    MakeTokens,
    SegmentText,
    TokenizeText,
    Train,
)
from arplay.gui.playground.state import State
from arplay.gui.view import Asked
from arplay.models import documents


def _train(play: State, asked: Train) -> Callable[..., Request]:
    return partial(TrainOrders, names=asked.names, seed=play.view.settings.seed)


def _candidates(play: State, asked: CompareCandidates) -> Callable[..., Request]:
    """Of what the editor holds: it has the caret."""
    document = play.view.document
    texts = tuple(documents.document(text, None) for text in asked.texts)
    return partial(Rate, document=document, place=document.at(play.view.caret), candidates=texts)


def _tokenize(play: State, asked: TokenizeText) -> Callable[..., Request]:
    how = partial(Tokenize, specs=("", *asked.specs), place=play.view.caret)
    return partial(how, document=documents.document(asked.text, None)) if asked.text else how


def _make(play: State, asked: MakeTokens) -> Callable[..., Request]:
    """A word with a space before it does not stand at the beginning."""
    word = documents.document(asked.text, None)
    return partial(Make, spec=asked.spec, document=word, first=not asked.text.startswith(" "))


QUESTIONS: dict[type[Ask], Callable[[State, Any], Callable[..., Request]]] = {
    ByContext: lambda *_: partial(Sweep, axis="context"),
    ByStride: lambda *_: partial(Sweep, axis="stride"),
    CompareCandidates: _candidates,
    CompareConventions: lambda *_: Compare,
    CompareDistributions: lambda _, asked: partial(Diverge, slot=asked.slot),
    CorrectSpaces: lambda *_: Edges,
    MakeTokens: _make,
    AddUp: lambda _, asked: partial(Total, reading=asked.reading),
    SegmentText: lambda _, asked: partial(Segment, document=documents.document(asked.text, None)),
    TokenizeText: _tokenize,
    Train: _train,
}
"""What makes the request, but for its number, and its reading and document, where it does not name another one."""


class Questions:
    """One of each kind at a time, and one of those that make the same request; what was found last stays in sight."""

    def __init__(self, play: State, bridge: Bridge) -> None:
        self._play, self._bridge = play, bridge
        self._numbers: dict[type[Ask], int] = {}
        self._makes: dict[type[Ask], object] = {}

    def ask(self, asked: Ask) -> None:
        """Where no model is loaded that is told instead."""
        kind, play = type(asked), self._play
        self.stop(kind)
        make = QUESTIONS[kind](play, asked)
        made = make.func if isinstance(make, partial) else make
        of_model = isinstance(made, type) and issubclass(made, Question)
        if (of_model or play.view.loaded is None) and not play.has_model():
            return
        usual = {"document": play.scored_document, "reading": play.view.settings.reading}
        own, made = (make.keywords, make.func) if isinstance(make, partial) else ({}, make)
        for other in [each for each in self._numbers if self._makes[each] is made]:
            self.stop(other)  # the new request replaces it, and nothing would be told of it any more
        self._makes[kind] = made
        request = partial(make, **{name: value for name, value in usual.items() if name not in own})
        self._show(kind, replace(play.view.answer_to(kind), share=0.0, doing="starting", problem=None))
        quietly = isinstance(asked, CompareCandidates | TokenizeText) and asked.quietly
        self._numbers[kind] = self._bridge.ask(request, partial(self._on_result, kind, quietly))

    def stop(self, kind: type[Ask]) -> None:
        """What was found before stays."""
        number = self._numbers.pop(kind, None)
        if number is not None:
            self._bridge.forget(number)
            self._end(kind)

    def stop_all(self) -> None:
        for kind in list(self._numbers):
            self.stop(kind)

    def _on_result(self, kind: type[Ask], quietly: bool, result: Result) -> None:
        with self._play.at_once():
            match result:
                case Progress(what=what, fraction=fraction):
                    asked = self._play.view.answer_to(kind)
                    self._show(kind, replace(asked, share=fraction or 0.0, doing=what))
                case Failed(cause=cause, remedy=remedy):
                    if not quietly:
                        self._play.reported.emit(cause, remedy)
                    self._end(kind, problem=(cause, remedy))
                case Cancelled():
                    self._end(kind)
                case _ if not result.is_last:
                    self._show(kind, replace(self._play.view.answer_to(kind), found=result))
                case _:
                    self._end(kind, result)

    def _end(self, kind: type[Ask], found: Result | None = None, problem: tuple[str, str] | None = None) -> None:
        self._numbers.pop(kind, None)
        former = self._play.view.answer_to(kind)
        self._show(kind, Asked(former.found if found is None else found, problem=problem))

    def _show(self, kind: type[Ask], asked: Asked) -> None:
        self._play.show(asked={**self._play.view.asked, kind: asked})
