"""What panels and the window say to each other: one frozen View in, small frozen intents out.

Panels do not know each other or the worker. The window hands every visible panel the same View; a panel emits
intents and changes nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from arplay.core.beams import Rules
from arplay.core.betting import Game
from arplay.core.chain import Ledger
from arplay.core.decoding.layouts import Presets
from arplay.core.decoding.pipeline import Decoded, Pipeline
from arplay.core.decoding.rows import USUAL, Rows, rows_of
from arplay.core.decoding.stage import StageProblem
from arplay.core.modalities.base import Document, Edit, Found, TokenSet
from arplay.core.modalities.forms import FIRST
from arplay.core.picking import Choice
from arplay.core.position import Answer
from arplay.core.reading import Reading
from arplay.core.timings import Timings
from arplay.core.tree import Kind, Mark, Node, Step, Tree
from arplay.core.two_orders import TwoOrders
from arplay.core.watch import Watch
from arplay.engine.field import Reached
from arplay.engine.load import Loaded
from arplay.engine.mapping import Mapped
from arplay.engine.masks import Measured
from arplay.engine.reconcile import Reconciled
from arplay.engine.rollouts import Rolled
from arplay.engine.search import Searched
from arplay.engine.two_orders import OrdersTrained
from arplay.gui.panels.entry import PanelEntry
from arplay.gui.theme import LIGHT, TEXT, Theme
from arplay.models.base import Info

Unit = Literal["nats", "bits"]
AtLimit = Literal["stop", "slide"]
ColourBy = Literal["surprisal", "rank", "entropy"]
Lab = Literal["triangle", "reached", "poisoned", "free", "mask"]
"""What the causality lab measures: all pairs, a row or a column of them, rollouts beside the real text, or two networks
of which one sees ahead."""
Tokens = Literal["off", "borders", "colours"]
"""How the editor shows the tokens of its text: not at all, where each begins, or coloured as in the heatmap."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user set and expects to find again.

    ``at_limit``: what writing does where the text no longer fits the context: stop, or slide on with its newest half
    (:class:`arplay.core.windows.Windows`). ``reading`` is that of the model in the window, remembered for each model.
    ``surprise``: nats from which a token counts as surprising; ``link_scrolling``: editor and heatmap scroll together.
    ``ghost``: the greedy continuation is shown behind the text, which costs the steps that it takes.
    ``watch``: rules at which Play ends. ``rows``: how the stages of ``decoding`` are laid out, with those that are off
    (see :attr:`layout`); ``presets``: layouts that the user named.
    ``text_size``: pixels of the type that the text is shown in, in the editor and in the heatmap.
    """

    decoding: Pipeline = Pipeline()
    rows: Rows = USUAL
    presets: Presets = ()
    seed: int = 0
    bars: int = 20
    log_axis: bool = False
    unit: Unit = "nats"
    colour_by: ColourBy = "surprisal"
    play_per_second: float = 8.0
    play_steps: int = 100
    watch: Watch = ()
    stop_at_eos: bool = True
    at_limit: AtLimit = "stop"
    reading: Reading = Reading()
    tokens: Tokens = "borders"
    show_hidden: bool = False
    text_size: int = TEXT
    surprise: float = 6.0
    link_scrolling: bool = True
    ghost: bool = False
    animate: bool = True

    @property
    def layout(self) -> Rows:
        """The rows that work as ``decoding`` does."""
        return rows_of(self.decoding, self.rows)


@dataclass(frozen=True, eq=False, slots=True)
class View:
    """Everything there is to see, at one moment. Fields are replaced, never changed, so ``is`` tells what is new.

    ``answer`` and ``decoded`` belong to ``caret`` of ``document`` (None while unknown). ``step``: the choice that
    led here, if the last thing done was a step; ``step_decoded``: the distribution that it was drawn from.
    ``held``: the u that steps are drawn at, where a hand holds it.
    ``undecoded``: why there is no ``decoded``, where a stage of the settings is to blame.
    ``selected``: index of the token that lights up everywhere: it was clicked, or starts at the caret.
    ``stale``: ``answer`` is that of a moment ago, a newer one is on its way. ``excerpt_of``: the name of a long text
    that the heatmap shows whole while the editor holds only its beginning; ``ledger`` then belongs to it.
    ``name``: the file that the text was opened from.
    ``found``: what is searched for, in the text of the heatmap; ``sought``: what the last look for a surprise came to.
    ``departures``: byte spans of ``document`` whose kept ids are not the tokenizer's own, as far as they are known.
    ``rolled``, ``searched``, ``mapped``: the continuations tried last, perhaps behind another text than this one
    (:meth:`tried_here`), whose end ``rolled_behind`` and so on tell; ``trying``: which of them grow now.
    ``measured``: what the causality lab found last, perhaps of another text; ``measuring``: what it measures now, of
    which ``measured_share`` is done.
    ``trained``: two networks in two orders, perhaps of another text (:attr:`trained_here`); ``training``: what is being
    trained now, and the part that is done.
    ``states``: of the tree; ``left_out``: tokens tried last for which it had no room.
    ``peeking``: Rewind is pointed at, so what it would do is shown (:attr:`rewound`).
    ``game``: the bets on what follows, of tokens of ``game_of``; while it is played ``document`` ends where one bets.
    ``ghost``: how greedy decoding would go on at the end of the text; it is no part of it.
    ``timings``: what this model's answers took, with the cache and without; ``recomputing``: one is repeated without.
    ``reached``: the receptive field that was measured last, perhaps of another place (:attr:`reached_here`).
    ``scoring``: the scores of this very text are on their way.
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
    trained: OrdersTrained | None = None
    training: tuple[str, float] | None = None
    peeking: bool = False
    game: Game | None = None
    game_of: Loaded | None = None
    ghost: str = ""
    timings: Timings = ()
    recomputing: bool = False
    reached: Reached | None = None
    scoring: bool = False
    busy: str | None = None
    doing: str = ""
    problem: tuple[str, str] | None = None

    @property
    def info(self) -> Info | None:
        """What the loaded model is; the same object as long as it is the same model, whose tokens may become more."""
        return None if self.loaded is None else self.loaded.info

    @property
    def covered(self) -> bool:
        """Whether somebody bets on the next token here, so that nobody sees what the model says of it."""
        return self.game is not None and not self.game.over and self.answer is None

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
        found, ledger = self.trained, self.ledger
        if found is None or ledger is None or found.info is not self.info or not ledger.encoded.is_of(found.document):
            return None
        return found.found

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


@dataclass(frozen=True, slots=True)
class Take:
    """Write this token after the caret."""

    id: int


@dataclass(frozen=True, slots=True)
class TakeRank:
    """Write the token that has this rank by the model's own probability, from 1 on."""

    rank: int


@dataclass(frozen=True, slots=True)
class PeekRewind:
    """Rewind is pointed at: show what it would take away."""

    on: bool


@dataclass(frozen=True, slots=True)
class HoldU:
    """Steps are drawn at this u until it is let go, with None."""

    u: float | None


@dataclass(frozen=True, slots=True)
class Select:
    """Go to the token with this index of the text: caret before it, its distribution in the chart."""

    index: int


@dataclass(frozen=True, slots=True)
class Change:
    """New settings as a whole (made with dataclasses.replace)."""

    settings: Settings


@dataclass(frozen=True, slots=True)
class Find:
    """Search for ``text`` from the caret on; "" ends the search."""

    text: str
    case: bool


@dataclass(frozen=True, slots=True)
class Seek:
    """Go on to the next (``step`` 1) or back to the former (-1) place of what is searched for, or surprising token."""

    what: Literal["found", "surprise"]
    step: int


@dataclass(frozen=True, slots=True)
class Zoom:
    """Show the text so many sizes larger; the size now is the window's to know, for notches come faster than Views."""

    steps: int


@dataclass(frozen=True, slots=True)
class Do:
    """A command with no argument.

    ``take``: the most probable token; ``word``: sample up to the next word; ``branch``: another token for the last
    pick; ``chart``: go there to choose; ``bet`` and ``bet_all``: on what follows the caret, or on all of the text.
    """

    what: Literal[
        "step", "rewind", "reroll", "take", "word", "branch", "heal", "play", "pause", "put_aside", "retokenise",
        "reconcile", "recompute", "stop_trying", "stop_measuring", "stop_training", "accept_ghost", "hide_ghost",
        "forget_timings", "cancel", "bet", "bet_all", "reveal", "skip_bet", "next_bet", "leave_bets", "open", "tour",
        "chart",
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rollouts:
    """Draw ``count`` continuations of up to ``tokens`` each from the caret on."""

    count: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Beams:
    """Search by ``rules`` from the caret on: the first ``upto`` expansions, or all of them (None)."""

    rules: Rules
    upto: int | None = None


@dataclass(frozen=True, slots=True)
class Maps:
    """Look at chains of up to ``depth`` tokens behind the caret, by about ``budget`` expansions."""

    depth: int
    budget: int


@dataclass(frozen=True, slots=True)
class Measure:
    """Measure it of token ``index`` of ``count``, by ``chains`` rollouts of ``tokens`` each from the caret on, or by
    two networks of this ``kind``."""

    lab: Lab
    index: int
    count: int
    chains: int
    tokens: int
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Train:
    """Train a small network in each of the two orders of the document's tokens that have these names."""

    names: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Continue:
    """Write these tokens behind the caret; ``steps`` of a rollout or a beam are recorded as they were tried."""

    ids: tuple[int, ...]
    steps: tuple[Step, ...] = ()
    kind: Literal["rolled", "searched"] = "rolled"


@dataclass(frozen=True, slots=True)
class Wager:
    """So many chips on this token, of those that are bet on what comes next; 0 takes them back."""

    id: int
    chips: int


@dataclass(frozen=True, slots=True)
class Goto:
    """Make a state of the tree the current one."""

    node: Node


@dataclass(frozen=True, slots=True)
class SetMark:
    """What the user thinks of states that are equal."""

    nodes: tuple[Node, ...]
    mark: Mark


@dataclass(frozen=True, slots=True)
class Edited:
    """Something was done to the document; each canvas has its own subclass."""

    def on(self, document: Any, caret: int, tokens: TokenSet | None) -> tuple[Edit, Kind, int] | None:
        """The edit of ``document``, its kind, and the caret after it; None where it is not for such a document."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class CaretMoved:
    caret: int


@dataclass(frozen=True, slots=True)
class OpenFiles:
    """What was dropped or pasted: one model or text, or too much at once."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Analyse:
    """A document too long to edit (a huge paste): score it read-only."""

    document: Document
    name: str


@dataclass(frozen=True, slots=True)
class Report:
    """A problem that a panel met (nothing was changed)."""

    cause: str
    remedy: str


Intent = (
    Take | TakeRank | HoldU | PeekRewind | Select | Change | Find | Seek | Zoom | Do | Rollouts | Beams | Maps
    | Measure | Train | Continue | Wager | Goto | SetMark | Edited | CaretMoved | OpenFiles | Analyse | Report
)  # fmt: skip


class Panel(QWidget):
    """One view. A new panel is a subclass in a file of its own and a line in ``gui/panels/__init__.py``."""

    name: str = ""
    """Short and stable: used for saved layouts and exports."""
    title: str = ""
    explanation: str = ""
    """What is this? Rich text with the formula that the panel shows."""

    intent = Signal(object)

    waits_for: Literal["answer", "scores"] | None = None
    """What its figures are of: while a newer one is on its way a veil over :meth:`veiled` says so."""

    comes: Literal["at once", "with the answer", "after"] = "after"
    """When it is shown a new View: at most one panel comes with the answer, the others a moment after it."""

    theme: Theme = LIGHT

    entry: PanelEntry
    """Its line of the catalogue."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # a panel that was clicked is the one that F11 enlarges

    def show_view(self, view: View) -> None:
        """Draw ``view``. Called often: compare fields with ``is`` and do nothing where nothing is new."""
        raise NotImplementedError

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.update()

    def veiled(self) -> QWidget:
        """What of it shows figures that may be of a moment ago."""
        return self

    def wanted_height(self, view: View, width: int) -> int:
        """Pixels that show all of what the panel holds of ``view`` at this width; panels share the room by it."""
        return 260

    def chart_size(self) -> tuple[int, int] | None:
        """The size in pixels that an exported picture of everything wants, or None if there is nothing to export."""
        return None

    def paint_chart(self, painter: QPainter, area: QRectF) -> None:
        """Paint the exported picture (vectors and real text) into ``area``."""
        raise NotImplementedError
