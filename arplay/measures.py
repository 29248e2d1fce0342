"""What is measured of a whole document besides its score: by other conventions, and at the edges of its words."""

from __future__ import annotations

from typing import TypeVar

from arplay.core.modalities.base import Document
from arplay.core.reading import Reading
from arplay.core.sweeps import Axis
from arplay.engine.alone import OnProgress, answered
from arplay.engine.conventions import Compare, Compared
from arplay.engine.curves import Sweep, Swept
from arplay.engine.messages import Request
from arplay.engine.state import State
from arplay.engine.word_edges import Edged, Edges
from arplay.models import documents
from arplay.models.documents import Given

R = TypeVar("R")


class Measures:
    """Methods of :class:`arplay.api.Model`."""

    reading: Reading
    """What stands before a document and how special names in it are read; it may be changed at any time."""
    _state: State
    _on_progress: OnProgress

    def conventions(self, document: Given) -> Compared:
        """The perplexity of ``document`` by the usual conventions (:mod:`arplay.core.conventions`), arplay's own first.

        Raises Problem for a document that cannot be read.

        >>> from arplay import load
        >>> for each in load("english").conventions("It was a dark night.").figures[:3]:  # the harness scores two BOS
        ...     print(each.name, round(each.found.perplexity, 2))
        windows 15.22
        one_window 15.22
        harness_rolling 42.38
        """
        return self._asked(Compared, Compare(0, self._read(document), self.reading))

    def curve(self, document: Given, axis: Axis = "stride") -> Swept:
        """The perplexity of ``document`` against "stride" or "context": ``points``, each with ``found.perplexity``.

        Every other point costs twice the forwards of the one before; those beyond :data:`arplay.core.sweeps.BOUND` are
        left out. Raises Problem where the text fits into the context, so that it has no stride.

        >>> from arplay import load
        >>> found = load("english").curve("It was a dark night. " * 9, "context").points
        >>> [(point.context, point.stride, round(point.found.perplexity, 1)) for point in found]
        [(16, 8, 4.9), (32, 16, 3.7), (512, 256, 3.2)]
        """
        return self._asked(Swept, Sweep(0, self._read(document), axis, self.reading))

    def word_edges(self, document: Given) -> Edged:
        """log P(a word begins) before each word of ``document`` and behind the last: ``edges``, (m + 1,), in nats.

        With them :func:`arplay.core.word_edges.corrected` gives the log-probs of words whose tokens bring their space
        along. Raises Problem where no token of the model does, where there are no words, and for a server.

        >>> from arplay import load
        >>> from arplay.core.word_edges import corrected
        >>> model, text = load("english"), "It was a dark night."
        >>> words = model.score(text).by("word")
        >>> words.logprob.round(2).tolist()
        [-4.51, -0.9, -0.6, -4.55, -5.77]
        >>> corrected(words, model.word_edges(text).edges).round(2).tolist()
        [-4.61, -0.8, -0.6, -4.63, -5.69]
        """
        return self._asked(Edged, Edges(0, self._read(document), self.reading))

    def _read(self, document: Given) -> Document:
        return documents.document(document, self._state.current().alphabet)

    def _asked(self, kind: type[R], request: Request) -> R:
        return answered(kind, self._state, request, self._on_progress)
