"""The models that are compared, each with its letter, what it does now, and a button that lets it go."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from arplay.core.format import part_percent
from arplay.core.signs import safe
from arplay.gui.peers import Peer
from arplay.gui.theme import LIGHT, SPACE, Theme, icon
from arplay.gui.widgets.caption import Label, plain
from arplay.gui.widgets.push_button import quiet_button

LONG = 28
"""Characters of a name that are shown."""


class Chip(QWidget):
    """One model. ``removed``: that in its slot is to go."""

    removed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = Label(role="special")
        self.words.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.away = quiet_button("Compare no longer with it, and give its memory back", self._remove)
        self._slot = 0
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.words)
        row.addWidget(self.away)

    def minimumSizeHint(self) -> QSize:
        return QSize(40, super().minimumSizeHint().height())

    def show_model(self, letter: str, name: str, tip: str, slot: int) -> None:
        """The one in slot 0, the window's own, cannot be removed."""
        self._slot = slot
        cut = name if len(name) <= LONG else f"{name[: LONG - 1]}…"
        self.words.setText(f"{letter}  {cut}")
        self.words.setToolTip(plain(tip))
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.away.setVisible(slot != 0)
        self.away.setAccessibleName(f"Remove {safe(name)} from the comparison")

    def _remove(self) -> None:
        self.removed.emit(self._slot)

    def set_theme(self, theme: Theme) -> None:
        self.away.setIcon(icon("x", theme, "muted"))


class Chips(QWidget):
    """``removed``: the slot of a model that is to go."""

    removed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = LIGHT
        self.chips: list[Chip] = []
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE[0])

    def minimumSizeHint(self) -> QSize:
        return QSize(60, super().minimumSizeHint().height())

    def show_models(self, own: str, peers: tuple[Peer, ...]) -> None:
        """``own``: the name of the window's model, "" where there is none yet."""
        named = [(0, own, "The model of the window: Ctrl+M chooses another one")] if own else []
        named += [(peer.slot, _words(peer), _tip(peer)) for peer in peers]
        while len(self.chips) < len(named):
            self._add()
        for chip, (slot, words, tip), letter in zip(self.chips, named, "ABCD", strict=False):
            chip.show_model(letter, words, tip, slot)
        for at, chip in enumerate(self.chips):
            chip.setVisible(at < len(named))

    def _add(self) -> None:
        chip = Chip(self)
        chip.set_theme(self.theme)
        chip.removed.connect(self.removed)
        self.chips.append(chip)
        self._row.addWidget(chip)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        for chip in self.chips:
            chip.set_theme(theme)


def _words(peer: Peer) -> str:
    return f"{peer.name} ⚠" if peer.problem is not None else peer.name


def _tip(peer: Peer) -> str:
    if peer.problem is not None:
        return ". ".join(peer.problem)
    return doing(peer) or (peer.loaded.info.source if peer.loaded is not None else peer.title)


def doing(peer: Peer) -> str:
    """What it works at, as far as is known; "" where it rests."""
    if not peer.doing:
        return ""
    return f"{peer.name}: {peer.doing}" + ("" if peer.share is None else f", {part_percent(peer.share)}")
