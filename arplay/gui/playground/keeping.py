"""What the user writes is kept while it is written: each change is a line in the session's journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, replace
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

from PySide6.QtCore import QObject, QTimer, Signal

from arplay.core import kept
from arplay.core.errors import Problem
from arplay.core.kept import Moves, Session, Snapshot
from arplay.core.modalities.base import Document, Edit
from arplay.core.tree import TRIED, Mark, Node, Tree
from arplay.engine.journal import Journal
from arplay.gui.playground.playground import Playground
from arplay.gui.playground.recovery import Claim, Left, Said, Sessions
from arplay.gui.playground.undo import undone
from arplay.gui.view import View
from arplay.models import catalogue

LOOK_MS = 500
"""How often the journal is asked how it does."""
LOOKS = 6
"""After so many looks at a failure another attempt is made."""
SLOW = 3.0
"""Seconds without an answer of the disk after which the user is told."""
LEAST = 1024 * 1024
"""Characters that are appended before the whole is written anew; more where the whole is larger."""
ELSEWHERE = "save the text in another place, or free space on that disk"


Slot = TypeVar("Slot", bound=Callable[..., None])


def _unless_aside(slot: Slot) -> Slot:
    """What is done over a document that lies aside is not kept; that document is."""

    @wraps(slot)
    def unless_aside(self: Keeping, *args: Any) -> None:
        if self._play.table.aside is None:
            slot(self, *args)

    return cast(Slot, unless_aside)


class Keeping(QObject):
    """Keeps the playground's session in a file of its own, once :meth:`begin` was called.

    ``at_risk``: what is written now is not kept (cause, remedy); ``safe``: it is again. ``reported``: something else.
    """

    at_risk = Signal(str, str)
    safe = Signal()
    reported = Signal(str, str)

    def __init__(self, play: Playground) -> None:
        super().__init__(play)
        self._play = play
        self._sessions: Sessions | None = None
        self._claim: Claim | None = None
        self._journal: Journal | None = None
        self.risk: Said | None = None
        """Why what is written is not kept."""
        self._moves = Moves()
        # what the file says, so that only what is new is written
        self._numbers: set[int] = set()
        self._at, self._undone = 0, 0
        self._values: dict[str, object] = {}
        self._long: bytes | None = None
        self._appended = 0
        self._left_out = 0
        self._elsewhere: dict[type, Document] = {}
        self._lines: list[str] = []
        self._soon = QTimer(self, singleShot=True)
        self._soon.timeout.connect(self._write)
        self._looks = 0
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        play.recording.began.connect(self._on_began)
        play.recording.grown.connect(self._on_grown)
        play.recording.merged.connect(self._on_merged)
        play.recording.moved.connect(self._on_moved)
        play.recording.marked.connect(self._on_marked)
        play.undo_stack.indexChanged.connect(self._on_index)
        play.changed.connect(self._on_changed)

    # ---- whose file it is

    def begin(self, folder: Path, fresh: bool) -> Session | None:
        """Keep this window's session in ``folder``. Unless ``fresh``, the newest one that no window holds goes on.

        Returns the session that was restored.
        """
        self._sessions = Sessions(folder)
        self._timer.start()
        try:
            claim = self._sessions.new() if fresh else self._sessions.newest()
            said = claim.said + self._sessions.prune()
            crashed = [left for left in self.left() if not left.about.closed]
        except Problem as problem:
            self._set_risk((f"what you write is not kept: {problem.cause}", f"{problem.remedy}, or {ELSEWHERE}"))
            return None
        self._use(claim)
        if crashed:
            windows = "another window" if len(crashed) == 1 else f"{len(crashed)} other windows"
            said.append((f"{windows} ended without being closed", "File → Earlier texts has what was written there"))
        if said:
            self.reported.emit("; ".join(cause for cause, _ in said), said[-1][1])
        return claim.session

    def left(self) -> list[Left]:
        """Earlier sessions that no window holds, the newest first. Raises Problem."""
        return self._sessions.left() if self._sessions is not None else []

    def open(self, path: Path) -> None:
        """Go on with an earlier session; this one is kept like the others. Raises Problem where that cannot be."""
        if self._sessions is None or not self.flush():
            raise Problem("the text in this window is not kept", "save it first")
        claim = self._sessions.take(path)
        self._leave()
        self._use(claim)
        for cause, remedy in claim.said:
            self.reported.emit(cause, remedy)

    def take(self, session: Session) -> None:
        """Go on with a session from elsewhere, as :meth:`open` does. Raises Problem."""
        if self._sessions is None:
            self._play.table.spread(session, None)
            return
        if not self.flush():
            raise Problem("the text in this window is not kept", "save it first")
        claim = self._sessions.new()
        claim.session = session
        self._leave()
        self._use(claim)

    def snapshot(self) -> Snapshot:
        """All that is here now. Of a long text it is the beginning that the editor holds."""
        session = self._session()
        rest = tuple(replace(one, long=None) for one in session.beside)
        return kept.snapshot(replace(session, long=None, beside=rest))

    def saved(self, document: Document) -> None:
        """The user has this document in a file."""
        self._elsewhere[type(document)] = document

    def flush(self, timeout: float = 2.0) -> bool:
        """Whether all is on the disk, here or in files of the user's; nothing that was only opened counts."""
        self._write()
        if self._sessions is None or (self._journal is not None and self._journal.flush(timeout)):
            return True
        self._look()
        return all(
            tree.document == self._elsewhere.get(type(tree.document))
            or all(node.kind == "opened" for node in tree.nodes.values())
            for tree in self._play.table.trees
        )

    def end(self) -> None:
        """The window closes. What is still on its way to the disk has a few seconds."""
        self._timer.stop()
        self._leave()
        self._sessions = None

    def _use(self, claim: Claim) -> None:
        self._claim, self._journal = claim, Journal(claim.path)
        self._long = None
        if claim.session is not None:
            self._values = {"model": claim.session.model, "revision": claim.session.revision}
            self._play.table.spread(claim.session, claim.long)
        else:
            self._rewrite()

    def _leave(self) -> None:
        """Give the file back, in order."""
        claim, journal, sessions = self._claim, self._journal, self._sessions
        if claim is None or journal is None or sessions is None:
            return
        empty = self._session().is_empty and not self._play.table.beside
        if not empty:
            self._rewrite(closed=True)
        self._claim = self._journal = None
        journal.close(5.0)
        if empty:
            sessions.drop(claim)
        else:
            claim.release()

    # ---- what is written

    @property
    def _tree(self) -> Tree:
        return self._play.tree

    @_unless_aside
    def _on_began(self, moves: Moves) -> None:
        self._moves = Moves(list(moves.made), moves.index)
        self._rewrite()

    @_unless_aside
    def _on_grown(self, node: Node) -> None:
        """What was only tried behind a state that there was no room for is not kept either."""
        parent = node.parent
        if parent is None or (node.kind in TRIED and parent.serial not in self._numbers) or not self._knows(parent):
            return
        self._numbers.add(node.serial)
        if node.kind not in TRIED:
            self._at, self._values["caret"] = node.serial, node.caret
        self._append(kept.grown(node))

    @_unless_aside
    def _on_merged(self, edit: Edit, caret: int) -> None:
        if self._knows(self._tree.node):
            self._values["caret"] = caret
            self._append(kept.merged(edit, caret))

    @_unless_aside
    def _on_moved(self, origin: Node, target: Node, words: str | None) -> None:
        self._moves.push(origin.serial, target.serial, words)
        if self._knows(origin, target):
            self._at, self._undone = target.serial, 0
            self._append(kept.moved(origin, target, words))

    @_unless_aside
    def _on_marked(self, node: Node, mark: Mark) -> None:
        if self._moves.undone:  # they can no longer be done again
            self._moves.made = self._moves.made[: self._moves.index]
            self._rewrite()
        elif self._knows(node):
            self._append(kept.marked(node.serial, mark))

    @_unless_aside
    def _on_index(self, _: int) -> None:
        """Undo, redo, or a move that was just made."""
        node = self._tree.node
        if self._play.recording.replaying:
            return
        self._moves.index = len(self._moves.made) - undone(self._play.undo_stack)
        if (node.serial, self._moves.undone) != (self._at, self._undone) and self._knows(node):
            self._at, self._undone = node.serial, self._moves.undone
            self._append(kept.undone(self._undone, node))

    @_unless_aside
    def _on_changed(self, view: View) -> None:
        if self._journal is None:
            return
        if self._play.table.long is not self._long:
            self._store_long()
        values = self._state()
        new = {name: value for name, value in values.items() if self._values.get(name) != value}
        if new:
            self._values = values
            self._append(kept.state(**new))

    def _state(self) -> dict[str, object]:
        view = self._play.view
        loaded, settings = view.loaded, view.settings
        model = catalogue.spec_of(loaded.info.source) if loaded is not None else self._values.get("model")
        return {
            "caret": view.caret,
            "seed": settings.seed,
            "model": model,
            "long": view.excerpt_of,
            "revision": loaded.info.revision if loaded is not None else self._values.get("revision"),
            "decoding": settings.decoding.spelled,
            "reading": astuple(settings.reading),
        }

    def _session(self) -> Session:
        here = Session(self._tree, self._moves, **self._state(), beside=self._play.table.beside)  # type: ignore[arg-type]
        aside = self._play.table.aside
        return here if aside is None else replace(here, tree=aside.tree, caret=aside.caret, long=aside.long)

    def _store_long(self) -> None:
        self._long = self._play.table.long
        if self._journal is not None and self._claim is not None:
            if self._long is not None:
                self._journal.store(self._claim.long_path, self._long)
            else:
                self._journal.discard(self._claim.long_path)

    def _knows(self, *nodes: Node) -> bool:
        """Whether the file has these nodes; else it is written anew, with all that is new."""
        known = self._numbers.issuperset(node.serial for node in nodes)
        if not known:
            self._rewrite()
        return known

    def _append(self, line: str) -> None:
        """What one event does is written at once: no half of it comes back."""
        if self._journal is not None:
            self._lines.append(line)
            self._soon.start(0)

    def _write(self) -> None:
        self._soon.stop()
        if self._journal is None or not self._lines:
            return
        lines = "\n".join(self._lines)
        self._lines = []
        self._journal.append(lines)
        self._appended += len(lines)
        if self._appended > max(LEAST, self._journal.whole):
            self._rewrite()

    def _rewrite(self, closed: bool = False) -> None:
        if self._journal is None:
            return
        session = self._session()
        snapshot = kept.snapshot(session)
        self._values = snapshot.values
        self._numbers = {snapshot.root.serial, *(plan.serial for plan in snapshot.plans)}
        self._at, self._undone, self._appended, self._lines = snapshot.node, self._moves.undone, 0, []
        self._journal.replace(snapshot.lines(closed))
        if snapshot.left_out and not self._left_out:
            cause = f"the history is longer than what is kept for the next start ({kept.MOST_NODES:,} states)"
            self.reported.emit(cause, "the oldest branches will not come back then; the text and the newest steps will")
        self._left_out = snapshot.left_out

    # ---- what becomes of it

    def _look(self) -> None:
        journal = self._journal
        self._looks += 1
        if journal is None:
            self._try_again()
        elif journal.behind() > SLOW:
            self._set_risk(
                (f"the disk of {journal.path.parent} does not answer: what you write may get lost", ELSEWHERE)
            )
        elif journal.behind() == 0 and journal.problem is not None:
            self._set_risk((f"what you write is not kept in {journal.path.parent} ({journal.problem})", ELSEWHERE))
            self._try_again()
        elif journal.behind() == 0:
            self._set_risk(None)

    def _try_again(self) -> None:
        if self._looks < LOOKS:
            return
        self._looks = 0
        if self._journal is not None:
            self._store_long()
            self._rewrite()
        elif self._sessions is not None:
            try:
                self._use(self._sessions.new())
            except Problem:
                return  # the risk that was told stands

    def _set_risk(self, risk: Said | None) -> None:
        former, self.risk = self.risk, risk
        if risk is not None and risk != former:
            self._looks = 0
            self.at_risk.emit(*risk)
        elif risk is None and former is not None:
            self.safe.emit()
