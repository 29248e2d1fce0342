"""History: whatever is done, every state that was ever recorded can be reached again, to the byte and id."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arplay.core.modalities.runs import Edit, Fixed, Typed
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Token
from arplay.core.tree import Node, Step, Tree

STEP = Step(id=0, index=0, logprob=-1.0, prob=0.37, decoded_prob=0.4, rank=1, u=0.5, seed=1)
TOKENS = (Token(0, b"ab"), Token(1, b" "), Token(2, "😀".encode()[:2]), Token(3, "😀".encode()[2:]), Token(4, b""))

actions = st.lists(
    st.tuples(
        st.sampled_from(["type", "type", "paste", "delete", "pick", "sample", "retokenise", "undo", "redo", "jump"]),
        st.integers(0, 10_000),
        st.integers(0, 10_000),
        st.sampled_from([b"a", b" ", b"hello", "é".encode(), b"\xff", b"\r\n"]),
    ),
    max_size=40,
)


def act(tree: Tree, action: tuple[str, int, int, bytes], known: list[Node]) -> Edit | None:
    """Do one thing; the edit that was recorded, if it was one."""
    what, a, b, data = action
    document = tree.document
    at = a % (len(document) + 1)
    if what == "type":  # mostly where the last typing ended
        at = tree.node.caret if a % 3 else at
        edit = document.replace(at, at, data)
        tree.record(edit, "typed", at + len(data))
    elif what in ("paste", "delete"):
        end = at + b % (len(document) - at + 1)
        text = data if what == "paste" else b""
        edit = document.replace(at, end, text)
        tree.record(edit, "typed", at + len(text))
    elif what in ("pick", "sample"):
        token = TOKENS[b % len(TOKENS)]
        edit = document.put(at, token, "v" if b % 5 else "w")
        tree.record(edit, "picked" if what == "pick" else "sampled", at + len(token.data), replace(STEP, id=token.id))
    elif what == "retokenise":
        edit = document.retokenise()
        tree.record(edit, "retokenised", at)
    else:
        target = {
            "undo": tree.node.parent,
            "redo": tree.node.children[a % len(tree.node.children)] if tree.node.children else None,
            "jump": known[a % len(known)],
        }[what]
        if target is not None:
            tree.goto(target)
        return None
    return edit


def all_nodes(tree: Tree) -> list[Node]:
    found, waiting = [], [tree.root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += node.children
    return found


def restores(tree: Tree, states: dict[int, tuple[Node, Text]]) -> bool:
    """Whether every recorded state comes back exactly, from wherever the one before it was."""
    for node, document in states.values():
        tree.goto(node)
        if tree.document != document or tree.node is not node:
            return False
    return True


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([b"", b"opened \xe2\x82 text\r\n"]), actions)
def test_every_state_can_be_reached_again_exactly(start: bytes, todo: list[tuple[str, int, int, bytes]]) -> None:
    tree = Tree(Text.of(start))
    states = {id(tree.root): (tree.root, tree.document)}
    for action in todo:
        before = tree.document
        edit = act(tree, action, [node for node, _ in states.values()])
        if edit is not None:
            assert tree.document == before.apply(edit), "merging typing loses nothing"
            assert tree.document.data == b"".join(run.data for run in tree.document.runs)
        states[id(tree.node)] = (tree.node, tree.document)
    here = tree.node
    assert set(map(id, all_nodes(tree))) == set(states)
    assert restores(tree, states)
    assert restores(tree, dict(reversed(states.items())))
    tree.goto(here)
    assert [node.parent for node in tree.path()] == [None, *tree.path()[:-1]]


@pytest.mark.parametrize("seed", range(3))
def test_every_state_of_a_long_session_can_be_reached_again(seed: int) -> None:
    """Thousands of states, mostly sampled: documents are kept on the way, and fixed runs are long."""
    chance = random.Random(seed)
    tree = Tree(Text.of(b"a"))
    known, states = [tree.root], {id(tree.root): (tree.root, tree.document)}
    whats = ["sample"] * 60 + ["type", "type", "paste", "pick", "undo", "jump", "retokenise"]
    for _ in range(2500):
        what, a, b = chance.choice(whats), chance.randrange(10_000), chance.randrange(10_000)
        if what == "sample":
            token = TOKENS[b % len(TOKENS)]
            end = len(tree.document)
            tree.record(tree.document.put(end, token, "v"), "sampled", end + len(token.data), STEP)
        else:
            act(tree, (what, a, b, chance.choice([b"a", b" ", b"hello", b"\xff"])), known)
        if id(tree.node) not in states:
            known.append(tree.node)
        states[id(tree.node)] = (tree.node, tree.document)
    assert len(states) > 2000 and max(len(document.runs) for _, document in states.values()) > 3
    some = dict(chance.sample(sorted(states.items()), 400))
    assert restores(tree, some)
    exact = {key: (node, Text(tuple(document.runs))) for key, (node, document) in some.items()}
    assert restores(tree, exact)


class Careless(Tree):
    """A broken tree: it jumps to the node but undoes only one edit on the way."""

    def goto(self, target: Node) -> None:
        if target is self.node.parent:
            super().goto(target)
        self.node = target


def test_the_rule_catches_a_tree_that_forgets_edits() -> None:
    """Negative control."""
    tree = Careless(Text.of(b"x"))
    states = {id(tree.root): (tree.root, tree.document)}
    for word in (b"a", b" ", b"b"):
        node = tree.record(tree.document.replace(1, 1, word), "typed", 2)
        states[id(node)] = (node, tree.document)
    assert not restores(tree, states)


def type_on(tree: Tree, text: bytes) -> None:
    for char in text:
        at = tree.node.caret
        tree.record(tree.document.replace(at, at, bytes([char])), "typed", at + 1)


def test_typing_is_undone_a_word_at_a_time() -> None:
    tree = Tree(Text())
    type_on(tree, b"two  words")
    assert [node.edit.inserted for node in tree.path()[1:]] == [(Typed(b"two"),), (Typed(b"  words"),)]
    assert tree.document.data == b"two  words"


def test_deleting_on_is_one_node_both_ways() -> None:
    tree = Tree(Text((Typed(b"abc"), Fixed("v", (0, 0), (b"ab", b"ab")))))
    for end in (7, 5, 3):  # backspace: two kept tokens, then a letter
        start = end - (2 if end > 3 else 1)
        tree.record(tree.document.replace(start, end, b""), "typed", start)
    assert (len(tree.path()), tree.document.data) == (2, b"ab")
    tree.goto(tree.root)
    assert tree.document.runs == (Typed(b"abc"), Fixed("v", (0, 0), (b"ab", b"ab")))
    for _ in range(3):  # forward
        tree.record(tree.document.replace(0, 1, b""), "typed", 0)
    assert (len(tree.path()), tree.document.data) == (2, b"abab")
    tree.goto(tree.root)
    assert tree.document.data == b"abcabab"


def test_typing_after_a_branch_or_a_step_is_not_merged_into_it() -> None:
    tree = Tree(Text())
    type_on(tree, b"a")
    first = tree.node
    type_on(tree, b" ")
    tree.goto(first)
    type_on(tree, b"b")
    assert tree.node is not first
    assert len(first.children) == 2
    tree.record(tree.document.put(2, TOKENS[0], "v"), "picked", 4, STEP)
    picked = tree.node
    type_on(tree, b"c")
    assert tree.node is not picked


def test_an_edit_that_changes_nothing_is_no_state() -> None:
    tree = Tree(Text.of(b"ab"))
    assert tree.record(tree.document.retokenise(), "retokenised", 0) is tree.root
    assert tree.record(tree.document.replace(1, 1, b""), "typed", 1) is tree.root
    assert not tree.root.children


def test_what_a_pick_put_aside_can_be_found_until_one_goes_back() -> None:
    tree = Tree(Text.of(b"keep the tail"))
    assert tree.put_aside() is None
    tree.record(tree.document.put(4, TOKENS[0], "v"), "picked", 6, STEP)
    tree.record(tree.document.put(6, TOKENS[0], "v"), "sampled", 8, STEP)
    whole = tree.put_aside()
    assert whole is tree.root
    assert tree.document.data == b"keepabab"
    tree.goto(whole)
    assert (tree.document.data, tree.put_aside()) == (b"keep the tail", None)


def test_what_was_put_aside_of_one_text_is_not_offered_in_the_next() -> None:
    tree = Tree(Text.of(b"keep the tail"))
    picked = tree.record(tree.document.put(4, TOKENS[0], "v"), "picked", 6, STEP)
    tree.record(tree.document.replace(0, len(tree.document), b"another text"), "opened", 0)
    assert tree.put_aside() is None
    tree.record(tree.document.put(7, TOKENS[0], "v"), "picked", 9, STEP)
    assert tree.put_aside() is not None
    tree.goto(picked)
    assert tree.put_aside() is tree.root


def test_a_pick_at_the_end_puts_nothing_aside() -> None:
    tree = Tree(Text.of(b"x"))
    tree.record(tree.document.put(1, TOKENS[0], "v"), "picked", 3, STEP)
    assert tree.put_aside() is None


def test_a_node_of_another_tree_is_refused() -> None:
    tree = Tree(Text.of(b"x"))
    with pytest.raises(ValueError, match="another tree"):
        tree.goto(Tree(Text()).root)
    assert tree.document.data == b"x"
