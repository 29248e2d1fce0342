"""What panels and menus ask for: small frozen values, which the playground carries out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from arplay.core.beams import Rules
from arplay.core.modalities.base import Document, Edit, TokenSet
from arplay.core.reading import Reading
from arplay.core.tree import Kind, Mark, Node, Step
from arplay.engine.load import Device, Dtype
from arplay.gui.settings import Lab, Settings


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
    """Go to the token with this index of the text: caret before it, its distribution in the chart.

    ``stop``: with it all tokens before that one light up.
    """

    index: int
    stop: int | None = None


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
class Magnify:
    """A curve along the text shows the tokens [first, stop) larger; None: all of them."""

    tokens: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Do:
    """A command with no argument.

    ``score_anew``: load the model of the saved run in sight.
    ``take``: the most probable token; ``word``: sample up to the next word; ``branch``: another token for the last
    pick; ``chart``: go there to choose; ``bet`` and ``bet_all``: on what follows the caret, or on all of the text;
    ``compare``: choose a model to stand beside the window's own; ``reading``: how texts are read;
    ``pause_scoring``: what is scored stays, ``resume_scoring`` goes on from there.
    """

    what: Literal[
        "step", "rewind", "reroll", "take", "word", "branch", "heal", "play", "pause", "put_aside", "retokenise",
        "reconcile", "recompute", "stop_trying", "stop_measuring", "accept_ghost", "hide_ghost",
        "forget_timings", "cancel", "bet", "bet_all", "reveal", "skip_bet", "next_bet", "leave_bets", "open", "tour",
        "chart", "compare", "set_base", "forget_base", "reading", "pause_scoring", "resume_scoring", "cancel_scoring",
        "score_anew",
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
class Ask:
    """Have the worker find something out about the whole text. Each question is a subclass with what is asked for, and
    a line of the table in ``gui/playground/questions.py``; what is found stands in ``View.asked``."""


@dataclass(frozen=True, slots=True)
class Train(Ask):
    """Train a small network in each of the two orders of the document's tokens that have these names."""

    names: tuple[str, str]


@dataclass(frozen=True, slots=True)
class ByStride(Ask):
    """Score the text at several strides."""


@dataclass(frozen=True, slots=True)
class ByContext(Ask):
    """Score the text with several contexts."""


@dataclass(frozen=True, slots=True)
class CorrectSpaces(Ask):
    """Find out at each edge of a word how probable it is that one begins there."""


@dataclass(frozen=True, slots=True)
class CompareConventions(Ask):
    """Score the text by all the usual conventions."""


@dataclass(frozen=True, slots=True)
class CompareCandidates(Ask):
    """Have each of these texts rated behind the caret; ``quietly``: nobody asked for it, so a problem is not told."""

    texts: tuple[str, ...]
    quietly: bool = False


@dataclass(frozen=True, slots=True)
class AddUp(Ask):
    """What the total of the text would be by another reading than the one that is set."""

    reading: Reading


@dataclass(frozen=True, slots=True)
class TokenizeText(Ask):
    """Cut the text, or this one in its place, by the tokenizers of these models beside that of the window's."""

    specs: tuple[str, ...]
    text: str = ""
    quietly: bool = False


@dataclass(frozen=True, slots=True)
class CompareDistributions(Ask):
    """How far is the model of this slot from the window's own, token by token, over the whole vocabulary?"""

    slot: int


@dataclass(frozen=True, slots=True)
class MakeTokens(Ask):
    """How the tokenizer of this model ("": the window's) makes its tokens of a word."""

    spec: str
    text: str


@dataclass(frozen=True, slots=True)
class SegmentText(Ask):
    """Cut this short text into tokens in every way, and have the model rate each."""

    text: str


@dataclass(frozen=True, slots=True)
class StopAsking:
    """End the question of this kind that is being worked at."""

    kind: type[Ask]


@dataclass(frozen=True, slots=True)
class AddPeer:
    """Load this model beside the window's own, to compare it with: as it is asked for in the list of models."""

    spec: str
    device: Device = "auto"
    dtype: Dtype = "auto"


@dataclass(frozen=True, slots=True)
class LookAtPeers:
    """Whether the heatmap shows a difference, so that models beside the window's own are to score the text."""

    on: bool


@dataclass(frozen=True, slots=True)
class AddRun:
    """A saved scoring run of this very text is compared with."""

    path: Path


@dataclass(frozen=True, slots=True)
class RemovePeer:
    """Compare no longer with what stands in this slot, and give its memory back."""

    slot: int


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
class SetBase:
    """Compare the text with this state of the tree, which becomes the base; where one is stays as it is."""

    node: Node


@dataclass(frozen=True, slots=True)
class ShowState:
    """Show where a state is in the history, and stay in the one that is current."""

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
    Take | TakeRank | HoldU | PeekRewind | Select | Magnify | Change | Find | Seek | Zoom | Do | Rollouts | Beams | Maps
    | Measure | Ask | StopAsking | AddPeer | AddRun | LookAtPeers | RemovePeer | Continue | Wager | Goto | SetMark
    | SetBase | ShowState | Edited | CaretMoved | OpenFiles | Analyse | Report
)  # fmt: skip
