"""Pictures as lines, alone and beside a text: whatever was painted comes back exactly; damage costs one document."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arplay.core import kept
from arplay.core.kept import Session
from arplay.core.kept_reading import Reader
from arplay.core.modalities.image import Paint, Picture, Raster
from arplay.core.modalities.text import Text
from arplay.core.tree import Step, Tree
from tests.sessions import only, read, told

LEVELS = ".-+#"
RASTER = Raster(2, 3, LEVELS, (5, 0, 4, 1, 3, 2))
STEP = Step(id=0, index=0, logprob=float("-inf"), prob=0.0, decoded_prob=0.25, rank=4, u=0.5, seed=9)

actions = st.lists(
    st.tuples(
        st.sampled_from(["paint", "paint", "sample", "pick", "open", "undo", "jump"]),
        st.integers(0, 5),
        st.none() | st.integers(0, 3),
        st.integers(0, 100),
    ),
    max_size=30,
)


class Painter:
    """A picture that is acted on and kept line by line, as the window does it."""

    def __init__(self) -> None:
        tree = Tree(RASTER.blank())
        tree.root.caret = 0
        self.session = Session(tree)
        self.lines = list(kept.snapshot(self.session).lines())

    def act(self, what: str, cell: int, level: int | None, number: int) -> None:
        tree, session = self.session.tree, self.session
        before, picture = tree.node, tree.document
        assert isinstance(picture, Picture)
        if what == "paint":
            tree.record(picture.paint({cell, (cell + number) % 6}, level), "painted", number % 7)
        elif what == "open":
            cells = tuple((number + i) % 4 if i % 5 else None for i in range(6))
            tree.record(picture.become(replace(picture, cells=cells)), "opened", 0)
            tree.node.name = "a.png" if tree.node is not before else tree.node.name
        elif what in ("pick", "sample"):
            edit, caret = picture.take(cell, number % 4, RASTER)
            tree.record(edit, "picked" if what == "pick" else "sampled", caret, replace(STEP, id=number % 4))
        elif what == "jump":
            tree.goto(list(tree.nodes.values())[number % tree.count])
        elif session.moves.index and session.moves.made[session.moves.index - 1][1] == before.serial:
            session.moves.index -= 1
            tree.goto(tree.nodes[session.moves.made[session.moves.index][0]])
            self.lines.append(kept.undone(session.moves.undone, tree.node))
            before = tree.node
        if tree.node is not before:
            if what != "jump":
                self.lines.append(kept.grown(tree.node))
            session.moves.push(before.serial, tree.node.serial, None)
            self.lines.append(kept.moved(before, tree.node, None))
        session.caret, session.seed = number % 7, number
        self.lines.append(kept.state(caret=session.caret, seed=session.seed))


def painted(todo: list[Any]) -> Painter:
    painter = Painter()
    for action in todo:
        painter.act(*action)
    return painter


@settings(max_examples=150, deadline=None)
@given(actions)
def test_what_was_painted_comes_back_exactly(todo: list[Any]) -> None:
    painter = painted(todo)
    expected = told(painter.session)
    assert told(read(painter.lines)) == expected
    again = read(kept.snapshot(painter.session).lines())
    assert told(again) == expected
    assert places(again) == places(read(painter.lines)) == places(painter.session)


def places(session: Session) -> list[int | None]:
    """Where each stroke was made, to which undo goes back; two strokes are alike without it."""
    edits = (node.edit for node in session.tree.nodes.values())
    return [edit.caret if isinstance(edit, Paint) else None for edit in edits]


def test_the_comparison_sees_another_level_and_another_size() -> None:
    """Negative control."""
    session = painted([("paint", 0, 1, 0), ("sample", 2, None, 3)]).session
    lines = list(kept.snapshot(session).lines())
    for old, new in (('"paint":[[0,1]]', '"paint":[[0,2]]'), ('["???","???"]', '["??","??","??"]')):
        assert any(old in line for line in lines)
        assert told(read(line.replace(old, new) for line in lines)) != told(session)
    assert places(read(line.replace('"from":2', '"from":3') for line in lines)) != places(session)


def both() -> Session:
    text = only(Tree(Text.of(b"a text")))
    text.tree.record(text.tree.document.replace(6, 6, b"!"), "typed", 7)
    return replace(painted([("paint", 0, 1, 0), ("sample", 2, None, 3)]).session, beside=(text,))


def test_a_text_beside_a_picture_comes_back_with_it() -> None:
    session = read(kept.snapshot(both()).lines())
    assert told(session) == told(both()) and [told(one) for one in session.beside] == [told(both().beside[0])]
    again = replace(session.beside[0], beside=(replace(session, beside=()),))
    assert told(read(kept.snapshot(again).lines()).beside[0]) == told(session)


LINES = list(kept.snapshot(both()).lines())


@pytest.mark.parametrize("row", range(1, len(LINES)))
def test_a_damaged_line_costs_no_other_document(row: int) -> None:
    second = [i for i, line in enumerate(LINES) if line.startswith('{"root":')][1]
    reader = Reader()
    refused = 0
    for i, line in enumerate(LINES):
        try:
            reader.feed(line.encode() if i != row else b'{"node":')
        except ValueError:
            refused += 1
    session = reader.session()
    assert refused == 1 and session is not None
    documents = [type(one.tree.document) for one in (*session.beside, session)]
    if row < second:
        assert documents[-1] is Picture and told(session) == told(both())
    else:
        assert documents[0] is Text and told((*session.beside, session)[0]) == told(both().beside[0])


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([0, 3, 4, 5, 6]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(LINES) - 1), st.data())
def test_anything_in_a_field_is_taken_or_refused_in_words(row: int, data: st.DataObject) -> None:
    fact = json.loads(LINES[row])
    inside = data.draw(st.sampled_from([fact, *(part for part in fact.values() if isinstance(part, dict))]))
    inside[data.draw(st.sampled_from(sorted(inside)))] = data.draw(junk)
    reader = Reader()
    for line in [*LINES[:row], json.dumps(fact), *LINES[row + 1 :]]:
        with contextlib.suppress(ValueError):
            reader.feed(line.encode())
    try:
        session = reader.session()
    except ValueError:
        return
    for tree in [one.tree for one in (*session.beside, session)] if session else ():
        for node in tree.nodes.values():
            tree.goto(node)
            picture = tree.document
            if isinstance(picture, Picture):
                assert 0 < len(picture) <= 1024 and len(picture) % picture.width == 0
                assert all(cell is None or 0 <= cell < len(picture.signs) for cell in picture.cells)


ROOT = {"root": {"signs": LEVELS, "rows": ["???", "???"]}, "number": 0, "caret": 0, "name": None}
NODE = {"node": 1, "parent": 0, "kind": "painted", "paint": [[0, 1]], "caret": 1}
STRANGE: list[dict[str, Any]] = [
    {"root": {"signs": LEVELS, "rows": "???"}},
    {"root": {"signs": LEVELS, "rows": ["???", "??"]}},
    {"root": {"signs": LEVELS, "rows": ["?" * 4097]}},
    {"root": {"signs": LEVELS, "rows": []}},
    {"root": {"signs": LEVELS, "rows": [""]}},
    {"root": {"signs": LEVELS, "rows": ["x"]}},
    {"root": {"signs": "..", "rows": ["."]}},
    {"root": {"signs": ".?", "rows": ["."]}},
    {"root": {"signs": ".\n", "rows": ["."]}},
    {"root": {"signs": None, "rows": ["."]}},
    {"caret": 7},
    {"kind": "typed"},
    {"kind": "retokenised"},
    {"paint": [[6, 1]]},
    {"paint": [[0, 4]]},
    {"paint": [[0, True]]},
    {"paint": [[-1, 1]]},
    {"paint": [[0, 1], [0, 2]]},
    {"paint": [[0, 1, 2]]},
    {"paint": {"0": 1}},
    {"step": [4, 0, -0.5, 0.5, 0.5, 1, None, None]},
    {"set": {"long": "a long text"}},
    {"at": 0, "cut": 0, "put": ["a"], "caret": 0},
]


@pytest.mark.parametrize("change", STRANGE)
def test_what_no_picture_has_is_refused(change: dict[str, Any]) -> None:
    facts: list[dict[str, Any]] = [json.loads(LINES[0]), ROOT, NODE]
    if "set" in change or "put" in change:
        facts.append(change)
    else:
        changed = 1 if set(change) & {"root"} else 2
        facts[changed] = facts[changed] | change
    reader = Reader()
    with pytest.raises(ValueError):
        for fact in facts:
            reader.feed(json.dumps(fact).encode())
        reader.session()


def test_what_a_picture_has_is_taken() -> None:
    """Negative control."""
    document = read(map(json.dumps, [json.loads(LINES[0]), ROOT, NODE])).tree.document
    assert isinstance(document, Picture) and document.rows == ["-??", "???"]


FIRST_VERSION = [
    '{"arplay":"session","version":1,"closed":false,"written":false,"begins":"x"}',
    '{"root":["x"],"number":0,"caret":1,"name":null}',
    '{"undone":0,"to":0}',
    '{"set":{"caret":1,"seed":0,"model":null,"long":null}}',
    '{"node":1,"parent":0,"kind":"typed","at":1,"cut":0,"put":["a"],"caret":2}',
    '{"move":[0,1,"words"]}',
    '{"at":2,"cut":0,"put":["b"],"caret":3}',
    '{"node":2,"parent":1,"kind":"sampled","at":3,"cut":0,"put":[{"vocabulary":"v","ids":[1],"pieces":[" "]}],'
    '"caret":4,"step":[1,0,-1.0,0.37,0.4,1,0.5,1]}',
    '{"move":[1,2,"words"]}',
    '{"undone":1,"to":1}',
    '{"set":{"caret":3,"seed":5,"model":"abc"}}',
]


def test_a_journal_of_the_first_version_is_read() -> None:
    session = read(FIRST_VERSION)
    assert isinstance(session.tree.document, Text) and session.tree.document.data == b"xab"
    assert (session.caret, session.seed, session.model, session.moves.undone) == (3, 5, "abc", 1)
    session.tree.goto(session.tree.nodes[2])
    assert session.tree.document.data == b"xab " and told(read(kept.snapshot(session).lines())) == told(session)


def test_the_bound_counts_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 400)
    session = painted([("paint", i % 6, i % 4, 1) for i in range(60)]).session
    snapshot = kept.snapshot(session)
    assert 0 < len(snapshot.plans) < 60 and snapshot.left_out == session.tree.count - len(snapshot.plans) - 1
    assert read(snapshot.lines()).tree.document == session.tree.document
