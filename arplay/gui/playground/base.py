"""A text that is remembered, to be compared with what is made of it: both scored by the window's model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject

from arplay.core.tree import Node
from arplay.engine.editing import BaseScored, EditMatched, MatchEdit, ScoreBase
from arplay.engine.messages import Failed, Progress, Result
from arplay.gui.bridge import Bridge
from arplay.gui.peers import Base
from arplay.gui.playground.state import State
from arplay.gui.view import View


class BaseText(QObject):
    """Keeps ``base`` and ``edited`` of the view; asks only while somebody looks."""

    def __init__(self, play: State, bridge: Bridge, tell: Callable[[Progress | None], None]) -> None:
        super().__init__(play)
        self._play, self._bridge, self._tell = play, bridge, tell
        self._asked: int | None = None
        self._watched = False
        play.changed.connect(self._on_view)

    def watch(self, watched: bool) -> None:
        self._watched = watched
        self._on_view(self._play.view)

    def set(self) -> None:
        """Remember the text of now, with its scores."""
        play, ledger, info = self._play, self._play.ledger, self._play.view.info
        if ledger is None or not ledger.complete or info is None:
            play.refused.emit("The text is not scored yet: wait a moment")
            return
        play.show(base=Base(ledger, info), edited=None)

    def set_to(self, node: Node) -> None:
        """Remember the text of another state of the history, once the model has scored it as well."""
        play = self._play
        if not play.tree.holds(node):
            play.refused.emit("That state is of a text that was here before: choose one of this text")
        elif node is play.tree.node:
            self.set()
        elif play.has_model():
            self.stop()
            make = partial(ScoreBase, document=play.tree.at(node), reading=play.view.settings.reading)
            self._asked = self._bridge.ask(make, self._on_result)

    def clear(self) -> None:
        self.stop()
        self._play.show(base=None, edited=None)

    def stop(self) -> None:
        if self._asked is not None:
            self._bridge.forget(self._asked)
            self._asked = None
            self._tell(None)

    def _on_view(self, view: View) -> None:
        base, ledger = view.base, self._play.ledger
        if base is None:
            return
        if base.info is not view.info:
            self.clear()
            self._play.refused.emit("The base text was scored by the former model: set it again")
            return
        known = view.edited is not None and view.edited.ledgers == (base.ledger, ledger)
        if self._watched and not known and self._asked is None and ledger is not None and ledger.complete:
            self._asked = self._bridge.ask(partial(MatchEdit, base=base.ledger, now=ledger), self._on_result)

    def _on_result(self, result: Result) -> None:
        self._tell(result if isinstance(result, Progress) else None)
        if result.is_last:
            self._asked = None
        match result:
            case BaseScored(ledger=ledger, info=info):
                self._play.show(base=Base(ledger, info), edited=None)
            case EditMatched(edited=edited):
                self._play.show(edited=edited)
            case Failed(cause=cause, remedy=remedy):
                self._play.reported.emit(cause, remedy)
