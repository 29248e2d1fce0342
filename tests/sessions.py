"""Sessions as values, for comparing what was kept with what comes back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from arplay.core.kept import Moves, Session
from arplay.core.kept_reading import Reader
from arplay.core.tree import Tree
from arplay.gui.playground import recovery
from arplay.gui.playground.undo import moves_on, undone


def told(session: Session) -> dict[str, Any]:
    """Everything there is, in plain values: two sessions that say the same are the same."""
    tree = session.tree
    return {
        "document": tree.document,
        "start": tree.start,
        "node": tree.node.serial,
        "nodes": [
            (
                n.serial,
                n.parent and n.parent.serial,
                n.kind,
                n.edit,
                n.caret,
                n.step,
                n.name,
                [c.serial for c in n.children],
            )
            for n in tree.nodes.values()
            if n is not tree.root
        ],
        "marks": tree.marks,
        "root": (tree.root.serial, tree.root.caret, tree.root.name),
        "moves": (session.moves.made, session.moves.index),
        "values": (session.caret, session.seed, session.model, session.long, session.decoding, session.reading),
    }


def read(lines: Iterable[str]) -> Session:
    reader = Reader()
    for line in lines:
        reader.feed(line.encode())
    session = reader.session()
    assert session is not None
    return session


def of_window(window: Any) -> Session:
    """What the window shows now, whatever is on the disk."""
    play = window.playground
    stack = play.undo_stack
    commands = moves_on(stack)
    words = [words for _, _, words in window.keeping._moves.made]  # as given; the stack shows a default for None
    moves = [(c.origin.serial, c.target.serial, said) for c, said in zip(commands, words, strict=True)]
    state = window.keeping._state()
    values = {name: state[name] for name in ("model", "decoding", "reading")}
    view = play.view
    return Session(
        play.tree,
        Moves(moves, len(moves) - undone(stack)),
        view.caret,
        view.settings.seed,
        long=view.excerpt_of,
        **values,
    )


def kept_in(folder: Path) -> list[Session]:
    """The sessions in a folder, the newest first."""
    files = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    read = [recovery.read(path) for path in files]
    assert not [damage for _, damage in read if damage]
    return [session for session, _ in read if session is not None]


def only(tree: Tree) -> Session:
    return Session(tree, caret=len(tree.document))
