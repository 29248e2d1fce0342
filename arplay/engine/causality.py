"""Change token j and measure which conditionals i move, beside what the architecture connects."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from arplay.core.causality import Agreement, Bools, agreement, another, moves
from arplay.core.distribution import Floats, log_softmax, read_only
from arplay.core.errors import Problem
from arplay.core.modalities.base import Document, Ids
from arplay.core.reading import Reading
from arplay.engine.job import Steps, part_of
from arplay.engine.messages import Progress, Question, WithTokens
from arplay.engine.state import State
from arplay.models.base import Info, Model, Wired, field_of, lead, parallel, wired

MOST = 64
"""Tokens of a triangle: as many passes."""
MOST_LINE = 1152
"""Tokens of a row or a column alone: the end of a receptive field of 1,023 is in sight."""
MOST_LOGITS = 1 << 23
"""Logits of all rows together: of more rows only the first ones are looked at."""
MOST_READ = 2048
"""Tokens that are read of a document that may go on for ever."""


@dataclass(frozen=True, slots=True)
class Change(Question):
    """Change each token of ``columns`` [first, stop), and see how far each conditional of ``rows`` [first, stop) moves.

    What is read ends with the last of either. ``seed``: what the tokens are changed to. ``draws``: a single column is
    changed to so many others, with the seeds from ``seed`` on, or to as many as there are.
    """

    document: Document
    rows: tuple[int, int]
    columns: tuple[int, int]
    reading: Reading = Reading()
    seed: int = 0
    draws: int = 1


@dataclass(frozen=True, eq=False, slots=True)
class Changed(WithTokens):
    """Conditionals ``rows`` (r,) and changed tokens ``columns`` (c,), both by token index; the rest is (r, c).

    ``variation``, ``divergence`` in nats and ``moved`` as :class:`arplay.core.causality.Moves` has them; ``felt``: by
    how many nats log p of the token that stands at i rose (NaN where that is the changed one). ``ids``: of the tokens
    from 0 up to the last one; ``others``: what each column was changed to. ``declared``: what the architecture
    connects; None where it does not tell, ``wiring`` is then "". ``at_once``: one pass read all tokens, so that only a
    mask kept later ones away; else each conditional was given x_<i alone, and only what is below the diagonal was
    measured. ``read``: how many tokens the model read, the last one and those before it. ``again``: the same column
    changed to further tokens. ``blind``, (c,): of a single row, the tokens that it would read but for a fault of the
    order in which the network is connected; None where nobody tells.
    """

    document: Document
    info: Info
    first_token: str
    seed: int
    ids: Ids
    rows: Ids
    columns: Ids
    others: Ids
    variation: Floats
    divergence: Floats
    moved: Bools
    felt: Floats
    declared: Bools | None
    wiring: str
    at_once: bool
    read: int
    again: tuple[Changed, ...] = ()
    blind: Bools | None = None

    @property
    def draws(self) -> tuple[Changed, ...]:
        """Of a single column: each of the tokens that it was changed to."""
        return (self, *self.again)

    @property
    def agreement(self) -> Agreement:
        return agreement(self.rows.tolist(), self.columns.tolist(), self.moved, self.declared)


def change(state: State, request: Change) -> Steps:
    """A column after the other, or one as often as is asked. Raises Problem where nothing can be changed, or the model
    tells only some tokens."""
    if request.draws == 1:
        return (yield from _change(state, request))
    found: dict[int, Changed] = {}
    wanted = min(request.draws, len(state.tokens) - 1)
    for seed in range(request.seed, request.seed + 8 * request.draws):  # some come twice
        if len(found) >= max(1, wanted):
            break
        yield Progress(request.number, "Changing one token to several others", len(found) / max(1, wanted))
        each = yield from part_of(_change(state, replace(request, seed=seed, draws=1)))
        assert isinstance(each, Changed) and len(each.columns) == 1, "a single column"
        found.setdefault(int(each.others[0]), each)
    first, *again = found.values()
    return replace(first, again=tuple(again))


def _change(state: State, request: Change) -> Steps:
    model = state.current()
    if model.can.partial:
        raise Problem("a server that tells only some tokens cannot be measured so", "choose a model that is here")
    before, first_token = lead(model.alphabet, model.can.starts_empty, request.reading.first_token)
    document = state.encode(request.document, model.alphabet, request.reading.special).ids
    size, stop = len(state.tokens), min(len(document), max(request.rows[1], request.columns[1]))
    if stop < 2 or size < 2:
        raise Problem("there is nothing to change yet", "write two tokens at least")
    chain = [*before, *document[:stop].tolist()]
    limits = [model.info.context, MOST_READ if state.tokens.length is None else None]
    skipped = max(0, len(chain) - min(limit for limit in (*limits, len(chain)) if limit is not None))
    chain = chain[skipped:]
    shift = len(before) - skipped  # from the index of a token to its place in what is read
    given = 0 if model.can.starts_empty and first_token == "model" else 1
    rows = [i for i in range(*_within(request.rows, stop)) if i + shift >= given]
    rows = rows[: max(1, MOST_LOGITS // size)]
    columns = [j for j in range(*_within(request.columns, stop)) if j + shift >= 0]
    if not rows or not columns:
        raise Problem("nothing can be measured here", "choose a token further on, or a shorter text")
    others = [another(request.seed, j, chain[j + shift], size) for j in columns]
    places, changes = [i + shift for i in rows], [j + shift for j in columns]
    figures, moved = yield from _measured(model, request.number, chain, places, changes, others)
    at_once, tells = parallel(model), wired(model)
    reads = None if tells is None else read_only(_declared(tells, places, changes))
    blind = read_only(_blind(model, chain, places[0], changes)) if len(rows) == 1 and model.can.field else None
    indices, changed, ids = (read_only(np.array(each, np.int64)) for each in (rows, columns, others))
    variation, divergence, felt = (read_only(figure.copy()) for figure in figures)
    return Changed(
        request.number, state.tokens, request.document, model.info, first_token, request.seed,
        read_only(document[:stop].copy()), indices, changed, ids, variation, divergence, read_only(moved), felt,
        reads, "" if tells is None else tells.wiring, at_once is not None, len(chain), blind=blind,
    )  # fmt: skip


def _measured(
    model: Model, number: int, chain: list[int], places: list[int], changes: list[int], others: list[int]
) -> Generator[Progress | None, None, tuple[Floats, Bools]]:
    """Variation, divergence and what was felt, (3, r, c), and what moved, (r, c), where the tokens at ``changes`` of
    the chain become ``others``, one after the other; ``places``: of the conditionals that are looked at."""
    figures = np.zeros((3, len(places), len(changes)))
    moved = np.zeros((len(places), len(changes)), bool)
    logits = yield from _of(model, chain, places)
    real = log_softmax(logits)[np.arange(len(places)), [chain[place] for place in places]]
    for at, (change, new_id) in enumerate(zip(changes, others, strict=True)):
        yield Progress(number, "Changing one token after the other", at / len(changes))
        part = [r for r, place in enumerate(places) if parallel(model) is not None or place > change]
        if not part:
            continue
        after = yield from _of(model, [*chain[:change], new_id, *chain[change + 1 :]], [places[r] for r in part])
        found = moves(logits[part], after)
        felt = log_softmax(after)[np.arange(len(part)), [chain[places[r]] for r in part]] - real[part]
        figures[:, part, at] = found.variation, found.divergence, felt
        moved[part, at] = found.any
    figures[2][np.array(places)[:, None] == np.array(changes)[None, :]] = np.nan
    return figures, moved


def _blind(model: Model, chain: list[int], place: int, changes: list[int]) -> Bools:
    """Which of the changed tokens a conditional would read but for a fault of its network's order, (c,)."""
    missed = field_of(model, chain[:place]).blind
    back = [place - change for change in changes]  # a field may be that of the last tokens alone
    return np.array([0 < b <= len(missed) and bool(missed[-b]) for b in back])


def _within(span: tuple[int, int], stop: int) -> tuple[int, int]:
    return max(0, span[0]), min(span[1], stop)


def _of(model: Model, chain: Sequence[int], places: Sequence[int]) -> Generator[None, None, NDArray[np.floating]]:
    """Logits of what stands at these places of a chain, which rise, shape (r, V)."""
    if (whole := parallel(model)) is not None:
        first = places[0]
        found = whole.at_once(chain, first)
        yield None
        picked: NDArray[np.floating] = found[[place - first for place in places]]
        return picked
    session, rows = model.session(), []
    for place in places:
        session.read(chain[len(session.ids) : place])
        rows.append(session.logits())
        yield None
    return np.stack(rows)


def _declared(model: Wired, places: Sequence[int], changed: Sequence[int]) -> Bools:
    """Whether the architecture connects each conditional with each changed token, (r, c)."""
    found = np.zeros((len(places), len(changed)), bool)
    for r, place in enumerate(places):
        reads = model.reads(place)
        found[r] = [j < place and bool(reads[j]) for j in changed]
    return found


def triangle(count: int, index: int | None = None) -> tuple[int, int]:
    """The tokens that are changed and looked at together: the last 64 of ``count``, or those that end with ``index``.

    >>> triangle(100), triangle(100, 9), triangle(100, 80)
    ((36, 100), (0, 64), (17, 81))
    """
    stop = count if index is None else min(count, max(index + 1, MOST))
    return max(0, stop - MOST), stop
