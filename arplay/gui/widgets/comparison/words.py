"""What the comparison says below what it shows: what is awaited, what went wrong, and what the page in sight means."""

from __future__ import annotations

from dataclasses import dataclass

from arplay.core.aligned import Aligned
from arplay.export.comparing import Beside, Here, edit_summary, verdict
from arplay.gui.peers import Peer
from arplay.gui.view import View
from arplay.gui.widgets.comparison.chips import doing
from arplay.gui.widgets.comparison.here import in_words
from arplay.gui.widgets.comparison.pages import CHANGED, HERE, SPANS, TEXT
from arplay.gui.widgets.comparison.spans import listed
from arplay.gui.widgets.labels import capital

INSIDE = "{} is a saved run, which tells of the places before its own tokens only: choose another place."
WAITS = "waiting for the other model's answer at this place"
NOTHING_BEFORE = "{} has no distribution here: nothing stands before the first token, unless it reads BOS or EOS there."


@dataclass(frozen=True, slots=True)
class Seen:
    """``page`` is in sight, of ``view``; ``own`` is the name of the window's model, ``peer`` the one chosen beside it.

    ``side``: the scores of all side by side; ``pair``: of these two; ``here``: both at one place; ``abreast``: the text
    is shown twice.
    """

    view: View
    page: int
    own: str
    peer: Peer | None
    side: Beside | None
    pair: Aligned | None
    here: Here | None
    abreast: bool


def of_models(seen: Seen) -> str:
    """Of several models on one text."""
    view, peer = seen.view, seen.peer
    work = [doing(each) for each in view.peers if each.doing]
    went_wrong = next(((each.name, each.problem) for each in view.peers if each.problem is not None), None)
    if view.peers and view.problem is not None and view.ledger is None:
        went_wrong = seen.own, view.problem
    before = "of the text before the last change" if seen.side is not None and not view.parted_here else ""
    if work:
        return "  ·  ".join(filter(None, (before, *work)))
    if went_wrong is not None:
        name, (cause, remedy) = went_wrong
        return f"{name}: {cause}. {capital(remedy)}."
    if seen.page == HERE and view.peers:
        return _of_here(seen)
    if seen.page == CHANGED:
        return ""  # the page says it
    if seen.side is None:
        return "" if not view.peers else view.work or "Waiting for the scores of the window's own model."
    if before:
        return before
    if seen.page == TEXT and peer is not None and not seen.abreast:
        return f"blue where {peer.name} knew better, orange where {seen.own} did"
    if seen.page == SPANS and seen.pair is not None:
        return f"{listed(seen.pair)}; below 0 the second knew better. Enter goes there."
    parted = seen.side.parted
    return verdict(seen.side.letters, parted.shares, parted.ledgers[0].unit.per)


def _of_here(seen: Seen) -> str:
    peer, own = seen.peer, seen.view.answer
    if own is not None and own.distribution is None and not seen.view.stale:
        return NOTHING_BEFORE.format(seen.own)
    if peer is not None and peer.answered is own and own is not None:
        if peer.answer is None and peer.run is not None:
            return INSIDE.format(peer.name)
        if peer.answer is not None and peer.answer.distribution is None:
            return NOTHING_BEFORE.format(peer.name)
    said = in_words(seen.here, seen.view.settings.unit)
    runs = of_runs(seen.view, peer, "more")
    return "; ".join(filter(None, (said, runs))) if said else WAITS


def of_runs(view: View, peer: Peer | None, what: str) -> str:
    """That saved runs keep no ``what`` of a place, and how to have it; "" where both are models."""
    ways = {"A": "“Score anew”"} if view.run is not None else {}
    if peer is not None and peer.run is not None:
        ways["BCD"[view.peers.index(peer)]] = "“+ Model…”"
    load = ", ".join(f"{letter} with {way}" for letter, way in ways.items())
    return f"{'a saved run keeps' if len(ways) == 1 else 'saved runs keep'} no {what}: load {load}" if ways else ""


def of_edit(view: View) -> str:
    """Of a text and what it was before an edit."""
    if view.base is None:
        return ""
    if view.edited is None:
        return "the base text is this one: edit it"
    of_now = view.edited.ledgers[1] is view.ledger
    return ("" if of_now else "of the text before the last change: ") + edit_summary(view.edited)


def why_not(view: View, peer: Peer | None) -> str:
    """Why whole distributions cannot be compared; "" where they can."""
    if said := of_runs(view, peer, "whole distributions"):
        return f"{capital(said)}."
    if view.loaded is None or peer is None or peer.loaded is None:
        return "Add a model with the same tokens: this one in another number type, or quantised."
    if peer.match is not None and not peer.match.same:
        return f"{peer.name} has other tokens: its distributions are over another set. Spans and bits compare them."
    return ""
