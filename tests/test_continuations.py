"""Continuations: a trie of what was tried, beside history, and paths of it that are written into history."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arplay import paths
from arplay.core.continuations import ROOT, Continuation, Continuations, Reason, commit
from arplay.core.modalities.text import Text
from arplay.core.tree import Step, Tree
from arplay.models.families.joint import Joint
from arplay.models.families.table import Table

ASSETS = paths.assets() / "models"
START = 7

tries = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3), st.sampled_from(["picked", "sampled", "searched"])))
"""What is added: behind which node, modulo how many there are, which token, and why."""


def step_of(id: int, index: int, kind: str) -> Step:
    prob = (1 + (7 * id + index) % 13) / 20
    return Step(id, index, math.log(prob), prob, prob / 2, id + 1, 0.25 if kind == "sampled" else None)


def reason_of(kind: str) -> Reason:
    return Reason(kind, 2, 3) if kind == "searched" else Reason(kind)  # type: ignore[arg-type]


class Plain:
    """The same by lists that are compared: the whole path of each node."""

    def __init__(self) -> None:
        self.paths: list[tuple[Step, ...]] = []
        self.reasons: list[Reason] = []

    def add(self, before: tuple[Step, ...], step: Step, reason: Reason) -> int:
        for i, path in enumerate(self.paths):
            if [s.id for s in path] == [s.id for s in (*before, step)]:
                return i
        self.paths.append((*before, step))
        self.reasons.append(reason)
        return len(self.paths) - 1


def grown(trie: Continuations, todo: list[tuple[int, int, str]], plain: Plain) -> None:
    for number, id, kind in todo:
        parent = number % (len(trie) + 1) - 1
        before = () if parent == ROOT else plain.paths[parent]
        step, reason = step_of(id, START + len(before), kind), reason_of(kind)
        known = trie.child(parent, id)
        added = trie.add(parent, step, reason)
        assert added == plain.add(before, step, reason) == trie.child(parent, id)
        assert known in (None, added)


def agrees(trie: Continuations, plain: Plain) -> bool:
    def same(node: int) -> bool:
        path = plain.paths[node]
        below = [i for i, other in enumerate(plain.paths) if other[:-1] == path]
        return (
            tuple(trie[each].step for each in trie.path(node)) == path
            and trie.ids(node) == tuple(step.id for step in path)
            and math.isclose(trie.logprob(node), math.fsum(step.logprob for step in path), abs_tol=1e-9)
            and trie.children(node) == tuple(below)
            and trie[node].reason == plain.reasons[node]
        )

    first = tuple(i for i, path in enumerate(plain.paths) if len(path) == 1)
    return len(trie) == len(plain.paths) and trie.children(ROOT) == first and all(map(same, range(len(trie))))


@settings(max_examples=100, deadline=None)
@given(tries, tries)
def test_it_is_the_trie_of_what_was_added_and_nothing_in_it_changes(
    first: list[tuple[int, int, str]], more: list[tuple[int, int, str]]
) -> None:
    trie, plain = Continuations(START), Plain()
    grown(trie, first, plain)
    assert agrees(trie, plain)
    before = [trie[node] for node in range(len(trie))]
    grown(trie, more, plain)
    assert agrees(trie, plain)
    assert all(trie[node] is was for node, was in enumerate(before)), "it only grows"


@pytest.mark.parametrize("wrong", ["total", "child", "reason"])
def test_a_trie_that_is_wrong_is_noticed(wrong: str) -> None:
    trie, plain = Continuations(START), Plain()
    grown(trie, [(0, 1, "picked"), (1, 2, "sampled"), (1, 3, "searched")], plain)
    assert agrees(trie, plain)
    old = trie[2]
    if wrong == "total":
        trie._nodes[2] = Continuation(old.parent, old.step, old.reason, old.total + 1e-6)
    elif wrong == "reason":
        trie._nodes[2] = Continuation(old.parent, old.step, Reason("searched", 1, 3), old.total)
    else:
        trie._below[0] = dict(reversed(trie._below[0].items()))
    assert not agrees(trie, plain)


def test_the_root_has_no_token() -> None:
    trie = Continuations(0)
    assert (len(trie), trie.children(ROOT), trie.path(ROOT), trie.ids(ROOT), trie.logprob(ROOT)) == (0, (), (), (), 0.0)
    assert trie.child(ROOT, 0) is None
    with pytest.raises(IndexError, match="no continuation -1"):
        trie[ROOT]


def test_a_first_reason_stays() -> None:
    trie = Continuations(START)
    node = trie.add(ROOT, step_of(1, START, "picked"), Reason("picked"))
    assert trie.add(ROOT, step_of(1, START, "sampled"), Reason("sampled")) == node
    assert trie[node].why == "picked by hand" and trie[node].step.u is None


@pytest.mark.parametrize(
    ("add", "error", "said"),
    [
        (lambda trie: trie.add(0, step_of(1, START, "picked"), Reason("picked")), IndexError, "no continuation 0"),
        (lambda trie: trie.add(ROOT, step_of(1, START - 1, "picked"), Reason("picked")), ValueError, "cannot follow"),
        (lambda trie: trie.add(ROOT, step_of(1, START, "picked"), Reason("sampled")), ValueError, "sampled with u"),
        (lambda trie: trie.add(ROOT, step_of(1, START, "sampled"), Reason("picked")), ValueError, "picked with u"),
        (lambda trie: Reason("searched"), ValueError, "number 0 of 0"),
        (lambda trie: Reason("searched", 4, 3), ValueError, "number 4 of 3"),
        (lambda trie: Reason("picked", 1, 3), ValueError, "picked as number"),
    ],
)
def test_what_does_not_fit_is_refused(
    add: Callable[[Continuations], object], error: type[Exception], said: str
) -> None:
    trie = Continuations(START)
    with pytest.raises(error, match=said):
        add(trie)
    assert len(trie) == 0


# written into history

XO = Joint.load(ASSETS / "xo.json")
MODELS: dict[str, tuple[Table | Joint, Any]] = {
    "abc": (Table.load(ASSETS / "abc.json"), Text.of(b"BA tail")),
    "xo": (XO, XO.alphabet.blank()),
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(MODELS)), st.lists(st.tuples(st.integers(0, 1), st.booleans()), max_size=7))
def test_a_path_is_written_step_by_step_and_each_step_can_be_undone(name: str, path: list[tuple[int, bool]]) -> None:
    model, document = MODELS[name]
    caret = index = 2
    tokens, tree = model.alphabet.vocabulary, Tree(document)
    trie, node = Continuations(index), ROOT
    for place, (id, drawn) in enumerate(path):
        kind = "sampled" if drawn else "picked"
        node = trie.add(node, step_of(id, index + place, kind), reason_of(kind))
    states = commit(tree, caret, trie, node, tokens)
    assert [state.step for state in states] == [trie[each].step for each in trie.path(node)]
    assert [state.kind for state in states] == ["sampled" if drawn else "picked" for _, drawn in path]
    assert [state.parent for state in states] == [tree.root, *states][: len(states)]
    assert tree.node is (states[-1] if states else tree.root)
    one_by_one, expected = document, [document]
    for id, _ in path:
        edit, caret = one_by_one.take(caret, id, tokens)
        one_by_one = one_by_one.apply(edit)
        expected.append(one_by_one)
    for state, there in zip([tree.root, *states][::-1], expected[::-1], strict=True):
        tree.goto(state)
        assert tree.document == there
    if path and name == "abc":
        assert expected[-1].data == b"BA" + b"".join(b"AB"[id : id + 1] for id, _ in path)


def test_two_paths_from_one_place_are_branches_of_history() -> None:
    model, document = MODELS["abc"]
    tree, trie = Tree(document), Continuations(2)
    nodes = [trie.add(ROOT, step_of(id, 2, "picked"), Reason("picked")) for id in (0, 1)]
    for node in nodes:
        tree.goto(tree.root)
        commit(tree, 2, trie, node, model.alphabet.vocabulary)
    assert [child.step.id for child in tree.root.children if child.step is not None] == [0, 1]
    assert tree.document.data == b"BAB"


def test_what_the_document_has_between_stays() -> None:
    tokens = XO.alphabet
    document = tokens.picture(["??#", "???", "???"])
    tree, trie = Tree(document), Continuations(0)
    node = ROOT
    for index in (0, 1, 3):
        node = trie.add(node, step_of(1 - index % 2, index, "picked"), Reason("picked"))
    commit(tree, 0, trie, node, tokens)
    assert tree.document == tokens.picture(["#.#", ".??", "???"])
