"""What the window does, without a widget: intents change the document or the settings, results make a new View."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath

from PySide6.QtCore import QObject, Signal

from arplay.core.decoding.pipeline import Decoded, decode
from arplay.core.errors import Problem
from arplay.core.kept import Session
from arplay.core.modalities.base import Document, Edit
from arplay.core.modalities.text import Text, text_of
from arplay.core.position import Answer
from arplay.core.stepping import context_at
from arplay.core.tree import Kind, Node, Step, Tree
from arplay.engine.explore import Explore, Explored
from arplay.engine.load import Device, Dtype, Load, Loaded
from arplay.engine.messages import Cancelled, Failed, Progress, Result
from arplay.engine.reconcile import Reconcile, Reconciled
from arplay.engine.scoring import Score, Scored
from arplay.engine.write import Written
from arplay.gui import contract, kinds
from arplay.gui.bridge import Bridge
from arplay.gui.contract import Do, Intent, Settings, Take, View
from arplay.gui.playground.asking import Asking
from arplay.gui.playground.comparing import Comparing
from arplay.gui.playground.fetching import Fetching
from arplay.gui.playground.finding import Finding
from arplay.gui.playground.table import Table
from arplay.gui.playground.undo import Move, new_stack
from arplay.gui.playground.writing import Writing
from arplay.gui.training.snapshot_jobs import SnapshotJobs

EXCERPT_BYTES = 20_000
OLD_SCORES = "Nothing is chosen: these scores are of the text before the last change"
NO_SCORES = "Nothing is chosen: the text is not scored yet"


@dataclass(frozen=True)
class LongText:
    """A text too long to edit: the heatmap shows it whole, the editor its beginning."""

    name: str
    document: Text


class Playground(QObject):
    """The state of one window. Every change ends in ``changed`` with a whole View."""

    changed = Signal(object)
    progress = Signal(object)
    told = Signal(str, str)
    refused = Signal(str)
    """Why what was just asked for does not happen, in a sentence."""
    model_loaded = Signal(object)
    context_full = Signal(str, str)
    began = Signal(object)
    """There is another tree, with these Moves behind it."""
    grown = Signal(object)
    """A Node is new in it."""
    merged = Signal(object, int)
    """An Edit became part of its current node, with the caret after it."""
    moved = Signal(object, object, object)
    """From one Node to another, as something that can be undone, in these words."""

    def __init__(self, bridge: Bridge, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.bridge = bridge
        self.tree = Tree(Text())
        self.undo_stack = new_stack()
        self.long: LongText | None = None
        self.looking = False  # at a place of the long text instead of the editor's
        self.replaying = False  # the undo stack is filled with what was done in an earlier session
        self._held, self._dirty = 0, False
        self.view = View(settings=settings, tree=self.tree, node=self.tree.node)
        self.asking, self.writing, self.comparing = Asking(self), Writing(self), Comparing(self)
        self.finding, self.table = Finding(self), Table(self)
        self.fetching, self.snapshot_jobs = Fetching(bridge, self), SnapshotJobs(bridge, self)
        bridge.result.connect(self._on_result)

    # ---- what the user does

    def handle(self, intent: Intent) -> None:
        """Carry out one intent of a panel or a menu."""
        with self._at_once():
            self._handle(intent)

    def _handle(self, intent: Intent) -> None:
        match intent:
            case contract.Typed(start, end, data, caret):
                self._edit(start, end, data, caret)
            case contract.Painted(cells, level):
                self.table.paint(cells, level)
            case contract.CaretMoved(caret):
                self.move_caret(caret)
            case Take():
                self.writing.when_fresh(intent)
            case contract.Select(index):
                self.select(index)
            case contract.Change(settings):
                self._change(settings)
            case contract.Find(text, case):
                self.finding.find(text, case)
            case contract.Seek("found", step):
                self.finding.step(step)
            case contract.Seek(_, step):
                self.finding.surprise(step)
            case contract.Goto(node):
                self.writing.stop()
                self.move(self.tree.node, node, "going to another branch")
            case contract.AnalyseText(data, name):
                self.analyse(data, name)
            case contract.Tell(cause, remedy):
                self.told.emit(cause, remedy)
            case Do(what):
                self._do(what)

    def clear(self) -> None:
        """An empty document of the same kind."""
        if self.table.has_text:
            self.open_text(b"")
        elif self.view.loaded is not None:
            tokens = self.view.loaded.vocabulary
            self.open_document(kinds.of_tokens(tokens).blank(tokens), None)

    def open_document(self, document: Document, name: str | None) -> None:
        """Another document of the same kind in place of the former one, which undo and the history bring back."""
        with self._at_once():
            self._forget()
            self.record(self.document.become(document), "opened", 0, name=name)
            self.show(name=name)

    def open_text(self, data: bytes, name: str | None = None, at_end: bool = False) -> None:
        """A text in place of the former one, which undo and the history bring back, with its name.

        ``at_end``: it is there to be continued, so the caret goes to its end; else a text is read from its start.
        """
        caret = len(data) if at_end else 0
        if not self.table.has_text:
            self.refused.emit("A picture lies here: choose a model that reads texts first")
            return
        with self._at_once():
            if self.tree.count == 1 and not len(self.document):
                tree = Tree(Text.of(data))
                tree.root.name, tree.root.caret = name, caret
                self.restore(Session(tree, caret=caret, seed=self.view.settings.seed))
            else:
                self._forget()
                edit = text_of(self.document).replace(0, len(self.document), data)
                self.record(edit, "opened", caret, name=name)
            self.show(name=name)

    def restore(self, session: Session, long: bytes | None = None) -> None:
        """A document with its ids, history, undo, seed and caret; ``long`` is the text that it is the beginning of."""
        with self._at_once():
            self._forget()
            self.tree = session.tree
            self.replaying = True
            self.undo_stack.clear()
            for origin, target, words in session.moves.made:
                nodes = self.tree.nodes
                self.undo_stack.push(Move(self._goto, nodes[origin], nodes[target], words))
            self.undo_stack.setIndex(session.moves.index)
            self.replaying = False
            self.show(name=self.tree.node.opened_from, settings=replace(self.view.settings, seed=session.seed))
            if long is not None and session.long is not None and long.startswith(text_of(self.document).data):
                self.long = LongText(session.long, Text.of(long))
                self.show(excerpt_of=session.long)
            self._document_changed(session.caret)
            self.began.emit(session.moves)

    def analyse(self, data: bytes, name: str) -> None:
        """A text too long to edit, read-only in the heatmap; its beginning goes to the editor."""
        with self._at_once():
            self.open_text(data[:EXCERPT_BYTES].decode("utf-8", "ignore").encode(), name)
            self.long = LongText(name, Text.of(data))
            self.show(excerpt_of=name)
            self.finding.look_again()
            self.asking.score_soon()

    def _forget(self) -> None:
        """Nothing that was found out about the former text belongs to the next one."""
        self.writing.stop()
        self.long, self.looking = None, False
        self.show(excerpt_of=None, ledger=None, reconciled=None, step=None, step_decoded=None, departures=())

    def quieten(self) -> None:
        """The window closes: ask nothing more of the worker, and forget what could be undone."""
        self.writing.stop()
        self.asking.stop()
        self.comparing.stop()
        self.replaying = True
        self.undo_stack.clear()  # Python may collect the commands before the stack, which would delete them again

    def load_model(self, spec: str, device: Device = "auto", dtype: Dtype = "auto") -> None:
        self.writing.stop()
        folder = PurePath(spec)
        self.show(busy=f"Loading {folder.name if folder.is_absolute() else spec}", problem=None)
        self.bridge.ask(partial(Load, spec=spec, device=device, dtype=dtype))

    def close(self, timeout: float = 5.0) -> bool:
        """Stop everything and join the worker; False where its thread is stuck in an import."""
        self.quieten()
        return self.bridge.close(timeout)

    def busy_scoring(self) -> bool:
        return self.view.lacks_scores_of(self.scored_document)

    @property
    def document(self) -> Document:
        return self.tree.document

    @property
    def is_long(self) -> bool:
        """Whether the heatmap shows a text that is too long for the editor."""
        return self.long is not None

    @property
    def scored_document(self) -> Document:
        return self.long.document if self.long else self.tree.document

    # ---- editing

    def _edit(self, start: int, end: int, data: bytes, caret: int) -> None:
        self.writing.stop()
        self.show(step=None, step_decoded=None)
        self.record(text_of(self.document).replace(start, end, data), "typed", caret, pause=True)

    def move_caret(self, caret: int) -> None:
        if caret == self.view.caret and not self.looking:
            return
        self.writing.stop()
        self.looking = False
        self.show(caret=caret, stale=True, selected=None, step=None, step_decoded=None)
        self.asking.explore_soon()

    def select(self, index: int) -> None:
        """Caret to the start of a token of the text that the heatmap shows."""
        self.writing.stop()
        view = self.view
        ledger, answer = view.ledger, view.answer
        if view.scores_are_old:
            self.refused.emit(OLD_SCORES)
            return
        if ledger is not None:
            encoded = ledger.encoded
        elif answer is not None and not view.stale and self.long is None:
            encoded = answer.encoded
        else:
            self.refused.emit(NO_SCORES)
            return
        if not 0 <= index < len(encoded):
            self.refused.emit(f"There is no token {index + 1:,}: the text has {len(encoded):,}")
            return
        start, self.looking = encoded.span(index)[0], self.long is not None
        self.show(selected=index, stale=True, step=None, step_decoded=None)
        if not self.looking:
            self.show(caret=start)
        self.asking.explore_at(self.scored_document, self.scored_document.at(start, index))

    def _goto(self, node: Node) -> None:
        """Undo, redo and branches all come here; a node that was just recorded is already the current one."""
        if node is self.tree.node or self.replaying:
            return
        with self._at_once():
            caret = self.tree.caret_at(node)
            self.tree.goto(node)
            self.show(step=None, step_decoded=None, name=node.opened_from, departures=())
            self._document_changed(caret)

    def record(
        self,
        edit: Edit,
        kind: Kind,
        caret: int,
        step: Step | None = None,
        pause: bool = False,
        name: str | None = None,
    ) -> None:
        """The document after ``edit``, in the tree and on the undo stack. ``pause``: more may follow at once."""
        before, last = self.tree.node, self.tree.node.edit
        node = self.tree.record(edit, kind, caret, step)
        self.show(departures=edit.untouched(self.view.departures))
        self._document_changed(caret, pause)
        if node is not before:
            node.name = name
            self.grown.emit(node)
            self.move(before, node)
        elif node.edit is not last:
            self.merged.emit(edit, caret)

    def move(self, origin: Node, target: Node, words: str | None = None) -> None:
        """Go to another state of the tree, as something that can be undone."""
        self.moved.emit(origin, target, words)
        self.undo_stack.push(Move(self._goto, origin, target, words))
        self.show()

    def _document_changed(self, caret: int, pause: bool = False) -> None:
        if self.long is not None and text_of(self.document).data != self.long.document.data[: len(self.document)]:
            self.long = None  # the excerpt was edited: it is a text of its own now
            self.show(excerpt_of=None)
        self.looking = False
        loaded = self.view.loaded
        self.show(
            document=self.document,
            caret=self.table.reached(caret, loaded.vocabulary if loaded is not None else None),
            tree=self.tree,
            node=self.tree.node,
            stale=True,
            selected=None,
            reconciled=None,
        )
        self.finding.look_again()
        if pause:
            self.asking.explore_soon()
        elif not self.view.playing:
            self.asking.explore()
        if self.long is None:
            self.asking.score_soon()

    def _do(self, what: str) -> None:
        match what:
            case "step":
                self.writing.when_fresh(Do("step"))
            case "play":
                self.writing.start()
            case "pause":
                self.writing.stop()
            case "rewind":
                self.writing.rewind()
            case "reroll":
                self.writing.reroll()
            case "put_aside":
                if (node := self.tree.put_aside()) is not None:
                    self.move(self.tree.node, node, "bringing the text back")
                else:
                    self.refused.emit("No text was put aside here")
            case "retokenise":
                self.writing.stop()
                before = self.tree.node
                if self.table.has_text:
                    self.record(text_of(self.document).retokenise(), "retokenised", self.view.caret)
                if self.tree.node is before:
                    self.refused.emit("Nothing to re-tokenise: every token is the tokenizer's own")
            case "reconcile":
                if self.writing.has_model():
                    self.show(busy="Checking against an uncached pass")
                    asked = partial(Reconcile, document=self.scored_document, reading=self.view.settings.reading)
                    self.bridge.ask(asked)
            case "recompute":
                self.comparing.now()
            case "forget_timings":
                self.comparing.clear()

    # ---- settings, requests, results

    def _change(self, settings: Settings) -> None:
        former = self.view.settings
        self.show(settings=settings)
        if (settings.decoding, settings.seed) != (former.decoding, former.seed) and self.view.answer is not None:
            self.show(decoded=self._decoded(self.view.answer))
        if settings.reading != former.reading:
            self.show(stale=True, ledger=None, departures=(), reconciled=None)
            self.asking.explore()
            self.asking.score_soon()
        if settings != former:
            self.writing.anew()

    def _decoded(self, answer: Answer) -> Decoded | None:
        """Decoding is pure mathematics on the answer's raw distribution: no slider ever runs the model."""
        if answer.distribution is None or self.view.loaded is None:
            return None
        settings = self.view.settings
        try:
            context = context_at(answer, self.view.loaded.vocabulary, settings.seed)
            return decode(answer.distribution, settings.decoding, context)
        except Problem as problem:
            self.told.emit(problem.cause, problem.remedy)
            return None

    def _on_result(self, result: Result) -> None:
        with self._at_once():
            self.comparing.note(result)
            self._on_one(result)

    def _on_one(self, result: Result) -> None:
        if (loaded := self.view.loaded) is not None and (grown := loaded.grown(result)) is not loaded:
            self.show(loaded=grown)
        match result:
            case Progress():
                self.progress.emit(result)
            case Loaded():
                self._on_loaded(result)
            case Explored():
                self._on_explored(result)
            case Scored():
                self.show(ledger=result.ledger)
                if result.departures is not None and result.document == self.document:
                    self.show(departures=result.departures)
                if result.ledger.complete:
                    self.asking.score_ended()
                    self.progress.emit(None)
            case Written():
                self.writing.written(result)
            case Reconciled():
                self.progress.emit(None)
                self.show(reconciled=result, busy=None)
            case Cancelled():
                self.writing.cancelled(result.number)
                if result.asked is Score:
                    self.asking.score_ended()
                if result.asked is Explore:  # by the user: a newer question would have made this one stale
                    problem = ("the text was not read up to the caret: cancelled", "move the caret to ask again")
                    self.show(answer=None, decoded=None, stale=False, problem=problem)
                if result.asked in (Load, Reconcile):  # what is told as busy goes on where a question is replaced
                    self.show(busy=None)
                self.progress.emit(None)
            case Failed():
                self._on_failed(result)

    def _on_loaded(self, loaded: Loaded) -> None:
        self.progress.emit(None)
        former = self.view.loaded
        if former is not None and former.vocabulary.name != loaded.vocabulary.name:
            self.writing.forget_picks()
        self.table.lay(loaded.vocabulary)
        self.show(
            loaded=loaded,
            caret=self.table.reached(self.view.caret, loaded.vocabulary),
            answer=None,
            decoded=None,
            stale=True,
            ledger=None,
            departures=(),
            reconciled=None,
            step=None,
            step_decoded=None,
            busy=None,
            problem=None,
        )
        self.model_loaded.emit(loaded)
        self.asking.explore()
        self.asking.score()

    def answered(self, answer: Answer) -> None:
        """What comes next at the caret."""
        selected = self.view.selected
        if not self.looking:
            selected = answer.prefix.index if answer.prefix.actual is not None else None
        self.show(answer=answer, decoded=self._decoded(answer), stale=False, problem=None, selected=selected)

    def _on_explored(self, result: Explored) -> None:
        self.answered(result.answer)
        self.progress.emit(None)
        self.writing.go_on()

    def _on_failed(self, failed: Failed) -> None:
        self.writing.stop()
        if failed.asked is Score:
            self.asking.score_ended()
        self.progress.emit(None)
        self.show(problem=(failed.cause, failed.remedy), busy=None)
        if failed.asked is Explore:
            self.show(answer=None, decoded=None, stale=False)
        self.told.emit(failed.cause, failed.remedy)

    def show(self, **fields: object) -> None:
        """A new View with these fields."""
        self.view = replace(self.view, **fields)  # type: ignore[arg-type]
        self._dirty = True
        if not self._held:
            self._dirty = False
            self.changed.emit(self.view)

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """All that happens inside is shown together, as one View."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if self._dirty:
                self.show()
