"""Models beside the window's own: each is loaded into a slot of its own, and reads what the window's has read.

The window's model comes first: a peer is asked for a text, or a place, once the window's own answer is there, and only
while somebody looks at the comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath

from PySide6.QtCore import QObject

from arplay.core.chain import Ledger
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, Place
from arplay.core.position import Answer
from arplay.engine.explore import Explore, Explored
from arplay.engine.load import Load, Loaded, Unload
from arplay.engine.matching import Matched, MatchTokens
from arplay.engine.messages import Cancelled, Failed, Progress, Request, Result
from arplay.engine.parting import Part, Parted
from arplay.engine.runs import OpenedRun, OpenRun, in_place_of_model
from arplay.engine.scoring import Score, Scored
from arplay.gui.bridge import Bridge
from arplay.gui.intents import AddPeer
from arplay.gui.peers import MOST, Peer
from arplay.gui.playground.state import State
from arplay.gui.view import View
from arplay.models.base import Info
from arplay.models.scored_run import SavedRun

STOPPED = ("it was cancelled", "change the text to have it scored again")


class Peers(QObject):
    """Keeps ``peers`` and ``parted`` of the playground's view."""

    def __init__(self, play: State, bridge: Bridge) -> None:
        super().__init__(play)
        self._play, self._bridge = play, bridge
        self._numbers: dict[tuple[int, type[Request]], int] = {}
        """What is asked now, by slot and kind; slot 0 is for what is asked of none."""
        self._watched = self._looked = self._going = False
        self._info: Info | None = None
        play.changed.connect(self._on_view)

    # ---- what the user does

    def watch(self, watched: bool) -> None:
        """Whether the panel is in sight."""
        self._watched = watched
        self._turn()

    def look(self, looked: bool) -> None:
        """Whether the heatmap shows a difference."""
        self._looked = looked
        self._turn()

    def _turn(self) -> None:
        if self._watched or self._looked:
            self._go_on()
        else:
            self._forget(Score)
            self._forget(Explore)

    def add_run(self, path: Path) -> None:
        """Its scores are what they are: it is compared where they are of the text in the window."""
        slot = self._free(path.name)
        if slot is not None:
            self._ask(slot, OpenRun, partial(OpenRun, path=path))

    def _free(self, title: str) -> int | None:
        """A slot for something new, which stands there from now on; None where all are taken, which is told."""
        play = self._play
        taken = {peer.slot for peer in play.view.peers}
        free = [slot for slot in range(1, MOST + 1) if slot not in taken]
        if not free:
            play.refused.emit(f"{MOST + 1} models are compared at most: remove one first")
            return None
        play.show(peers=(*play.view.peers, Peer(free[0], title, doing="loading")))
        return free[0]

    def add(self, intent: AddPeer) -> None:
        path = PurePath(intent.spec)
        slot = self._free(path.name if path.is_absolute() else intent.spec)
        if slot is None:
            return
        asked = partial(Load, spec=intent.spec, device=intent.device, dtype=intent.dtype, slot=slot)
        self._ask(slot, Load, asked)

    def remove(self, slot: int) -> None:
        """Its memory is given back, also that of one that is still being loaded."""
        for kind in (Load, OpenRun, Score, Explore, MatchTokens):
            self._drop(slot, kind)
        self._drop(0, Part)
        self._bridge.ask(partial(Unload, slot=slot), lambda _: None)
        rest = tuple(peer for peer in self._play.view.peers if peer.slot != slot)
        self._play.show(peers=rest, parted=None)

    def stop(self) -> None:
        """The window closes: nothing more is told."""
        self._watched = False
        for slot, kind in list(self._numbers):
            self._drop(slot, kind)

    # ---- what is asked, in this order

    def _on_view(self, view: View) -> None:
        if not self._going:  # what is shown here is a View as well
            self._going = True
            try:
                if view.info is not self._info:
                    self._info = view.info
                    self._play.show(parted=None)  # the first of those scores were by another model
                self._go_on()
            finally:
                self._going = False

    def _go_on(self) -> None:
        """Ask for what is not known yet of what the window shows."""
        play, ledger = self._play, self._play.ledger
        if not (self._watched or self._looked) or not play.view.peers:
            return
        if play.view.stale:
            self._forget(Explore)
        if ledger is None or not ledger.complete:
            self._forget(Score)  # the window's own model is to have the time
            return
        with play.at_once():
            for peer in play.view.peers:
                if peer.run is not None:
                    self._set_beside(peer, ledger)
                elif peer.loaded is not None and peer.beside is not ledger and (peer.slot, Score) not in self._numbers:
                    self._change(peer.slot, doing="scoring", share=0.0, problem=None)
                    score = partial(Score, document=play.scored_document, reading=play.view.settings.reading)
                    self._ask(peer.slot, Score, partial(score, slot=peer.slot))
            self._part()
            self._match()
            self._explore()

    def _set_beside(self, peer: Peer, ledger: Ledger) -> None:
        """A saved run is of one text only."""
        if peer.run is None or peer.beside is ledger:
            return
        own = peer.run.ledger
        same = own.encoded.is_of(self._play.scored_document)
        problem = None if same else ("it is of another text", "open the text that it was made of")
        self._change(peer.slot, ledger=own if same else None, beside=ledger, problem=problem)

    def _part(self) -> None:
        view, ledger = self._play.view, self._play.ledger
        others = [peer.ledger for peer in view.peers if peer.ledger is not None and peer.beside is ledger]
        ready = all(peer.loaded is None or peer.beside is ledger for peer in view.peers)
        if ledger is None or not others or not ready:
            return
        every = (ledger, *others)
        known = view.parted is not None and _same(view.parted.ledgers, every)
        if not known and (0, Part) not in self._numbers:
            self._ask(0, Part, partial(Part, ledgers=every))

    def _match(self) -> None:
        loaded = self._play.view.loaded
        for peer in self._play.view.peers:
            if loaded is None or peer.loaded is None or (peer.slot, MatchTokens) in self._numbers:
                continue
            one, other = loaded.vocabulary, peer.loaded.vocabulary
            if peer.match is None or (peer.match.names, len(peer.match.other)) != ((one.name, other.name), len(one)):
                asked = partial(MatchTokens, one=one, other=other, slot=peer.slot)
                self._ask(peer.slot, MatchTokens, asked)

    def _explore(self) -> None:
        play, view = self._play, self._play.view
        answer = view.answer
        if view.stale or answer is None or answer.distribution is None:
            return
        document = play.scored_document if play.looking else play.document
        for peer in view.peers:
            if peer.loaded is None or peer.answered is answer or (peer.slot, Explore) in self._numbers:
                continue
            inside = answer.prefix.actual is not None and answer.prefix.index < len(answer.encoded)
            unit = answer.encoded.span(answer.prefix.index)[0] if inside else view.caret
            alike = view.loaded is not None and peer.loaded.vocabulary.name == view.loaded.vocabulary.name
            place: Place = document.at(unit, answer.prefix.index if alike and inside else None)
            if peer.run is not None:
                self._change(peer.slot, answer=_kept(peer.run, document, place), answered=answer)
                continue
            asked = partial(Explore, document=document, place=place, reading=view.settings.reading)
            on_result = partial(self._on_explored, peer.slot, answer)
            self._numbers[peer.slot, Explore] = self._bridge.ask(partial(asked, slot=peer.slot), on_result)

    # ---- what is answered

    def _on_result(self, slot: int, kind: type[Request], result: Result) -> None:
        if result.is_last:
            self._numbers.pop((slot, kind), None)
        beside = self._play.ledger if kind is Score else None
        with self._play.at_once():
            match result:
                case Progress(what=what, fraction=fraction):
                    self._change(slot, doing=what, share=fraction)
                case OpenedRun(run=run):
                    loaded = in_place_of_model(result.number, run)
                    self._change(slot, loaded=loaded, run=run, doing="", share=None)
                case Loaded():
                    self._change(slot, loaded=result, doing="", share=None)
                case Scored(ledger=ledger) if result.is_last:
                    self._change(slot, ledger=ledger, beside=beside, doing="", share=None)
                case Scored(ledger=ledger):
                    self._change(slot, share=ledger.done / max(1, ledger.expected))
                case Matched(match=match):
                    self._change(slot, match=match)
                case Parted():
                    self._play.show(parted=result)
                case Failed(cause=cause, remedy=remedy) if slot == 0:
                    self._play.reported.emit(cause, remedy)
                case Failed(cause=cause, remedy=remedy):
                    self._change(slot, problem=(cause, remedy), ledger=None, beside=beside, doing="", share=None)
                case Cancelled() if slot and kind in (Load, OpenRun):
                    self.remove(slot)
                case Cancelled() if slot:
                    self._change(slot, problem=STOPPED, ledger=None, beside=beside, doing="", share=None)
        self._go_on()

    def _on_explored(self, slot: int, of: object, result: Result) -> None:
        if result.is_last:
            self._numbers.pop((slot, Explore), None)
            answer = result.answer if isinstance(result, Explored) else None
            self._change(slot, answer=answer, answered=of)
            self._go_on()

    # ----

    def _change(self, slot: int, **fields: object) -> None:
        peers = self._play.view.peers
        changed = tuple(replace(peer, **fields) if peer.slot == slot else peer for peer in peers)  # type: ignore[arg-type]
        self._play.show(peers=changed)

    def _ask(self, slot: int, kind: type[Request], make: Callable[..., Request]) -> None:
        self._numbers[slot, kind] = self._bridge.ask(make, partial(self._on_result, slot, kind))

    def _drop(self, slot: int, kind: type[Request]) -> None:
        number = self._numbers.pop((slot, kind), None)
        if number is not None:
            self._bridge.forget(number)

    def _forget(self, kind: type[Request]) -> None:
        """What is asked of this kind is not wanted now: it is asked again where it is."""
        for slot, asked in list(self._numbers):
            if asked is kind:
                self._drop(slot, kind)
                if kind is Score:
                    self._change(slot, doing="", share=None)


def _kept(run: SavedRun, document: Document, place: Place) -> Answer | None:
    """What a saved run tells of a place; None where none of its tokens begins there."""
    try:
        return run.answer(document, place)
    except Problem:
        return None


def _same(some: tuple[object, ...], others: tuple[object, ...]) -> bool:
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))
