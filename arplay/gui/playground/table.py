"""What lies on the table: the document of the kind that the loaded model reads. Others wait until theirs is back."""

from __future__ import annotations

from arplay.core.kept import Moves, Session
from arplay.core.modalities.base import TokenSet
from arplay.core.modalities.image import Picture, Raster
from arplay.core.modalities.text import Text, text_of
from arplay.core.tree import Tree
from arplay.gui import kinds
from arplay.gui.playground.recording import Recording
from arplay.gui.playground.state import State
from arplay.gui.playground.undo import moves_on
from arplay.gui.playground.writing import Writing


class Table:
    """What waits is by kind and, of pictures, by size and levels, the last one last."""

    def __init__(self, play: State, recording: Recording, writing: Writing) -> None:
        self._play, self._recording, self._writing = play, recording, writing
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
            self._long = play.long.file
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
        self.restore(session, long)
        return session

    def restore(self, session: Session, long: bytes | None = None) -> None:
        """A document with its ids, history, undo, seed and caret; ``long`` is the text that it is the beginning of."""
        with self._play.at_once():
            self.forget()
            self._recording.resume(session, Text.of(long) if long is not None else None)

    def forget(self) -> None:
        """Nothing that was found out about the former document belongs to the next one."""
        self._writing.stop()
        play = self._play
        play.long, play.looking = None, False
        play.show(excerpt_of=None, ledger=None, reconciled=None, step=None, step_decoded=None, departures=())

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
        return self._play.long.file if self._play.long is not None else self._long

    @property
    def beside(self) -> tuple[Session, ...]:
        """What waits and is not empty."""
        return tuple(session for session in self._waiting if not session.is_empty)

    @property
    def trees(self) -> list[Tree]:
        """The history of what lies here, and of what waits."""
        return [self._play.tree, *(session.tree for session in self._waiting)]

    def type(self, start: int, end: int, data: bytes, caret: int) -> None:
        """Bytes [start, end) of the text are replaced; more of it may follow at once."""
        self._writing.stop()
        self._play.show(step=None, step_decoded=None)
        self._recording.record(text_of(self._play.document).replace(start, end, data), "typed", caret, pause=True)

    def retokenise(self) -> None:
        """Forget which ids of the text were kept as they were picked or sampled."""
        play = self._play
        self._writing.stop()
        before = play.tree.node
        if self.has_text:
            self._recording.record(text_of(play.document).retokenise(), "retokenised", play.view.caret)
        if play.tree.node is before:
            play.refused.emit("Nothing to re-tokenise: every token is the tokenizer's own")

    def paint(self, cells: tuple[int, ...], level: int | None) -> None:
        """Pixels get a level; the caret goes on where its own did."""
        play, loaded = self._play, self._play.view.loaded
        if not isinstance(play.document, Picture) or loaded is None or not isinstance(loaded.vocabulary, Raster):
            return
        self._writing.stop()
        play.show(step=None, step_decoded=None)
        edit = play.document.paint(cells, level)
        after = play.document.apply(edit)
        caret = play.view.caret if level is None else after.open_from(play.view.caret, loaded.vocabulary)
        self._recording.record(edit, "painted", min(caret, after.open_from(0, loaded.vocabulary)))

    def _session(self) -> Session:
        play, stack = self._play, self._play.undo_stack
        made = [(move.origin.serial, move.target.serial, move.words) for move in moves_on(stack)]
        moves, view = Moves(made, stack.index()), play.view
        return Session(play.tree, moves, view.caret, view.settings.seed, long=view.excerpt_of)


def _reads(tokens: TokenSet, session: Session) -> bool:
    document, kind = session.tree.document, kinds.of_tokens(tokens)
    return kinds.of_document(document) is kind and kind.suits(document, tokens)
