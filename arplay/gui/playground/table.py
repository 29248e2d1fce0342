"""What lies on the table: the document of the kind that the loaded model reads. Others wait until theirs is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arplay.core.kept import Moves, Session
from arplay.core.modalities.base import TokenSet
from arplay.core.modalities.image import Picture, Raster
from arplay.core.modalities.text import Text
from arplay.core.tree import Tree
from arplay.gui import kinds
from arplay.gui.playground.undo import moves_on

if TYPE_CHECKING:
    from arplay.gui.playground.playground import Playground


class Table:
    """Of a playground. What waits is by kind and, of pictures, by size and levels, the last one last."""

    def __init__(self, play: Playground) -> None:
        self._play = play
        self._waiting: list[Session] = []
        self._long: bytes | None = None
        """The long text that a text which waits is the beginning of."""

    def lay(self, tokens: TokenSet) -> None:
        """A document that a model with these tokens can read, with its history."""
        play, kind = self._play, kinds.of_tokens(tokens)
        former = kinds.of_document(play.document)
        if former is kind and kind.suits(play.document, tokens):
            return
        play.show(loaded=None)
        self._waiting.append(self._session())
        if play.long is not None:
            self._long = play.long.document.data
        self._restore(tokens)
        play.refused.emit(f"The {former.noun} is kept; it comes back with a model that reads it")

    def spread(self, session: Session, long: bytes | None) -> None:
        """A session and those beside it, in place of all that lay here; what the loaded model cannot read waits."""
        loaded = self._play.view.loaded
        self._waiting, self._long = [*session.beside, session], long
        noun = kinds.of_document(session.tree.document).noun
        if self._restore(loaded.vocabulary if loaded is not None else None) is not session and loaded is not None:
            words = f"{loaded.info.name} does not read this {noun}: choose a model that does, it is there then"
            self._play.refused.emit(words)

    def _restore(self, tokens: TokenSet | None) -> Session:
        """The last that waits for a model with these tokens (None: the very last), or a blank document."""
        fit = [one for one in self._waiting if tokens is None or _reads(tokens, one)]
        if fit:
            session = fit[-1]
            self._waiting.remove(session)
        else:
            assert tokens is not None, "something lies here"
            session = Session(Tree(kinds.of_tokens(tokens).blank(tokens)), seed=self._play.view.settings.seed)
            session.tree.root.caret = 0
        long = None
        if session.long is not None:
            long, self._long = self._long, None
        self._play.restore(session, long)
        return session

    @property
    def has_text(self) -> bool:
        return isinstance(self._play.document, Text)

    @property
    def text(self) -> Text:
        """The text, whether it lies on the table or waits."""
        return next((text for tree in self.trees if isinstance(text := tree.document, Text)), Text())

    @property
    def long(self) -> bytes | None:
        """The long text whose beginning lies on the table or waits."""
        return self._play.long.document.data if self._play.long is not None else self._long

    @property
    def beside(self) -> tuple[Session, ...]:
        """What waits and is not empty."""
        return tuple(session for session in self._waiting if not session.is_empty)

    @property
    def trees(self) -> list[Tree]:
        """The history of what lies here, and of what waits."""
        return [self._play.tree, *(session.tree for session in self._waiting)]

    def reached(self, caret: int, tokens: TokenSet | None) -> int:
        """Where the caret can be: another order of the pixels reaches another one first that nobody has painted."""
        document = self._play.document
        if isinstance(document, Picture) and isinstance(tokens, Raster):
            return min(caret, document.open_from(0, tokens))
        return caret

    def paint(self, cells: tuple[int, ...], level: int | None) -> None:
        """Pixels get a level; the caret goes on where its own did."""
        play, loaded = self._play, self._play.view.loaded
        if not isinstance(play.document, Picture) or loaded is None or not isinstance(loaded.vocabulary, Raster):
            return
        play.writing.stop()
        play.show(step=None, step_decoded=None)
        edit = play.document.paint(cells, level)
        after = play.document.apply(edit)
        caret = play.view.caret if level is None else after.open_from(play.view.caret, loaded.vocabulary)
        play.record(edit, "painted", min(caret, after.open_from(0, loaded.vocabulary)))

    def _session(self) -> Session:
        play, stack = self._play, self._play.undo_stack
        made = [(move.origin.serial, move.target.serial, move.words) for move in moves_on(stack)]
        moves, view = Moves(made, stack.index()), play.view
        return Session(play.tree, moves, view.caret, view.settings.seed, long=view.excerpt_of)


def _reads(tokens: TokenSet, session: Session) -> bool:
    document, kind = session.tree.document, kinds.of_tokens(tokens)
    return kinds.of_document(document) is kind and kind.suits(document, tokens)
