"""Everything there is to see, at one moment: what panels are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from arplay.core.betting import Game
from arplay.core.chain import Ledger
from arplay.core.decoding.pipeline import Decoded
from arplay.core.decoding.stage import StageProblem
from arplay.core.edited import Edited
from arplay.core.modalities.base import Document, Found
from arplay.core.modalities.forms import FIRST
from arplay.core.picking import Choice
from arplay.core.position import Answer
from arplay.core.timings import Timings
from arplay.core.tree import Mark, Node, Tree
from arplay.core.two_orders import TwoOrders
from arplay.engine.candidates import Rated
from arplay.engine.field import Reached
from arplay.engine.load import Loaded
from arplay.engine.mapping import Mapped
from arplay.engine.masks import Measured
from arplay.engine.parting import Parted
from arplay.engine.reconcile import Reconciled
from arplay.engine.rollouts import Rolled
from arplay.engine.scoring import NO_EFFORT, Effort
from arplay.engine.search import Searched
from arplay.gui.intents import Ask, CompareCandidates, Train
from arplay.gui.peers import Base, Peer
from arplay.gui.settings import Lab, Settings
from arplay.models.base import Info
from arplay.models.scored_run import SavedRun

AT_START = "The caret is at the start of the text: there is nothing to go back to"
NO_MODEL = "no model is loaded yet"
ONLY_A_RUN = ("this is a saved scoring run, without its model", "choose a model in the Model menu to go on with it")


@dataclass(frozen=True, eq=False, slots=True)
class Asked:
    """``found``: the answer to the last question of a kind that had one, perhaps of another text or model.

    While a newer one is worked at, ``doing`` says what is being done and ``share`` the part that is, from 0 to 1;
    else ``share`` is None. ``problem``: cause and remedy, where the last one came to nothing.
    """

    found: Any = None
    share: float | None = None
    doing: str = ""
    problem: tuple[str, str] | None = None

    @property
    def runs(self) -> bool:
        return self.share is not None


NOTHING = Asked()


@dataclass(frozen=True, eq=False, slots=True)
class View:
    """Everything there is to see, at one moment. Fields are replaced, never changed, so ``is`` tells what is new.

    ``answer`` and ``decoded`` belong to ``caret`` of ``document`` (None while unknown). ``step``: the choice that
    led here, if the last thing done was a step; ``step_decoded``: the distribution that it was drawn from.
    ``held``: the u that steps are drawn at, where a hand holds it.
    ``undecoded``: why there is no ``decoded``, where a stage of the settings is to blame.
    ``selected``: index of the token that lights up everywhere: it was clicked, or starts at the caret. ``span``: where
    that was done as a word or a sentence, its tokens [first, stop), which begin with it (:attr:`lit`).
    ``magnified``: the tokens [first, stop) that a curve along the text was zoomed to last.
    ``stale``: ``answer`` is that of a moment ago, a newer one is on its way. ``excerpt_of``: the name of a long text
    that the heatmap shows whole while the editor holds only its beginning; ``ledger`` then belongs to it.
    ``name``: the file that the text was opened from.
    ``found``: what is searched for, in the text of the heatmap; ``sought``: what the last look for a surprise came to.
    ``departures``: byte spans of ``document`` whose kept ids are not the tokenizer's own, as far as they are known.
    ``rolled``, ``searched``, ``mapped``: the continuations tried last, perhaps behind another text than this one
    (:meth:`tried_here`), whose end ``rolled_behind`` and so on tell; ``trying``: which of them grow now.
    ``measured``: what the causality lab found last, perhaps of another text; ``measuring``: what it measures now, of
    which ``measured_share`` is done.
    ``asked``: by kind of question what was found out last, and how far the one is that is worked at.
    ``states``: of the tree; ``left_out``: tokens tried last for which it had no room.
    ``peers``: what the window's model is compared with; ``parted``: the scores of all of them side by side, perhaps of
    a moment ago (:attr:`parted_here`). ``base``: the text that is remembered as base; ``edited``: what stands in it and
    in the text of now, or of a moment ago.
    ``peeking``: Rewind is pointed at, so what it would do is shown (:attr:`rewound`).
    ``game``: the bets on what follows, of tokens of ``game_of``; while it is played ``document`` ends where one bets.
    ``ghost``: how greedy decoding would go on at the end of the text; it is no part of it.
    ``timings``: what this model's answers took, with the cache and without; ``recomputing``: one is repeated without.
    ``reached``: the receptive field that was measured last, perhaps of another place (:attr:`reached_here`).
    ``scoring``: the scores of this very text are on their way; ``halted``: they were, and the user ended that.
    ``effort``: what the scores in sight have cost so far; ``speed``: tokens that this model read a second when a text
    was scored last, None before.
    ``run``: the saved scoring run that stands in the place of a model: ``loaded`` then says what its model was, and
    whatever is asked of a model is refused.
    ``busy`` says what is being done, ``doing`` the same with its phase and its seconds, ``problem`` (cause, remedy)
    what went wrong.
    """

    settings: Settings = Settings()
    loaded: Loaded | None = None
    document: Document = FIRST
    caret: int = 0
    answer: Answer | None = None
    decoded: Decoded | None = None
    undecoded: StageProblem | None = None
    stale: bool = False
    excerpt_of: str | None = None
    name: str | None = None
    step: Choice | None = None
    step_decoded: Decoded | None = None
    held: float | None = None
    ledger: Ledger | None = None
    departures: tuple[tuple[int, int], ...] = ()
    reconciled: Reconciled | None = None
    tree: Tree | None = None
    node: Node | None = None
    marks: tuple[tuple[int, Mark], ...] = ()
    selected: int | None = None
    span: tuple[int, int] | None = None
    magnified: tuple[int, int] | None = None
    found: Found | None = None
    sought: str = ""
    playing: bool = False
    rolled: Rolled | None = None
    searched: Searched | None = None
    rolled_behind: str = ""
    searched_behind: str = ""
    mapped: Mapped | None = None
    mapped_behind: str = ""
    trying: Literal["", "rollouts", "beams", "map"] = ""
    states: int = 1
    left_out: int = 0
    measured: Mapping[Lab, Measured] = field(default_factory=dict)
    measuring: Lab | Literal[""] = ""
    measured_share: float = 0.0
    asked: Mapping[type[Ask], Asked] = field(default_factory=dict)
    peers: tuple[Peer, ...] = ()
    parted: Parted | None = None
    base: Base | None = None
    edited: Edited | None = None
    peeking: bool = False
    game: Game | None = None
    game_of: Loaded | None = None
    ghost: str = ""
    timings: Timings = ()
    recomputing: bool = False
    reached: Reached | None = None
    scoring: bool = False
    halted: Literal["", "paused", "cancelled"] = ""
    effort: Effort = NO_EFFORT
    speed: float | None = None
    run: SavedRun | None = None
    busy: str | None = None
    doing: str = ""
    problem: tuple[str, str] | None = None

    @property
    def info(self) -> Info | None:
        """What the loaded model is; the same object as long as it is the same model, whose tokens may become more."""
        return None if self.loaded is None else self.loaded.info

    @property
    def lacks_model(self) -> tuple[str, str] | None:
        """Why nothing can be asked of a model, and what to do about that; None where one is there.

        >>> View().lacks_model, View(busy="Loading english").lacks_model
        (('no model is loaded yet', 'choose one in the Model menu'), ('no model is loaded yet', 'wait for it'))
        """
        if self.run is not None:
            return ONLY_A_RUN
        if self.loaded is None:
            return NO_MODEL, "wait for it" if self.busy else "choose one in the Model menu"
        return None

    @property
    def no_model(self) -> str:
        """The same in a sentence; "" where a model is there.

        >>> View().no_model
        'No model is loaded yet: choose one in the Model menu.'
        """
        if self.lacks_model is None:
            return ""
        cause, remedy = self.lacks_model
        return f"{cause[0].upper()}{cause[1:]}: {remedy}."

    @property
    def no_way_back(self) -> str:
        """Why there is nothing to rewind, in a sentence; a step that led here is taken back without asking a model."""
        if not self.caret:
            return AT_START
        return "" if self.rewound is not None else self.no_model

    @property
    def covered(self) -> bool:
        """Whether somebody bets on the next token here, so that nobody sees what the model says of it."""
        return self.game is not None and not self.game.over and self.answer is None

    @property
    def lit(self) -> tuple[int, int] | None:
        """The tokens [first, stop) that light up everywhere.

        >>> View(selected=3).lit, View(selected=3, span=(3, 6)).lit
        ((3, 4), (3, 6))
        """
        return self.span or (None if self.selected is None else (self.selected, self.selected + 1))

    @property
    def follows(self) -> bool:
        """Whether the last thing done was to write a token at the end: lists and the heatmap then follow it."""
        written = self.node is not None and self.node.step is not None
        return written and self.selected is None and self.caret == len(self.document)

    @property
    def reached_here(self) -> Reached | None:
        """The receptive field of this very place, by the model that is loaded."""
        found, loaded, answer = self.reached, self.loaded, self.answer
        if found is None or loaded is None or answer is None or found.info != loaded.info:
            return None
        return found if (found.document, found.index) == (self.document, answer.prefix.index) else None

    @property
    def trained_here(self) -> TwoOrders | None:
        """The two networks, where they are of what is scored here."""
        found, ledger = self.answer_to(Train).found, self.ledger
        if found is None or ledger is None or found.info is not self.info or not ledger.encoded.is_of(found.document):
            return None
        return found.found

    @property
    def rated_here(self) -> Rated | None:
        """The candidates that were compared last, where that was at this very place, by the model that is loaded."""
        found: Rated | None = self.answer_to(CompareCandidates).found
        if found is None or found.info is not self.info or found.reading != self.settings.reading:
            return None
        same = found.document is self.document or found.document == self.document
        return found if same and found.place == self.document.at(self.caret) else None

    @property
    def parted_here(self) -> bool:
        """Whether ``parted`` is of the scores that are here now."""
        return self.parted is not None and self.parted.ledgers[0] is self.ledger

    def answer_to(self, kind: type[Ask]) -> Asked:
        """What was found out by questions of this kind; nothing before the first one."""
        return self.asked.get(kind, NOTHING)

    def tried_here(self, tried: Rolled | Searched | Mapped) -> bool:
        """Whether these continuations are of this very place, by the model that is loaded."""
        loaded, same = self.loaded, tried.document == self.document and tried.place == self.document.at(self.caret)
        return same and loaded is not None and loaded.info == tried.info

    @property
    def rewound(self) -> tuple[int, int] | None:
        """The units [start, end) that Rewind takes away; None where it only goes back."""
        node = self.node
        if node is None or node.step is None or node.caret != self.caret:
            return None
        before = node.edit.before(node.kind, node.caret)
        return (before, self.caret) if before is not None and before < self.caret else None

    @property
    def work(self) -> str:
        """What is being done, as much as is known of it; empty where nothing is."""
        return self.doing or self.busy if self.busy else ""

    def lacks_scores_of(self, document: Document) -> bool:
        """Whether the ledger is not yet, or not wholly, that of ``document``; not where nothing can be scored."""
        if self.loaded is not None and self.loaded.can.no_scores:
            return False
        return self.ledger is None or not self.ledger.complete or not self.ledger.encoded.is_of(document)

    @property
    def scores_are_old(self) -> bool:
        """Whether ``ledger`` is of the text before the last change."""
        return self.ledger is not None and self.excerpt_of is None and not self.ledger.encoded.is_of(self.document)

    @property
    def scores_follow(self) -> str:
        """While Play writes, its scores come a moment later: of what they are; empty where they are of the whole."""
        ledger = self.ledger
        if ledger is None or not self.playing or not self.scores_are_old or not ledger.encoded.begins(self.document):
            return ""
        return f"of the first {ledger.encoded.units:,} {ledger.unit.many}, while Play goes on"
