"""What the window does, without a widget: intents change the document or the settings, results make a new View."""

from __future__ import annotations

from functools import partial
from pathlib import PurePath

from PySide6.QtCore import QObject, Signal

from arplay.core.errors import Problem
from arplay.core.kept import Session
from arplay.core.modalities.base import Document
from arplay.core.tree import Tree
from arplay.engine.explore import Explore, Explored
from arplay.engine.load import Device, Dtype, Load, Loaded, Unload
from arplay.engine.messages import Cancelled, Failed, Progress, Result
from arplay.engine.reconcile import Reconcile, Reconciled
from arplay.engine.runs import OpenedRun, in_place_of_model
from arplay.engine.scoring import NO_EFFORT, Score, Scored
from arplay.engine.write import Written
from arplay.gui import intents, kinds
from arplay.gui.bridge import Bridge
from arplay.gui.intents import Do, Intent, Take
from arplay.gui.playground.asking import Asking
from arplay.gui.playground.base import BaseText
from arplay.gui.playground.betting import Betting
from arplay.gui.playground.caret import Caret
from arplay.gui.playground.comparing import Comparing
from arplay.gui.playground.fetching import Fetching
from arplay.gui.playground.finding import Finding
from arplay.gui.playground.ghost import Ghost
from arplay.gui.playground.measuring import Measuring
from arplay.gui.playground.peers import Peers
from arplay.gui.playground.questions import Questions
from arplay.gui.playground.reaching import Reaching
from arplay.gui.playground.recording import Recording
from arplay.gui.playground.runs import Runs
from arplay.gui.playground.snapshot_jobs import SnapshotJobs
from arplay.gui.playground.state import State
from arplay.gui.playground.table import Table
from arplay.gui.playground.text_set import TextSet
from arplay.gui.playground.trying import Trying
from arplay.gui.playground.watching import Watching, candidates, tokenizers
from arplay.gui.playground.writing import Writing
from arplay.gui.settings import Settings
from arplay.models import documents
from arplay.models.scored_run import SavedRun


class Playground(State):
    """The state of one window, and its parts: each knows those before it and none behind."""

    progress = Signal(object)
    model_loaded = Signal(object)
    load_ended = Signal()
    """The model that was to be loaded is there, or it will not come."""

    def __init__(self, bridge: Bridge, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(settings, parent)
        self.bridge = bridge
        self._told: int | None = None
        """The request that told its progress last."""
        self.asking, self.comparing = Asking(self, bridge), Comparing(self, bridge)
        self.reaching = Reaching(self, bridge)
        self.recording = Recording(self, self.asking)
        self.writing = Writing(self, bridge, self.asking, self.recording)
        self.trying = Trying(self, bridge, self.recording, self.writing)
        self.measuring, self.questions = Measuring(self, bridge), Questions(self, bridge)
        self.rating = Watching(self, self.questions, candidates)
        self.tokenizing = Watching(self, self.questions, tokenizers)
        self.peers, self.base = Peers(self, bridge), BaseText(self, bridge, self.progress.emit)
        self.ghost = Ghost(self, bridge, self.recording, self.trying)
        self.caret = Caret(self, self.asking, self.writing)
        self.finding, self.table = Finding(self, self.caret), Table(self, self.recording, self.writing)
        self.betting = Betting(self, self.asking, self.recording, self.table)
        self.fetching, self.snapshot_jobs = Fetching(bridge, self), SnapshotJobs(bridge, self)
        self.runs = Runs(self, bridge, self.progress.emit)
        self.text_set = TextSet(self, bridge, self.progress.emit)
        self.runs.opened.connect(self._on_run)
        self.recording.changed.connect(self.finding.look_again)
        bridge.result.connect(self._on_result)

    # ---- what the user does

    def handle(self, intent: Intent) -> None:
        """Carry out one intent of a panel or a menu."""
        with self.at_once():
            self._handle(intent)

    def _handle(self, intent: Intent) -> None:
        if self.betting.refuses(intent):
            return
        match intent:
            case intents.Edited():
                self.table.edit(intent)
            case intents.CaretMoved(caret):
                self.caret.move(caret)
            case Take():
                self.writing.when_fresh(intent)
            case intents.HoldU(u):
                self.writing.stop()
                self.show(held=u)
            case intents.TakeRank(rank):
                self.writing.take_rank(rank)
            case intents.PeekRewind(on):
                self.show(peeking=on)
            case intents.Select(index, stop):
                self.caret.select(index, stop)
            case intents.Magnify(tokens):
                self.show(magnified=tokens)
            case intents.Change(settings):
                self._change(settings)
            case intents.Find(text, case):
                self.finding.find(text, case)
            case intents.Seek("found", step):
                self.finding.step(step)
            case intents.Seek(_, step):
                self.finding.surprise(step)
            case intents.Rollouts():
                self.trying.roll(intent)
            case intents.Beams():
                self.trying.search(intent)
            case intents.Maps():
                self.trying.map(intent)
            case intents.Measure():
                self.measuring.begin(intent)
            case intents.Ask():
                self.questions.ask(intent)
            case intents.StopAsking(kind):
                self.questions.stop(kind)
            case intents.AddPeer():
                self.peers.add(intent)
            case intents.AddRun(path):
                self.peers.add_run(path)
            case intents.LookAtPeers(on):
                self.peers.look(on)
            case intents.RemovePeer(slot):
                self.peers.remove(slot)
            case intents.Continue():
                self.trying.write(intent)
            case intents.Wager():
                self.betting.wager(intent)
            case intents.Goto(node):
                self.writing.stop()
                self.recording.move(self.tree.node, node, "going to another branch")
            case intents.SetBase(node):
                self.base.set_to(node)
            case intents.SetMark(nodes, mark):
                self.recording.mark(nodes, mark)
            case intents.Analyse(document, name):
                self.analyse(document, name)
            case intents.Report(cause, remedy):
                self.reported.emit(cause, remedy)
            case Do(what):
                self._do(what)

    def clear(self) -> None:
        """An empty document of the same kind."""
        self.open_document(self.document.emptied)

    def open_document(self, document: Document, name: str | None = None, at_end: bool = False) -> bool:
        """Another of the same kind in place of the former one, which undo and the history bring back, with its name.

        ``at_end``: it is there to be continued, so the caret goes to its end; else a document is read from its start.
        False: one of another kind lies here, which is told.
        """
        self.betting.leave()
        caret = len(document) if at_end else 0
        here, kind = kinds.of_document(self.document), kinds.of_document(document)
        if kind is not here:
            self.refused.emit(f"A {here.noun} lies here: choose a model that reads {kind.noun}s first")
            return False
        with self.at_once():
            if self.tree.count == 1 and not len(self.document):
                tree = Tree(document)
                tree.root.name, tree.root.caret = name, caret
                self.table.restore(Session(tree, caret=caret, seed=self.view.settings.seed))
            else:
                self.table.forget()
                self.recording.record(self.document.become(document), "opened", caret, name=name)
            self.show(name=name)
        return True

    def open_text(self, data: bytes, name: str) -> None:
        """A text in UTF-8, to edit or, where it is too long for that, read-only."""
        tokens = self.view.loaded.vocabulary if self.view.loaded is not None else None
        try:
            document = documents.reader_of(tokens).typed(data, tokens)
        except Problem as problem:
            self.reported.emit(problem.cause, problem.remedy)
            return
        if kinds.of_document(document).long(document):
            self.analyse(document, name)
        else:
            self.open_document(document, name)

    def analyse(self, document: Document, name: str) -> None:
        """One too long to edit, read-only in the heatmap; its beginning goes to the editor."""
        with self.at_once():
            if self.open_document(document.beginning, name):
                self.long = document
                self.show(excerpt_of=name)
                self.finding.look_again()
                self.asking.score_soon()

    def quieten(self) -> None:
        """The window closes: ask nothing more of the worker, and forget what could be undone."""
        self.writing.stop()
        self.asking.stop()
        self.comparing.stop()
        self.reaching.stop()
        self.trying.stop()
        self.measuring.stop()
        self.rating.stop()
        self.tokenizing.stop()
        self.questions.stop_all()
        self.peers.stop()
        self.base.stop()
        self.ghost.stop()
        self.runs.stop()
        self.text_set.pause()
        self.recording.stop()

    def load_model(self, spec: str, device: Device = "auto", dtype: Dtype = "auto") -> None:
        self.writing.stop()
        self.runs.stop()
        folder = PurePath(spec)
        self.show(busy=f"Loading {folder.name if folder.is_absolute() else spec}", problem=None)
        self.bridge.ask(partial(Load, spec=spec, device=device, dtype=dtype))

    @property
    def loads(self) -> bool:
        """Whether a model is on its way."""
        return self.bridge.waits_for(Load)

    def _load_ends(self) -> None:
        if not self.loads:
            self.load_ended.emit()

    def close(self, timeout: float = 5.0) -> bool:
        """Stop everything and join the worker; False where its thread is stuck in an import."""
        self.quieten()
        return self.bridge.close(timeout)

    def _do(self, what: str) -> None:
        match what:
            case "step" | "take" | "heal":
                self.writing.when_fresh(Do(what))
            case "word":
                self.writing.word()
            case "branch":
                self.writing.branch()
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
                    self.recording.move(self.tree.node, node, "bringing the text back")
                else:
                    self.refused.emit("No text was put aside here")
            case "retokenise":
                self.table.retokenise()
            case "reconcile":
                if self.has_model():
                    self.show(busy="Checking against an uncached pass")
                    asked = partial(Reconcile, document=self.scored_document, reading=self.view.settings.reading)
                    self.bridge.ask(asked)
            case "recompute":
                self.comparing.now()
            case "bet" | "bet_all" | "reveal" | "skip_bet" | "next_bet" | "leave_bets":
                self.betting.do(what)
            case "accept_ghost":
                self.ghost.accept()
            case "hide_ghost":
                self.ghost.hide()
            case "pause_scoring" | "cancel_scoring":
                self.asking.halt("paused" if what == "pause_scoring" else "cancelled")
                self.progress.emit(None)
            case "resume_scoring":
                self.asking.resume()
            case "cancel":
                self.bridge.cancel(self._told)
            case "stop_trying":
                self.trying.stop()
            case "stop_measuring":
                self.measuring.stop()
            case "set_base":
                self.base.set()
            case "forget_base":
                self.base.clear()
            case "forget_timings":
                self.comparing.clear()

    # ---- settings, requests, results

    def _change(self, settings: Settings) -> None:
        former = self.view.settings
        self.show(settings=settings)
        if (settings.decoding, settings.seed) != (former.decoding, former.seed):
            self.asking.decode_anew()
        if settings.reading != former.reading:
            self.betting.leave()  # its tokens may be others
            self.show(stale=True, ledger=None, departures=(), reconciled=None)
            self.asking.explore()
            self.asking.score_soon()
        if settings != former:
            self.writing.anew()

    def _on_result(self, result: Result) -> None:
        with self.at_once():
            self.comparing.note(result)
            self._on_one(result)

    def _on_one(self, result: Result) -> None:
        if (loaded := self.view.loaded) is not None and (grown := loaded.grown(result)) is not loaded:
            self.show(loaded=grown)
        match result:
            case Progress():
                self._told = result.number
                self.progress.emit(result)
            case Loaded():
                self._on_loaded(result)
            case Explored() | Scored() | Written() | Reconciled() if self.view.run is not None:
                pass  # of the model that was there before the run
            case Explored():
                self._on_explored(result)
            case Scored():
                self.asking.scored(result)
                if result.ledger.complete:
                    self.progress.emit(None)
            case Written():
                self.writing.written(result)
            case Reconciled():
                self.progress.emit(None)
                self.show(reconciled=result, busy=None)
            case Cancelled():
                self.writing.cancelled(result.number)
                if result.asked is Score:
                    self.asking.score_cancelled()
                if result.asked is Explore:  # by the user: a newer question would have made this one stale
                    problem = ("the text was not read up to the caret: cancelled", "move the caret to ask again")
                    self.show(answer=None, decoded=None, undecoded=None, stale=False, problem=problem)
                if result.asked is Load:
                    self._load_ends()
                if result.asked in (Load, Reconcile):  # what is told as busy goes on where a question is replaced
                    self.show(busy=None)
                self.progress.emit(None)
            case Failed():
                self._on_failed(result)

    def _on_loaded(self, loaded: Loaded) -> None:
        self.progress.emit(None)
        self._show_loaded(loaded, None)
        self.model_loaded.emit(loaded)
        self._load_ends()
        self.asking.explore()
        self.asking.score()

    def _on_run(self, opened: OpenedRun) -> None:
        """The run stands where a model stood, whose memory is given back: it can tell nothing but its own text."""
        run = opened.run
        with self.at_once():
            self.writing.stop()
            if self.loads or (self.view.loaded is not None and self.view.run is None):
                self.bridge.ask(Unload)
            self._show_loaded(in_place_of_model(opened.number, run), run)
            self.comparing.clear()
            if kinds.of_document(run.document).long(run.document):
                self.analyse(run.document, run.name)
            else:
                self.open_document(run.document, run.name)
            self.asking.score()
            self.asking.explore()

    def _show_loaded(self, loaded: Loaded, run: SavedRun | None) -> None:
        """A model, or a run in the place of one; what was found out by the former one is gone."""
        self.trying.stop()
        self.measuring.leave()
        self.questions.stop_all()
        self.text_set.pause()
        self.betting.leave()
        former = self.view.loaded
        if former is not None and former.vocabulary.name != loaded.vocabulary.name:
            self.writing.forget_picks()
        self.table.lay(loaded.vocabulary)
        self.show(
            loaded=loaded,
            run=run,
            caret=self.document.reached(self.view.caret, loaded.vocabulary),
            answer=None,
            decoded=None,
            undecoded=None,
            stale=True,
            ledger=None,
            effort=NO_EFFORT,
            speed=None,
            halted="",
            departures=(),
            reconciled=None,
            step=None,
            step_decoded=None,
            busy=None,
            problem=None,
        )

    def _on_explored(self, result: Explored) -> None:
        if not self.betting.holds(result.answer):
            self.asking.answered(result.answer)
        self.progress.emit(None)
        self.writing.go_on()

    def _on_failed(self, failed: Failed) -> None:
        self.writing.stop()
        if failed.asked is Score:
            self.asking.score_ended()
            if self.view.scores_are_old:
                self.show(ledger=None)  # nothing comes in their place
        if failed.asked is Load:
            self._load_ends()
        self.progress.emit(None)
        self.show(problem=(failed.cause, failed.remedy), busy=None)
        if failed.asked is Explore:
            self.show(answer=None, decoded=None, undecoded=None, stale=False)
        self.reported.emit(failed.cause, failed.remedy)
