"""The real window, used by nobody: ``python -m tests.kill_child KIND FILE`` does something until it is killed.

Each state that the window shows is a line on standard output, with the time at which it came.
"""

from __future__ import annotations

import hashlib
import random
import sys
import time
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QPlainTextEdit

from arplay.core.modalities.image import Picture
from arplay.core.tree import Node
from arplay.gui import app
from arplay.gui.canvases.picture.painted import Painted
from arplay.gui.intents import Change, Do, Goto, Take
from arplay.gui.main_window import MainWindow
from arplay.gui.options import WindowOptions

KEYS = [Qt.Key.Key_Backspace, Qt.Key.Key_Delete, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End]


class User:
    """What is done at random, and what is seen then."""

    def __init__(self, kind: str, file: Path) -> None:
        self.kind, self.file = kind, file
        self.random = random.Random(time.monotonic_ns())
        self.nodes: dict[int, tuple[object, int]] = {}
        self.sum = 0
        self.tree: object = None

    def start(self) -> None:
        self.window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))
        self.play = self.window.playground
        self.say("restored")
        self.play.changed.connect(self.on_change)
        self.play.undo_stack.indexChanged.connect(self.on_change)
        self.timer = QTimer(self.window)
        self.timer.timeout.connect(self.act)
        self.timer.start(4)

    def on_change(self, _: object) -> None:
        self.say("state")

    def say(self, what: str) -> None:
        line = f"{what} {time.monotonic():.4f} {self.digest()}\n"
        sys.stdout.buffer.write(line.encode())
        sys.stdout.buffer.flush()

    def digest(self) -> str:
        """All nodes (kept as a sum: only the current one changes), where one stands, what can be undone, seed."""
        play = self.play
        tree, stack = play.tree, play.undo_stack
        if tree is not self.tree:
            self.tree, self.nodes, self.sum = tree, {}, 0
        for node in (*(n for s, n in tree.nodes.items() if s not in self.nodes), tree.node):
            self._add(node)
        text = hash_of(tree.document.rows if isinstance(tree.document, Picture) else tree.document.runs)
        undo, seed = f"{stack.index()}.{stack.count()}", play.view.settings.seed
        return f"{self.sum:x}.{len(tree.nodes)}.{tree.node.serial}.{undo}.{seed}.{text:x}"

    def _add(self, node: Node) -> None:
        known = self.nodes.get(node.serial)
        if known is None or known[0] is not node.edit:
            parent = node.parent.serial if node.parent else -1
            value = hash_of((node.serial, parent, node.kind, node.edit, node.step, node.name))
            self.sum = (self.sum + value - (known[1] if known else 0)) % 2**64
            self.nodes[node.serial] = (node.edit, value)

    def act(self) -> None:
        dice = self.random
        getattr(self, f"act_{self.kind}")(dice)

    def act_typing(self, dice: random.Random) -> None:
        field = self.window.panels["editor"].findChild(QPlainTextEdit)
        assert field is not None
        roll = dice.random()
        if roll < 0.7:
            QTest.keyClicks(field, dice.choice(["A", "b", "C", " ", "x y"]))
        elif roll < 0.85:
            shift = dice.random() < 0.25
            QTest.keyClick(
                field,
                dice.choice(KEYS),
                Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier,
            )
        elif roll < 0.93:
            self.play.undo_stack.undo()
        else:
            self.play.undo_stack.redo()

    def act_painting(self, dice: random.Random) -> None:
        play = self.play
        if not isinstance(play.document, Picture):
            return
        roll = dice.random()
        if roll < 0.6:
            play.handle(Painted((dice.randrange(9),), dice.choice([None, 0, 1])))
        elif roll < 0.8:
            play.handle(Do(dice.choice(["step", "rewind", "reroll"])))  # type: ignore[arg-type]
        elif roll < 0.9:
            play.undo_stack.undo()
        else:
            play.undo_stack.redo()

    def act_play(self, dice: random.Random) -> None:
        play = self.play
        roll = dice.random()
        if play.view.loaded is None:
            return
        if play.view.settings.play_per_second != 100.0:
            play.handle(Change(replace(play.view.settings, play_per_second=100.0, stop_at_eos=False)))
        if not play.view.playing:
            play.handle(Do("play"))
        elif roll < 0.01:
            play.handle(Take(dice.randrange(3)))
        elif roll < 0.02:
            play.handle(Do(dice.choice(["rewind", "reroll", "put_aside", "retokenise"])))  # type: ignore[arg-type]
        elif roll < 0.03:
            play.handle(Goto(dice.choice(list(play.tree.nodes.values()))))
        elif roll < 0.04:
            play.undo_stack.undo()

    def act_saving(self, dice: random.Random) -> None:
        self.act_typing(dice)
        if dice.random() < 0.1:
            content = hashlib.sha256(self.play.document.data).hexdigest()
            sys.stdout.buffer.write(f"saving {time.monotonic():.4f} {content}\n".encode())
            sys.stdout.buffer.flush()
            QTest.keyClick(self.window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
            sys.stdout.buffer.write(f"saved {time.monotonic():.4f} {content}\n".encode())
            sys.stdout.buffer.flush()


def hash_of(value: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(value).encode(), digest_size=8).digest())


def main() -> int:
    kind, file = sys.argv[1], Path(sys.argv[2])
    app.application()
    user = User(kind, file)
    QFileDialog.getSaveFileName = lambda *_: (str(file), "")  # type: ignore[method-assign, assignment, misc]
    waiting = QTimer()
    waiting.setSingleShot(True)
    waiting.timeout.connect(lambda: QTimer.singleShot(0, user.start))
    waiting.start(0)
    return app.run(WindowOptions(model="xo" if kind == "painting" else "abc"))


if __name__ == "__main__":
    sys.exit(main())
