"""Be the model: what follows lies aside while a person bets on each next token, and is there again at the end."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from arplay.core.betting import Bets, Game, Move, unigram_bits
from arplay.core.distribution import LN2
from arplay.core.modalities.base import Encoded, Prefix
from arplay.core.position import Answer
from arplay.core.stepping import picked
from arplay.core.tree import Step
from arplay.gui.intents import (
    Analyse,
    Beams,
    Continue,
    Do,
    Edited,
    Goto,
    Intent,
    Maps,
    Rollouts,
    SetMark,
    Take,
    TakeRank,
    Wager,
)
from arplay.gui.playground.asking import Asking
from arplay.gui.playground.recording import Recording
from arplay.gui.playground.state import State
from arplay.gui.playground.table import Table
from arplay.gui.playground.writing import ELSEWHERE

ASIDE = "What follows lies aside, with its history. Leaving the game, or its end, brings all of it back."
PLAYED = "You are the model: what follows is hidden, and nothing else is written. Leave the game first."
NOTHING_BEHIND = "Nothing stands behind the caret: put it before what you want to guess"
NOT_READ = "The model has not read the text yet: begin again in a moment"
_WRITES = (Analyse, Edited, Take, TakeRank, Rollouts, Beams, Maps, Continue, Goto, SetMark)
_DOES = frozenset(
    ("step", "rewind", "reroll", "take", "word", "branch", "heal", "play", "put_aside", "retokenise", "accept_ghost")
)


class Betting:
    """The game has a document of its own on the table, so that no view holds what is hidden."""

    def __init__(self, play: State, asking: Asking, recording: Recording, table: Table) -> None:
        self._play, self._asking, self._recording, self._table = play, asking, recording, table
        self._encoded: Encoded | None = None
        """The tokens of the whole."""
        self._end = 0
        """The caret behind all that was revealed."""
        self._answer: Answer | None = None
        """What the model says there; no View has it while one bets."""
        self._skips = False

    def refuses(self, intent: Intent) -> bool:
        """Whether a game goes on that this would disturb, which is told."""
        if self._table.aside is None:
            return False
        refused = isinstance(intent, _WRITES) or (isinstance(intent, Do) and intent.what in _DOES)
        if refused:
            self._play.refused.emit(PLAYED)
            self._play.show()  # a canvas that ran ahead shows the document again
        return refused

    def do(self, what: str) -> None:
        match what:
            case "bet" | "bet_all":
                self._begin(at_start=what == "bet_all")
            case "reveal" | "skip_bet":
                self._reveal(skips=what == "skip_bet")
            case "next_bet":
                self._go_on()
            case "leave_bets":
                self.leave()

    def _begin(self, at_start: bool) -> None:
        play, view = self._play, self._play.view
        self.leave()
        if not play.has_model() or view.loaded is None:
            return
        if play.looking:
            play.reported.emit(*ELSEWHERE)
            return
        if view.answer is None or view.stale:
            play.refused.emit(NOT_READ)
            return
        encoded, tokens = view.answer.encoded, view.loaded.vocabulary
        start = 0 if at_start else int(np.searchsorted(encoded.starts, view.caret))
        if start >= len(encoded):
            play.refused.emit(NOTHING_BEHIND)
            return
        self._encoded, self._answer, self._end = encoded, None, encoded.span(start)[0]
        self._table.put_aside(view.document.first(encoded, start, tokens), self._end)
        play.show(game_of=view.loaded)
        play.refused.emit(ASIDE)
        size, hidden = len(tokens), len(encoded) - start
        self._cover(Game(size, start, hidden, Bets(size), first_token=view.answer.first_token))

    def wager(self, intent: Wager) -> None:
        game = self._play.view.game
        if game is not None and not game.over and not game.revealed:
            self._play.show(game=replace(game, bets=game.bets.put(intent.id, intent.chips)))

    def holds(self, answer: Answer) -> bool:
        """Whether it is what the model says of the token that is bet on, which nobody may see yet."""
        play, game = self._play, self._play.view.game
        if self._table.aside is None or game is None:
            return False
        if answer.prefix.actual is not None or answer.prefix.index != game.start + len(game.moves):
            return False
        self._answer = answer
        if play.view.caret == self._end and play.view.selected is None:
            play.show(answer=None, decoded=None, undecoded=None, stale=False, problem=None)
        if game.asked:
            self._reveal(self._skips)
        return True

    def _reveal(self, skips: bool) -> None:
        play, game, loaded = self._play, self._play.view.game, self._play.view.loaded
        if self._encoded is None or game is None or loaded is None or game.over or game.revealed:
            return
        answer = self._answer
        if answer is None and play.view.problem is None:
            self._skips = skips
            play.show(game=replace(game, asked=True))
            return
        index = game.start + len(game.moves)
        id, own = int(self._encoded.ids[index]), None if answer is None else answer.distribution
        logprob = None if own is None else own.logprob(id)
        move = Move(
            index,
            id,
            game.bets.placed,
            None if skips else game.bets.bits(id),
            None if logprob is None or math.isnan(logprob) else -logprob / LN2 + 0.0,
            unigram_bits(self._encoded.ids[:index], id, game.size),
            None if own is None else own.rank(id),
        )
        step, before = Step(id, index, math.nan, math.nan, 0.0, 0), self._end
        if answer is not None:
            self._asking.answered(replace(answer, prefix=Prefix(answer.prefix.ids, id)))
            if own is not None and play.view.decoded is not None:
                step = picked(own, play.view.decoded, index, id)
        self._answer = None
        self._end = self._recording.write((step,), "picked", loaded.vocabulary, before)
        play.undo_stack.clear()  # what was revealed stays so
        play.show(game=replace(game, moves=(*game.moves, move), bets=Bets(game.size), revealed=True, asked=False))
        play.show(caret=before, selected=index, stale=False)

    def _go_on(self) -> None:
        """To the next token, or to the end of the game behind the last one."""
        game = self._play.view.game
        if game is None or game.over or not game.revealed:
            return
        if game.done:
            self.leave()
        else:
            self._cover(replace(game, revealed=False))

    def _cover(self, game: Game) -> None:
        """Nothing that the model says of the next token is in sight."""
        play = self._play
        play.show(
            game=game,
            caret=self._end,
            answer=None,
            decoded=None,
            undecoded=None,
            selected=None,
            step=None,
            step_decoded=None,
            stale=self._answer is None,
        )
        if self._answer is None:
            self._asking.explore()

    def leave(self) -> None:
        """What lay aside is there again, as it was; what came of the game stays in sight."""
        game = self._play.view.game
        if self._table.aside is None or game is None:
            return
        self._table.bring_back()
        self._encoded = self._answer = None
        self._play.show(game=replace(game, over=True, revealed=False, asked=False))
