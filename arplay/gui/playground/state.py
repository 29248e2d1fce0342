"""What is so in the window at this moment. The parts of the playground read it, change it by ``show``, and ask it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from arplay.core.chain import Ledger
from arplay.core.modalities.base import Document
from arplay.core.stepping import drawn_before
from arplay.core.tree import Tree
from arplay.gui.playground.undo import new_stack
from arplay.gui.settings import Settings
from arplay.gui.view import View


class State(QObject):
    """Every change ends in ``changed`` with a whole View."""

    changed = Signal(object)
    reported = Signal(str, str)
    """A problem: cause and remedy."""
    refused = Signal(str)
    """Why what was just asked for does not happen, in a sentence."""

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tree = Tree(View().document)
        self.undo_stack = new_stack()
        self.long: Document | None = None
        """A text too long to edit: the heatmap shows it whole, the editor its beginning."""
        self.looking = False  # at a place of the long text instead of the editor's
        self._held, self._dirty = 0, False
        self.view = View(settings=settings, tree=self.tree, node=self.tree.node)

    def show(self, **fields: object) -> None:
        """A new View with these fields; with none, the same one is told once more."""
        if fields:
            if fields.get("selected", self.view.selected) != self.view.selected:
                fields.setdefault("span", None)  # it began there
            if "ledger" in fields and not _is_of_one(fields["ledger"], self.view.ledger):
                fields.setdefault("magnified", None)  # of the text before
            self.view = replace(self.view, **fields)  # type: ignore[arg-type]
        self._dirty = True
        if not self._held:
            self._dirty = False
            self.changed.emit(self.view)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """All that happens inside is shown together, as one View."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if self._dirty:
                self.show()

    def has_model(self) -> bool:
        """Whether a model is there to be asked; where none is, that is told."""
        if (lacking := self.view.lacks_model) is not None:
            self.reported.emit(*lacking)
        return lacking is None

    @property
    def document(self) -> Document:
        return self.tree.document

    @property
    def scored_document(self) -> Document:
        return self.long if self.long is not None else self.tree.document

    @property
    def ledger(self) -> Ledger | None:
        """The scores, if they are of what the heatmap shows now."""
        ledger = self.view.ledger
        return ledger if ledger is not None and ledger.encoded.is_of(self.scored_document) else None

    @property
    def drawn_before(self) -> tuple[float, ...]:
        """What stages recall of the tokens before the caret; nothing where none does."""
        recalls = self.view.settings.decoding.recalls and not self.looking
        return drawn_before(self.tree.node, self.view.caret) if recalls else ()

    def busy_scoring(self) -> bool:
        return self.view.lacks_scores_of(self.scored_document)


def _is_of_one(one: object, other: object) -> bool:
    """Whether both are scores of one text that is read once."""
    return isinstance(one, Ledger) and isinstance(other, Ledger) and one.encoded is other.encoded
