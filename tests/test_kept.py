"""A session as lines: whatever was done comes back exactly; whatever the file holds, nothing but a word comes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arplay.core import kept
from arplay.core.kept import Moves, Session
from arplay.core.kept_reading import NewerError, Reader
from arplay.core.modalities.text import Text
from arplay.core.tree import Node, Tree
from tests.sessions import only, read, told
from tests.test_tree import act, actions


def lines(session: Session) -> list[str]:
    return list(kept.snapshot(session).lines())


class Writer:
    """A session that is acted on and kept line by line, as the window does it."""

    def __init__(self, start: bytes) -> None:
        self.session = only(Tree(Text.of(start)))
        self.lines = lines(self.session)

    def act(self, action: tuple[str, int, int, bytes], known: list[Node]) -> None:
        session, tree = self.session, self.session.tree
        before, last, index = tree.node, tree.node.edit, session.moves.index
        edit = act(tree, action, known)
        if edit is None and tree.node is not before:
            if action[0] == "undo" and index and session.moves.made[index - 1][1] == before.serial:
                tree.goto(before)
                session.moves.index -= 1
                tree.goto(tree.nodes[session.moves.made[index - 1][0]])
                self.lines.append(kept.undone(session.moves.undone, tree.node))
            else:
                self._moved(before, tree.node)
        elif edit is not None and tree.node is not before:
            self.lines.append(kept.grown(tree.node))
            self._moved(before, tree.node)
        elif edit is not None and tree.node.edit is not last:
            self.lines.append(kept.merged(edit, tree.node.caret))
        session.caret, session.seed = tree.node.caret, action[1]
        self.lines.append(kept.state(caret=session.caret, seed=session.seed))

    def _moved(self, origin: Node, target: Node) -> None:
        self.session.moves.push(origin.serial, target.serial, "words")
        self.lines.append(kept.moved(origin, target, "words"))


starts = st.sampled_from([b"", b"opened \xe2\x82 text\r\n\xf0\x9f\x98\x80\xff"])


def written(start: bytes, todo: list[tuple[str, int, int, bytes]]) -> Writer:
    writer = Writer(start)
    for action in todo:
        writer.act(action, list(writer.session.tree.nodes.values()))
    return writer


@settings(max_examples=150, deadline=None)
@given(starts, actions)
def test_what_was_done_comes_back_exactly_from_its_lines_and_from_the_whole(start: bytes, todo: list[Any]) -> None:
    writer = written(start, todo)
    expected = told(writer.session)
    assert told(read(writer.lines)) == expected
    assert told(read(lines(writer.session))) == expected
    assert told(read(lines(read(writer.lines)))) == expected


def test_the_comparison_sees_what_is_lost() -> None:
    """Negative control."""
    writer = written(b"x", [("type", 3, 0, b"a"), ("sample", 3, 1, b""), ("undo", 0, 0, b""), ("sample", 1, 0, b"")])
    expected = told(writer.session)
    for i in range(2, len(writer.lines)):
        reader = Reader()
        try:
            for line in writer.lines[:i] + writer.lines[i + 1 :]:
                reader.feed(line.encode())
            session = reader.session()
        except ValueError:
            continue
        assert session is not None and (told(session) != expected or i < len(writer.lines) - 1)
    step = writer.session.tree.node.step
    assert step is not None
    writer.session.tree.node.step = replace(step, u=0.25)
    assert told(writer.session) != expected


@settings(max_examples=60, deadline=None)
@given(starts, actions, st.integers(0, 10**6))
def test_cut_at_every_byte_it_is_a_state_of_before(start: bytes, todo: list[Any], at: int) -> None:
    whole = "".join(f"{line}\n" for line in written(start, todo).lines).encode()
    reader = Reader()
    for line in whole[: at % (len(whole) + 1)].split(b"\n")[:-1]:
        reader.feed(line)
    reader.session()


VALID = written(b"x", [("type", 3, 0, b"a"), ("sample", 3, 1, b""), ("undo", 0, 0, b""), ("pick", 1, 3, b"")]).lines
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(VALID) - 1), st.data())
def test_a_line_with_anything_in_a_field_is_taken_or_refused_in_words(row: int, data: st.DataObject) -> None:
    fact = json.loads(VALID[row])
    name = data.draw(st.sampled_from(sorted(fact)))
    fact[name] = data.draw(junk)
    reader = Reader()
    try:
        for line in [*VALID[:row], json.dumps(fact), *VALID[row + 1 :]]:
            reader.feed(line.encode())
        reader.session()
    except ValueError:
        pass


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_bytes_that_are_no_line_are_refused_in_words(line: bytes) -> None:
    reader = Reader()
    reader.feed(VALID[0].encode())
    with pytest.raises(ValueError):
        reader.feed(b"[" + line)


@pytest.mark.parametrize("line", ["[" * 100_000, '{"a":' * 9_000, '{"version": ' + "9" * 5000 + "}", "{}", "7", "null"])
def test_lines_that_are_hard_to_read_are_refused_in_words(line: str) -> None:
    with pytest.raises(ValueError):
        Reader().feed(line.encode())


def test_a_newer_version_is_told_from_damage() -> None:
    with pytest.raises(NewerError):
        Reader().feed(json.dumps(json.loads(VALID[0]) | {"version": kept.VERSION + 1}).encode())


def chain(count: int, branch: int) -> Tree:
    """``count`` states in a row, and before them a branch of ``branch`` states."""
    tree = Tree(Text.of(b"start"))
    for _ in range(branch):
        tree.record(tree.document.replace(0, 0, b" b"), "typed", 2)
    tree.goto(tree.root)
    for _ in range(count):
        tree.record(tree.document.replace(0, 0, b" a"), "typed", 2)
    return tree


def test_the_bound_drops_the_oldest_branch_and_then_the_oldest_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_NODES", 20)
    for count, branch, left_out, root in ((10, 9, 0, 0), (10, 12, 12, 0), (19, 1, 1, 0), (25, 3, 9, 9)):
        tree = chain(count, branch)
        moves = Moves([(n.parent.serial, n.serial, None) for n in tree.path() if n.parent], count)
        snapshot = kept.snapshot(Session(tree, moves, caret=2))
        assert (snapshot.left_out, snapshot.root.serial) == (left_out, root), (count, branch)
        again = read(snapshot.lines())
        assert again.tree.document == tree.document and again.tree.node.serial == tree.node.serial
        assert len(again.moves.made) == again.moves.index == len(again.tree.path()) - 1
        for node in again.tree.path():
            tree.goto(tree.nodes[node.serial])
            again.tree.goto(node)
            assert again.tree.document == tree.document


def test_the_bound_counts_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 200)
    snapshot = kept.snapshot(only(chain(60, 3)))
    assert 0 < len(snapshot.plans) < 60 and read(snapshot.lines()).tree.document == chain(60, 3).document
