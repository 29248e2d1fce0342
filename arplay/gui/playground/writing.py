"""Writing by the model: take, step, play, rewind and re-roll. Each waits for the distribution that it needs."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeAlias

import numpy as np
from PySide6.QtCore import QObject, Signal

from arplay.core.decoding.pipeline import Decoded, decode
from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.core.picking import MAX_SEED, Untold, uniform
from arplay.core.position import Answer
from arplay.core.stepping import behind_bare, context_of, goes_on, picked, sampled
from arplay.core.tree import Node, Step
from arplay.core.watch import Met
from arplay.engine.write import Write, Written, spacing
from arplay.gui.bridge import Bridge
from arplay.gui.intents import Do, Take
from arplay.gui.playground.asking import Asking
from arplay.gui.playground.recording import BRANCHING, REROLLING, Recording
from arplay.gui.playground.state import State
from arplay.models import grammar

ELSEWHERE = ("this place belongs to the long text in the heatmap", "put the caret into the editor first")
MOST_WORD = 32
"""Tokens after which a word ends in any case: some models write none that end."""


@dataclass(frozen=True, slots=True)
class _Word:
    """Sample on while it belongs to the word ``said`` so far, which began ``count`` tokens ago."""

    said: str = ""
    count: int = 0


Waiting: TypeAlias = "Take | Do | _Word"


class Writing(QObject):
    """The tokens that the document grows by. ``waiting``: what is done once the distribution is there."""

    context_full = Signal(str, str)
    """Cause and remedy."""

    def __init__(self, play: State, bridge: Bridge, asking: Asking, recording: Recording) -> None:
        super().__init__(play)
        self._play, self._bridge, self._asking, self._recording = play, bridge, asking, recording
        self.waiting: deque[Waiting] = deque()
        self._asked: int | None = None  # the number of the Write under way
        self._left, self._due = 0, 0.0
        self._shown, self._clock = 0.0, 0.0
        self._tail = ""  # of what Play wrote
        self._paused: tuple[Node, int] | None = None  # where a rule paused it, and what was left

    def start(self) -> None:
        """Play: the worker writes on, until the user does anything else."""
        if not self._play.has_model():
            return
        if self._play.looking:
            self._play.reported.emit(*ELSEWHERE)
            return
        self.stop()
        if (undecoded := self._play.view.undecoded) is not None and not self._play.view.stale:
            self._play.reported.emit(undecoded.cause, undecoded.remedy)
            return
        left = self._paused[1] if self._paused is not None and self._paused[0] is self._play.tree.node else 0
        self._left, self._due = left or self._play.view.settings.play_steps, time.monotonic()
        self._tail, self._paused = "", None
        self._shown, self._clock = 0.0, time.thread_time()
        self._play.show(playing=True, held=None)  # it draws by the seed
        self._ask()

    def anew(self) -> None:
        """The settings changed: what Play has not written yet is sampled by the new ones."""
        if self._play.view.playing:
            self._ask()

    def _ask(self) -> None:
        play, view = self._play, self._play.view
        settings, loaded = view.settings, view.loaded
        assert loaded is not None
        self._asking.hold()
        asked = partial(
            Write,
            document=play.document,
            caret=view.caret,
            index=view.selected,
            pipeline=settings.decoding,
            seed=settings.seed,
            count=self._left,
            due=self._due,
            per_second=settings.play_per_second,
            reading=settings.reading,
            stop_at=loaded.eos if settings.stop_at_eos else None,
            slide=settings.at_limit == "slide",
            shown=self._shown,
            drawn=play.drawn_before,
            rules=settings.watch,
            tail=self._tail,
        )
        self._asked = self._bridge.ask(asked)

    def written(self, result: Written) -> None:
        """A batch that Play wrote, token by token into the text and the history, and what comes next behind it."""
        self._left -= len(result.steps)
        self._tail = result.tail
        now, former = time.thread_time(), self._clock
        self._shown, self._clock = now - former, now
        pace = spacing(self._play.view.settings.play_per_second)
        self._due = max(self._due + len(result.steps) * pace, time.monotonic())
        self._put(result.steps, "sampled")
        if result.last is not None and result.steps:
            self._play.show(step=result.last[0], step_decoded=result.last[1])
        self._asking.answered(result.answer)
        if not (result.ended or result.stuck):
            self._ask()
            return
        self._asked = None
        self.stop()
        if result.met is not None:
            self._obey(result.met)
        elif result.stuck:
            self.when_fresh(Do("step"))  # which says why there is none

    def _obey(self, met: Met) -> None:
        node = self._play.tree.node
        if met.rule.then == "pause":
            self._paused = node, self._left
        elif met.rule.then == "branch" and node.parent is not None:
            self._recording.move(node, node.parent, "going back before a token that met a rule")
        self._play.refused.emit(met.said)

    def stop(self) -> None:
        """Play ends with anything the user does, and steps that still wait are given up, which is told."""
        if (given_up := len(self.waiting)) > 0:
            self.waiting.clear()
            steps = f"{given_up:,} step{'s' * (given_up != 1)}"
            self._play.refused.emit(f"{steps} that waited for the answer: given up, since you went on")
        if self._asked is not None:
            self._bridge.forget(self._asked)
            self._asked = None
            if self._play.view.stale:
                self._asking.explore_soon()  # that Write would have told what comes next
        if self._play.view.playing:
            self._play.show(playing=False)

    def cancelled(self, number: int) -> None:
        """By the user: one that stopped, or was replaced, is none of Play's any more."""
        if number == self._asked:
            self.stop()

    def when_fresh(self, intent: Waiting) -> None:
        """Picks and steps need the distribution of this very prefix; until it is there they wait in line."""
        play = self._play
        if not self._play.has_model():
            return
        if play.view.playing:
            self.stop()
        if play.view.stale:
            self.waiting.append(intent)
        elif play.looking:
            play.reported.emit(*ELSEWHERE)
        else:
            self._choose(intent)

    def word(self) -> None:
        """Sample up to where the next word begins."""
        self.when_fresh(_Word())

    def take_rank(self, rank: int) -> None:
        """Pick by the figure that stands before a row; refused while the rows are those of a moment ago."""
        answer = self._play.view.answer
        own = answer.distribution if answer is not None else None
        if own is not None and not self._play.view.stale:
            ids = own.top(rank)
            if len(ids) < rank:
                self._play.refused.emit(f"No token has rank {rank}")
                return
            self.when_fresh(Take(int(ids[-1])))
        elif self._play.view.stale:
            self._play.refused.emit("Nothing is written: the ranks are of a moment ago. Choose again in a moment.")
        else:
            self.when_fresh(Do("take"))  # which says why there is none

    def branch(self) -> None:
        """Back to the last pick, or to the last sample where nothing was picked, and another token there."""
        play = self._play
        chosen = [node for node in play.tree.node.ancestors() if node.step is not None]
        last = next((node for node in chosen if node.kind == "picked"), chosen[0] if chosen else None)
        if last is None or last.parent is None:
            play.refused.emit("Nothing was picked or sampled yet: there is nothing to branch from")
            return
        self.stop()
        self._recording.move(play.tree.node, last.parent, BRANCHING)
        self.when_fresh(Do("branch"))

    def go_on(self) -> None:
        """A distribution has come: do the first thing that waited for it."""
        if self.waiting:
            self.when_fresh(self.waiting.popleft())

    def forget_picks(self) -> None:
        """Another vocabulary: an id that was to be taken means another token now. Steps stay what they were."""
        steps = [intent for intent in self.waiting if not isinstance(intent, Take)]
        if len(steps) < len(self.waiting):
            self._play.reported.emit(
                "the token that was chosen is not written: this model has other tokens", "choose again"
            )
        self.waiting = deque(steps)

    def rewind(self) -> None:
        """Take back the last step that waits, or the one that led here; else go back by one token, as _back does."""
        if self.waiting and self.waiting[-1] != Do("rewind"):
            self.waiting.pop()
            self._play.refused.emit("Taken back: a step that waited for the answer")
            return
        if self._play.view.playing:
            self.stop()
        play, view = self._play, self._play.view
        node = play.tree.node
        unreadable = view.problem is not None and view.loaded is not None  # the last change goes
        if node.parent is not None and (unreadable or (node.step is not None and view.caret == node.caret)):
            self._recording.move(node, node.parent, "rewinding")
        else:
            self.when_fresh(Do("rewind"))

    def reroll(self) -> None:
        """The next seed, and a held u is let go; if a sample led here it is taken back and drawn again."""
        self.stop()
        play, settings = self._play, self._play.view.settings
        play.show(held=None, settings=replace(settings, seed=(settings.seed + 1) % (MAX_SEED + 1)))
        node = play.tree.node
        if node.kind in ("sampled", "rolled") and node.parent is not None and play.view.caret == node.caret:
            self._recording.move(node, node.parent, REROLLING)
            self.when_fresh(Do("step"))

    def _choose(self, intent: Waiting) -> None:
        play = self._play
        answer, decoded = play.view.answer, play.view.decoded
        if play.view.problem is not None:
            self.stop()
            play.reported.emit(*play.view.problem)
        elif answer is not None and intent == Do("rewind"):
            self._back(answer)
        elif answer is not None and play.view.loaded and answer.prefix.index == play.view.loaded.vocabulary.length:
            self.stop()
            play.refused.emit("Everything is written: nothing comes next")
        elif answer is not None and intent == Do("heal"):
            self._heal(answer)
        elif play.view.undecoded is not None:
            self.stop()
            play.reported.emit(play.view.undecoded.cause, play.view.undecoded.remedy)
        elif answer is None or answer.distribution is None or decoded is None:
            self.stop()
            play.reported.emit("there is no distribution to choose from", "type something, or choose BOS or EOS")
        elif behind_bare(answer):
            self.stop()
            cause = (
                "nothing can be written here: a token without bytes of its own stands between it and the text before"
            )
            play.reported.emit(cause, "put the caret elsewhere first")
        elif isinstance(intent, Take):
            play.show(step=None, step_decoded=None)
            self.write(picked(answer.distribution, decoded, answer.prefix.index, intent.id), "picked")
        elif intent == Do("take"):
            self._choose(Take(int(decoded.distribution.top(1)[0])))
        elif intent == Do("branch"):
            self._other(answer.distribution, answer.prefix.index)
        else:
            self._sample(answer, answer.distribution, decoded, intent if isinstance(intent, _Word) else None)

    def _other(self, distribution: Distribution, index: int) -> None:
        """Pick the most probable token that was not yet tried at this place of the history."""
        steps = [child.step for child in self._play.tree.node.children]
        tried = {step.id for step in steps if step is not None and step.index == index}
        ids = distribution.top(len(tried) + 1)
        untried = next((int(id) for id in ids if int(id) not in tried), None)
        if untried is None:
            self._play.refused.emit("Every token was tried here")
        else:
            self._choose(Take(untried))

    def _back(self, answer: Answer) -> None:
        """The caret one token back; the text stays."""
        play = self._play
        if play.view.caret and len(answer.encoded):
            index = int(answer.encoded.ends[:-1].searchsorted(play.view.caret))  # the last that begins before it
            play.show(caret=answer.encoded.span(index)[0], stale=True, selected=None, step=None, step_decoded=None)
            self._asking.explore()
        else:
            self.stop()
            play.refused.emit("The caret is at the start of the text: there is nothing to go back to")

    def _heal(self, answer: Answer) -> None:
        """Draw another token in place of the last one, of those that begin with what it wrote."""
        play, settings, loaded = self._play, self._play.view.settings, self._play.view.loaded
        if answer.heal is None or loaded is None:
            play.refused.emit("The text does not end inside a token: there is nothing to heal")
            return
        heal, seed = answer.heal, settings.seed
        ids = np.concatenate([np.array(answer.lead, np.int64), answer.prefix.ids[:-1]])
        context = context_of(ids, heal.index, loaded.vocabulary, seed, loaded.eos, (), grammar=grammar.allowed)
        try:
            decoded = decode(heal.before, heal.through(settings.decoding), context)
            step, choice = sampled(heal.before, decoded, heal.index, uniform(seed, heal.index), seed)
        except Problem as problem:
            play.reported.emit(problem.cause, problem.remedy)
            return
        play.show(caret=answer.encoded.span(heal.index)[0], step=choice, step_decoded=decoded)
        self.write(step, "sampled")

    def _sample(self, answer: Answer, distribution: Distribution, decoded: Decoded, word: _Word | None = None) -> None:
        play, settings = self._play, self._play.view.settings
        if answer.position.start and settings.at_limit == "stop":
            self.stop()
            cause = f"the context is full: {answer.position.end:,} tokens are more than the model can read at once"
            self.context_full.emit(cause, "rewind, or slide on: the model then reads the newest half of the text again")
            return
        index, held = answer.prefix.index, play.view.held
        u, seed = (uniform(settings.seed, index), settings.seed) if held is None else (held, None)
        try:
            step, choice = sampled(distribution, decoded, index, u, seed)
        except Untold as untold:
            self.stop()
            play.reported.emit(untold.cause, untold.remedy)
            return
        if word is not None and (word := self._longer(word, step.id)) is None:
            return  # the next token begins another word
        play.show(step=choice, step_decoded=decoded)
        self.write(step, "sampled")
        if word is not None and word.count < MOST_WORD:
            self.waiting.appendleft(word)

    def _longer(self, word: _Word, id: int) -> _Word | None:
        """The word with this token, too; None where it is whole without."""
        assert self._play.view.loaded is not None
        tokens = self._play.view.loaded.vocabulary
        if tokens.is_special(id) or tokens.length is not None:  # nothing goes on behind those
            return None if word.count else replace(word, count=MOST_WORD)
        more = tokens.writes(id) or "\N{REPLACEMENT CHARACTER}"
        return _Word(word.said + more, word.count + 1) if goes_on(word.said, more) else None

    def write(self, step: Step, kind: Literal["sampled", "picked"]) -> None:
        """Put the chosen token after the caret; a text that followed is kept by the tree."""
        self._put((step,), kind)

    def _put(self, steps: Sequence[Step], kind: Literal["sampled", "picked"]) -> None:
        play = self._play
        assert play.view.loaded is not None
        vocabulary = play.view.loaded.vocabulary
        self._recording.write(steps, kind, vocabulary, play.view.caret)
        for step in steps:
            if vocabulary.is_unused(step.id):
                cause = f"id {step.id:,} has no token: it writes nothing, but the model reads it from here on"
                play.reported.emit(cause, "rewind takes it back")
