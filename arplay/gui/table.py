"""What lies on the table: the document of the kind that the loaded model reads. Others wait until theirs is back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arplay.core.kept import Moves, Session
from arplay.core.modalities.base import TokenSet
from arplay.core.modalities.image import Picture, Raster
from arplay.core.modalities.text import Text, text_of
from arplay.core.tree import Tree
from arplay.gui import kinds
from arplay.gui.undo import moves_on

if TYPE_CHECKING:
    from arplay.gui.playground import Playground


class Table:
    """Of a playground. ``waiting``: sessions by kind, each with the long text that it was the beginning of."""

    def __init__(self, play: Playground) -> None:
        self._play = play
        self._waiting: dict[str, tuple[Session, bytes | None]] = {}

    def lay(self, tokens: TokenSet) -> None:
        """A document that a model with these tokens can read, with its history."""
        play, kind = self._play, kinds.of_tokens(tokens)
        former = kinds.of_document(play.document)
        if former is kind and kind.suits(play.document, tokens):
            return
        play.show(loaded=None)
        self._waiting[former.name] = self._session(), text_of(play.long.document).data if play.long else None
        session, long = self._waiting.pop(kind.name, (None, None))
        if session is None or not kind.suits(session.tree.document, tokens):
            tree = Tree(kind.blank(tokens))
            tree.root.caret = 0
            session, long = Session(tree), None
        session.seed = play.view.settings.seed
        play.restore(session, long)
        play.refused.emit(f"The {former.noun} is kept; it comes back with a model that reads it")

    def defers(self, session: Session, long: bytes | None) -> bool:
        """Whether the loaded model cannot read it: then it waits, which is told."""
        play, loaded, kind = self._play, self._play.view.loaded, kinds.of_document(session.tree.document)
        if loaded is None or kind is kinds.of_tokens(loaded.vocabulary):
            return False
        self._waiting[kind.name] = session, long
        play.refused.emit(f"{loaded.info.name} reads no {kind.noun}: choose a model that does, it is there then")
        return True

    @property
    def has_text(self) -> bool:
        return isinstance(self._play.document, Text)

    @property
    def text_tree(self) -> Tree:
        """The history of the text, whether it lies on the table or waits."""
        return self._play.tree if self.has_text else self._waiting[kinds.TEXT.name][0].tree

    @property
    def text(self) -> Text:
        return text_of(self.text_tree.document)

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
        return Session(play.tree, Moves(made, stack.index()), play.view.caret, play.view.settings.seed)
