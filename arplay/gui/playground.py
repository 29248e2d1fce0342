"""What the window does, without a widget: intents change the document or the settings, results make a new View."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from PySide6.QtCore import QObject, QTimer, Signal

from arplay.core.decoding import Decoded, decode
from arplay.core.distribution import Distribution
from arplay.core.document import Document
from arplay.core.picking import MAX_SEED, uniform
from arplay.core.position import Answer
from arplay.core.stepping import picked, sampled
from arplay.core.tree import Node, Step, Tree
from arplay.engine.messages import (
    Cancelled,
    Device,
    Dtype,
    Explore,
    Explored,
    Failed,
    Fetched,
    Loaded,
    Progress,
    Reconciled,
    Result,
    Scored,
)
from arplay.gui import contract
from arplay.gui.bridge import Bridge
from arplay.gui.contract import Do, Intent, Settings, Take, View
from arplay.gui.player import Player
from arplay.gui.undo import Move, new_stack

TYPING_PAUSE_MS = 60
SCORE_PAUSE_MS = 150
EXCERPT_BYTES = 20_000


@dataclass(frozen=True)
class LongText:
    """A text too long to edit: the heatmap shows it whole, the editor its beginning."""

    name: str
    document: Document


class Playground(QObject):
    """The state of one window. Every change ends in ``changed`` with a whole View."""

    changed = Signal(object)
    progress = Signal(object)
    told = Signal(str, str)
    model_loaded = Signal(object)
    model_fetched = Signal(str)
    load_ended = Signal()

    def __init__(self, bridge: Bridge, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.bridge = bridge
        self.tree = Tree()
        self.undo_stack = new_stack()
        self._long: LongText | None = None
        self._looking = False  # at a place of the long text instead of the editor's
        self._waiting: deque[Intent] = deque()
        self._scoring = False
        self._held, self._dirty = 0, False
        self.view = View(settings=settings, tree=self.tree, node=self.tree.node)
        self._explore_timer = self._timer(TYPING_PAUSE_MS, self._explore)
        self._score_timer = self._timer(SCORE_PAUSE_MS, self._score)
        self._player = Player(self._play_one, self._stop, self)
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
            case contract.CaretMoved(caret):
                self._move_caret(caret)
            case Take():
                self._when_fresh(intent)
            case contract.Select(index):
                self._select(index)
            case contract.Change(settings):
                self._change(settings)
            case contract.Goto(node):
                self._stop()
                self._push(Move(self._goto, self.tree.node, node, "going to another branch"))
            case contract.AnalyseText(data, name):
                self.analyse(data, name)
            case contract.Tell(cause, remedy):
                self.told.emit(cause, remedy)
            case Do(what):
                self._do(what)

    def open_text(self, data: bytes) -> None:
        """A text in place of the former one, which undo and the history bring back."""
        if self.tree.count == 1 and not len(self.document):
            self.restore(Document.of(data))
            return
        with self._at_once():
            self._forget()
            before = self.tree.node
            node = self.tree.record(self.document.replace(0, len(self.document), data), "opened", len(data))
            self._document_changed(len(data))
            if node is not before:
                self._push(Move(self._goto, before, node))

    def restore(self, document: Document) -> None:
        """A document with its ids, as the last session left it."""
        with self._at_once():
            self._forget()
            self.tree = Tree(document)
            self.undo_stack.clear()
            self._document_changed(len(document))

    def analyse(self, data: bytes, name: str) -> None:
        """A text too long to edit, read-only in the heatmap; its beginning goes to the editor."""
        with self._at_once():
            self.open_text(data[:EXCERPT_BYTES].decode("utf-8", "ignore").encode())
            self._long = LongText(name, Document.of(data))
            self._show(excerpt_of=name)
            self._score_soon()

    def _forget(self) -> None:
        """Nothing that was found out about the former text belongs to the next one."""
        self._stop()
        self._long, self._looking = None, False
        self._show(excerpt_of=None, ledger=None, reconciled=None, step=None, step_decoded=None)

    def quieten(self) -> None:
        """The window closes: ask nothing more of the worker, and forget what could be undone."""
        self._stop()
        self._explore_timer.stop()
        self._score_timer.stop()
        self.undo_stack.clear()  # Python may collect the commands before the stack, which would delete them again

    def load_model(self, spec: str, device: Device = "auto", dtype: Dtype = "auto") -> None:
        self._stop()
        self._show(busy=f"Loading {spec}", problem=None)
        self.bridge.load(spec, device, dtype)

    def close(self, timeout: float = 5.0) -> bool:
        """Stop everything and join the worker; False where its thread is stuck in an import."""
        self.quieten()
        return self.bridge.close(timeout)

    def busy_scoring(self) -> bool:
        ledger = self.view.ledger
        return ledger is None or not ledger.complete or ledger.data != self.scored_document.data

    @property
    def document(self) -> Document:
        return self.tree.document

    @property
    def scored_document(self) -> Document:
        return self._long.document if self._long else self.tree.document

    # ---- editing

    def _edit(self, start: int, end: int, data: bytes, caret: int) -> None:
        self._stop()
        edit = self.document.replace(start, end, data)
        before = self.tree.node
        node = self.tree.record(edit, "typed", caret)
        self._show(step=None, step_decoded=None)
        self._document_changed(caret, pause=TYPING_PAUSE_MS)
        if node is not before:
            self._push(Move(self._goto, before, node))

    def _move_caret(self, caret: int) -> None:
        if caret == self.view.caret and not self._looking:
            return
        self._stop()
        self._looking = False
        self._show(caret=caret, stale=True, selected=None, step=None, step_decoded=None)
        self._explore_timer.start(TYPING_PAUSE_MS)

    def _select(self, index: int) -> None:
        """Caret to the start of a piece of the text that the heatmap shows."""
        self._stop()
        ledger, answer = self.view.ledger, self.view.answer
        if ledger is not None and ledger.data == self.scored_document.data:
            starts = ledger.starts
        elif answer is not None and self._long is None:
            starts = answer.encoded.starts
        else:
            return
        if not 0 <= index < len(starts):
            return
        self._looking = self._long is not None
        self._explore_timer.stop()
        self._show(selected=index, stale=True, step=None, step_decoded=None)
        if not self._looking:
            self._show(caret=int(starts[index]))
        self._ask(self.scored_document, int(starts[index]))

    def _goto(self, node: Node) -> None:
        """Undo, redo and branches all come here; a node that was just recorded is already the current one."""
        if node is self.tree.node:
            return
        with self._at_once():
            self.tree.goto(node)
            self._show(step=None, step_decoded=None)
            self._document_changed(node.caret)

    def _push(self, move: Move) -> None:
        self.undo_stack.push(move)
        self._show()

    def _document_changed(self, caret: int, pause: int = 0) -> None:
        if self._long is not None and self.document.data != self._long.document.data[: len(self.document)]:
            self._long = None  # the excerpt was edited: it is a text of its own now
            self._show(excerpt_of=None)
        self._looking = False
        self._show(
            document=self.document,
            caret=caret,
            tree=self.tree,
            node=self.tree.node,
            stale=True,
            selected=None,
            reconciled=None,
        )
        if pause:
            self._explore_timer.start(pause)
        else:
            self._explore()
        if self._long is None:
            self._score_soon()

    # ---- choosing pieces

    def _do(self, what: str) -> None:
        match what:
            case "step":
                self._when_fresh(Do("step"))
            case "play":
                self._show(playing=True)
                self._player.start(self.view.settings.play_steps, self.view.settings.play_per_second)
            case "pause":
                self._stop()
            case "rewind":
                self._rewind()
            case "reroll":
                self._reroll()
            case "put_aside":
                if (node := self.tree.put_aside()) is not None:
                    self._push(Move(self._goto, self.tree.node, node, "bringing the text back"))
            case "retokenise":
                self._stop()
                before = self.tree.node
                node = self.tree.record(self.document.retokenise(), "retokenised", self.view.caret)
                self._document_changed(self.view.caret)
                self._push(Move(self._goto, before, node))
            case "reconcile":
                self._show(busy="Checking against an uncached pass")
                self.bridge.reconcile(self.scored_document, self.view.settings.reading)

    def _when_fresh(self, intent: Intent) -> None:
        """Picks and steps need the distribution of this very prefix; until it is there they wait in line."""
        if self.view.loaded is None:
            self.told.emit("no model is loaded yet", "wait for the model, or choose one")
        elif self.view.stale:
            self._waiting.append(intent)
        elif self._looking:
            self.told.emit("this place belongs to the long text in the heatmap", "put the caret into the editor first")
        else:
            self._choose(intent)

    def _choose(self, intent: Intent) -> None:
        answer, decoded = self.view.answer, self.view.decoded
        if answer is None or answer.distribution is None or decoded is None:
            self._stop()
            self.told.emit("there is no distribution to choose from", "type something, or choose BOS or EOS")
        elif isinstance(intent, Take):
            self._show(step=None, step_decoded=None)
            self._write(picked(answer.distribution, decoded, answer.prefix.index, intent.id), "picked")
        else:
            self._sample(answer, answer.distribution, decoded)

    def _sample(self, answer: Answer, distribution: Distribution, decoded: Decoded) -> None:
        if answer.position.start:
            self._stop()
            self.told.emit(f"the context is full at {answer.position.end:,} tokens", "rewind, or start a new text")
            return
        seed, index = self.view.settings.seed, answer.prefix.index
        step, choice = sampled(distribution, decoded, index, uniform(seed, index), seed)
        self._show(step=choice, step_decoded=decoded)
        self._write(step, "sampled")
        if (
            self.view.loaded
            and step.id == self.view.loaded.eos
            and self.view.settings.stop_at_eos
            and self.view.playing
        ):
            self._stop()

    def _write(self, step: Step, kind: Literal["sampled", "picked"]) -> None:
        """Put the chosen piece after the caret; a text that followed is kept by the tree."""
        assert self.view.loaded is not None
        vocabulary = self.view.loaded.vocabulary
        piece = vocabulary.piece(step.id)
        edit = self.document.take(self.view.caret, piece, vocabulary.name)
        caret = self.view.caret + len(piece.data)
        before = self.tree.node
        node = self.tree.record(edit, kind, caret, step)
        self._document_changed(caret)
        self._push(Move(self._goto, before, node))

    def _rewind(self) -> None:
        """Undo the step that led here; where there is none, go back by one piece and keep the text."""
        self._stop()
        node = self.tree.node
        if node.step is not None and node.parent is not None and self.view.caret == node.caret:
            self._push(Move(self._goto, node, node.parent, "rewinding"))
        elif self.view.answer is not None and not self.view.stale and self.view.caret > 0:
            starts = self.view.answer.encoded.starts
            before = starts[starts < self.view.caret]
            if len(before):
                self._show(caret=int(before[-1]), stale=True, selected=None, step=None, step_decoded=None)
                self._explore()

    def _reroll(self) -> None:
        """The next seed; if a sample led here it is taken back and drawn again."""
        self._stop()
        settings = self.view.settings
        self._show(settings=replace(settings, seed=(settings.seed + 1) % (MAX_SEED + 1)))
        node = self.tree.node
        if node.kind == "sampled" and node.parent is not None and self.view.caret == node.caret:
            self._push(Move(self._goto, node, node.parent, "re-rolling"))
            self._when_fresh(Do("step"))

    def _play_one(self) -> bool:
        """One step if the distribution is there."""
        if self.view.stale or self.view.loaded is None:
            return False
        with self._at_once():
            self._when_fresh(Do("step"))
        return True

    def _stop(self) -> None:
        """Play ends with anything the user does, and steps that still wait are forgotten."""
        self._waiting.clear()
        self._player.stop()
        if self.view.playing:
            self._show(playing=False)

    # ---- settings, requests, results

    def _change(self, settings: Settings) -> None:
        former = self.view.settings
        self._show(settings=settings)
        if settings.decoding != former.decoding and self.view.answer is not None:
            self._show(decoded=self._decoded(self.view.answer))
        if settings.play_per_second != former.play_per_second and self.view.playing:
            self._player.pace(settings.play_per_second)
        if settings.reading != former.reading:
            self._show(stale=True, ledger=None, reconciled=None)
            self._explore()
            self._score_soon()

    def _decoded(self, answer: Answer) -> Decoded | None:
        """Decoding is pure mathematics on the answer's raw distribution: no slider ever runs the model."""
        if answer.distribution is None or not answer.distribution.full:
            return None
        return decode(answer.distribution.logprobs, self.view.settings.decoding)

    def _explore(self) -> None:
        self._explore_timer.stop()
        self._ask(self.document, self.view.caret)

    def _ask(self, document: Document, caret: int) -> None:
        if self.view.loaded is not None:
            self.bridge.explore(document, caret, self.view.settings.reading)

    def _score_soon(self) -> None:
        if not (self.view.playing and self._score_timer.isActive()):
            self._score_timer.start(SCORE_PAUSE_MS)

    def _score(self) -> None:
        """While Play writes, a pass that runs is let to its end: replaced by each next one, none would ever end."""
        if self.view.playing and self._scoring:
            self._score_soon()
        elif self.view.loaded is not None:
            self._scoring = True
            self.bridge.score(self.scored_document, self.view.settings.reading)

    def _on_result(self, result: Result) -> None:
        with self._at_once():
            self._on_one(result)

    def _on_one(self, result: Result) -> None:
        match result:
            case Progress():
                self.progress.emit(result)
            case Loaded():
                self._on_loaded(result)
            case Explored():
                self._on_explored(result)
            case Scored():
                self._show(ledger=result.ledger)
                if result.ledger.complete:
                    self._scoring = False
                    self.progress.emit(None)
            case Reconciled():
                self.progress.emit(None)
                self._show(reconciled=result, busy=None)
            case Fetched(name=name):
                self.progress.emit(None)
                self.model_fetched.emit(name)
            case Cancelled():
                self._scoring = False
                self.progress.emit(None)
                self._show(busy=None)
            case Failed():
                self._on_failed(result)

    def _on_loaded(self, loaded: Loaded) -> None:
        self.progress.emit(None)
        self._show(
            loaded=loaded,
            answer=None,
            decoded=None,
            stale=True,
            ledger=None,
            reconciled=None,
            step=None,
            step_decoded=None,
            busy=None,
            problem=None,
        )
        self.model_loaded.emit(loaded)
        self._explore()
        self._score()

    def _on_explored(self, result: Explored) -> None:
        answer = result.answer
        selected = self.view.selected
        if not self._looking:
            selected = answer.prefix.index if answer.prefix.actual is not None else None
        self._show(
            answer=answer, decoded=self._decoded(answer), stale=False, problem=None, selected=selected, busy=None
        )
        if self._waiting:
            self._when_fresh(self._waiting.popleft())

    def _on_failed(self, failed: Failed) -> None:
        self._stop()
        self._scoring = False
        self.progress.emit(None)
        self._show(problem=(failed.cause, failed.remedy), busy=None)
        if failed.asked is Explore:
            self._show(answer=None, decoded=None, stale=False)
        self.told.emit(failed.cause, failed.remedy)

    def _show(self, **fields: object) -> None:
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
                self._show()

    def _timer(self, milliseconds: int, slot: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(slot)
        return timer
