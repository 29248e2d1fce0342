"""What lies on the table: the document of the kind that the loaded model reads. Others wait until theirs is back."""

from __future__ import annotations

from dataclasses import replace

from arplay.core.kept import Moves, Session
from arplay.core.modalities.base import Document, TokenSet
from arplay.core.modalities.forms import FIRST
from arplay.core.tree import Tree
from arplay.gui import kinds
from arplay.gui.intents import Edited
from arplay.gui.playground.recording import Recording
from arplay.gui.playground.state import State
from arplay.gui.playground.undo import moves_on, undone
from arplay.gui.playground.writing import Writing

MOST_WAITING = 16
"""So many documents wait at most. One more takes the place of the one that waits for longest, which is told."""


class Table:
    """What waits is by kind and by what a model reads of it, the last one last."""

    def __init__(self, play: State, recording: Recording, writing: Writing) -> None:
        self._play, self._recording, self._writing = play, recording, writing
        self._waiting: list[Session] = []
        self.aside: Session | None = None
        """What lies here, while something else lies over it for a while that is not kept."""
        self._long: bytes | None = None
        """The long text that a text which waits is the beginning of."""

    def lay(self, tokens: TokenSet) -> None:
        """A document that a model with these tokens can read, with its history."""
        play, kind = self._play, kinds.of_tokens(tokens)
        former = kinds.of_document(play.document)
        if former is kind and kind.suits(play.document, tokens):
            return
        play.show(loaded=None)
        self._waiting = [one for one in self._waiting if not one.is_empty] + [self._session()]
        if play.long is not None:
            self._long = play.long.file
        self._restore(tokens)
        play.refused.emit(f"The {former.noun} is kept; it comes back with a model that reads it")
        written = type(FIRST)
        if len(self._waiting) > MOST_WAITING:  # what is written always comes back
            oldest = next(one for one in self._waiting if type(one.tree.document) is not written)
            self._waiting.remove(oldest)
            cause = f"of {MOST_WAITING + 1} documents that waited for their models the oldest is given up"
            play.reported.emit(cause, "save a picture to a file before another model is chosen")

    def put_aside(self, document: Document, caret: int) -> None:
        """Another document over what lies here, without a history, until :meth:`bring_back`."""
        play = self._play
        self.aside = self._session()
        if play.long is not None:
            self._long = play.long.file
        tree = Tree(document)
        tree.root.caret, tree.root.name = caret, play.view.name
        self.restore(Session(tree, caret=caret, seed=play.view.settings.seed))

    def bring_back(self) -> None:
        """What lay aside, with its ids, history, undo and caret."""
        aside, self.aside = self.aside, None
        if aside is not None:
            self._uncover(replace(aside, seed=self._play.view.settings.seed))

    def spread(self, session: Session, long: bytes | None) -> None:
        """A session and those beside it, in place of all that lay here; what the loaded model cannot read waits."""
        self.aside = None
        self._play.show(game=None, game_of=None)
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
        self._uncover(session)
        return session

    def _uncover(self, session: Session) -> None:
        """One that lay aside or waited, with the long text that it is the beginning of."""
        long = None
        if session.long is not None:
            long, self._long = self._long, None
        self.restore(session, long)

    def restore(self, session: Session, long: bytes | None = None) -> None:
        """A document with its ids, history, undo, seed and caret; ``long`` is the text that it is the beginning of."""
        with self._play.at_once():
            self.forget()
            whole = session.tree.document.continued(long) if long is not None else None
            self._recording.resume(session, whole)

    def forget(self) -> None:
        """Nothing that was found out about the former document belongs to the next one."""
        self._writing.stop()
        play = self._play
        play.long, play.looking = None, False
        play.show(excerpt_of=None, ledger=None, reconciled=None, step=None, step_decoded=None, departures=())

    @property
    def text(self) -> Document:
        """What is written, whether it lies on the table or waits: of the kind that lies here before any model."""
        return next((tree.document for tree in self.trees if type(tree.document) is type(FIRST)), FIRST)

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
        here = self.aside.tree if self.aside is not None else self._play.tree
        return [here, *(session.tree for session in self._waiting)]

    @property
    def document(self) -> Document:
        """What the user has here: the whole of it, whatever lies over it."""
        return self.trees[0].document

    def edit(self, done: Edited) -> None:
        """What was done to the document in its canvas; where that was typing, more of it may follow at once."""
        play, loaded = self._play, self._play.view.loaded
        made = done.on(play.document, play.view.caret, loaded.vocabulary if loaded is not None else None)
        if made is not None:
            edit, kind, caret = made
            self._writing.stop()
            play.show(step=None, step_decoded=None)
            self._recording.record(edit, kind, caret, pause=kind == "typed")

    def retokenise(self) -> None:
        """Forget which ids were kept as they were picked or sampled."""
        play = self._play
        self._writing.stop()
        before = play.tree.node
        tokens = play.view.loaded.vocabulary if play.view.loaded is not None else None
        self._recording.record(play.document.retokenise(tokens), "retokenised", play.view.caret)
        if play.tree.node is before:
            play.refused.emit("Nothing to re-tokenise: every token is the tokenizer's own")

    def _session(self) -> Session:
        play, stack = self._play, self._play.undo_stack
        made = [(move.origin.serial, move.target.serial, move.words) for move in moves_on(stack)]
        moves, view = Moves(made, len(made) - undone(stack)), play.view
        return Session(play.tree, moves, view.caret, view.settings.seed, long=view.excerpt_of)


def _reads(tokens: TokenSet, session: Session) -> bool:
    document, kind = session.tree.document, kinds.of_tokens(tokens)
    return kinds.of_document(document) is kind and kind.suits(document, tokens)
