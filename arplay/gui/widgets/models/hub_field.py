"""A model of the hub by its name: what it is and how much it would bring, then the download, then what came of it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QProgressBar, QWidget

from arplay.core.errors import Problem
from arplay.core.format import size
from arplay.gui.playground.fetching import Fetching
from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import Label, set_role
from arplay.gui.widgets.labels import capital
from arplay.gui.widgets.layouts import in_column, in_row
from arplay.gui.widgets.models.facts import Choice, download, memory, summary
from arplay.gui.widgets.push_button import push_button
from arplay.models import catalogue
from arplay.models.store.cards import Card

_HINT = (
    "Paste the name of a model of the hub, whose size and licence are shown before anything is downloaded, or the "
    "address of a server with OpenAI's completions."
)


class HubField(QFrame):
    """Shows what ``fetching`` does, one thing at a time. ``ready``: the model that was looked up is here already."""

    ready = Signal(str)
    address = Signal(str)
    """That of a server was given instead: a model there needs no looking up."""

    def __init__(self, fetching: Fetching, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self._fetching = fetching
        self.listing: Card | None = None
        self.choice = Choice()
        self._cancelled = False
        self.name = QLineEdit(self)
        self.name.setPlaceholderText("org/name, org/name@revision, or http://host:port/v1#name")
        self.name.setAccessibleName("Name of a model of the hub, or address of a server")
        self.name.setClearButtonEnabled(True)
        self.name.returnPressed.connect(self._look_up)
        self.name.textChanged.connect(self._on_text)
        self.look_up = push_button("Look up", "", self._look_up)
        self.title = Label(parent=self, role="heading")
        self.said = Label(parent=self, wrap=True)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Download")
        self.get = push_button("Get", "", self._on_get)
        self.get.setProperty("role", "primary")
        self.cancel = push_button("Cancel", "", self._on_cancel)
        self._lay_out()
        fetching.changed.connect(self.refresh)
        fetching.described.connect(self._on_described)
        fetching.fetched.connect(self._on_fetched)
        self.refresh()

    def _lay_out(self) -> None:
        first = in_row((self.name, 1), self.look_up, spacing=SPACE[1])
        told = in_column(self.title, self.bar, self.said, spacing=SPACE[0])
        second = in_row((told, 1), spacing=SPACE[2])
        for button in (self.cancel, self.get):
            second.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        in_column(first, second, on=self, margins=(SPACE[3], SPACE[2], SPACE[3], SPACE[2]), spacing=SPACE[1])

    def begin(self, card: Card) -> None:
        """Download a model that is known by its card; the name it has is shown."""
        self.listing, self._cancelled = card, False
        self._fetching.get(card.spec)
        self.refresh()

    def refresh(self) -> None:
        fetching, listing = self._fetching, self.listing
        busy = fetching.busy or fetching.describing
        title, said, warning, get = "", _HINT, False, ""
        if fetching.busy:
            title = f"Getting {listing.title if listing and listing.spec == fetching.spec else fetching.spec}"
            said = download(fetching.progress)
        elif fetching.describing:
            title, said = f"Looking up {fetching.asked}", "Asking the hub for its files and its licence"
        elif fetching.problem is not None:
            cause, remedy = (capital(part) for part in fetching.problem)
            title, said, warning = cause, remedy, True
            get = "Try again" if listing is not None and listing.spec == fetching.spec else ""
        elif listing is not None:
            title, said, get = self._listed(listing)
        self.title.setText(title)
        self.title.setWordWrap(warning)
        self.title.setVisible(bool(title))
        self.said.setText(said)
        set_role(self.title, "warning" if warning else "heading")
        set_role(self.said, "body" if title else "caption")
        keyboard = self.cancel.hasFocus() or self.get.hasFocus()
        self.bar.setVisible(fetching.busy)
        fraction = fetching.progress.fraction if fetching.progress else None
        self.bar.setRange(0, 0 if fraction is None else 1000)
        self.bar.setValue(0 if fraction is None else round(1000 * fraction))
        self.cancel.setVisible(busy)
        self.get.setVisible(bool(get) and not busy)
        self.get.setText(get)
        if keyboard:  # Get and Cancel take each other's place
            (self.cancel if busy else self.get if get else self.name).setFocus()
        self.look_up.setEnabled(not busy and bool(self.name.text().strip()))

    def _listed(self, card: Card) -> tuple[str, str, str]:
        """Title, line and button for a model that was looked up."""
        if card.state == "ready":
            return f"{card.title} is on this computer", f"{summary(card)}\nrevision {card.revision[:12]}", "Show it"
        if self._cancelled:
            return f"{card.title} was not finished", "What has come is kept; the next time goes on from there.", "Go on"
        lines = [summary(card), f"Memory: {memory(card, self.choice)}", card.problem]
        if card.revision:
            lines.insert(1, f"revision {card.revision[:12]}")
        return card.title, "\n".join(line for line in lines if line), f"Get {size(card.download_bytes)}"

    def _look_up(self) -> None:
        name = self.name.text().strip()
        try:
            at_server = catalogue.at_address(name) is not None
        except Problem as problem:
            self._fetching.refuse(problem)
            return
        if at_server:
            self.name.clear()
            self.address.emit(name)
        elif name and not self._fetching.busy:
            self.listing, self._cancelled = None, False
            self._fetching.describe(name)

    def _on_text(self) -> None:
        self._fetching.forget_problem()  # it was about another name
        self.refresh()

    def _on_described(self, listing: Card) -> None:
        self.listing = listing

    def _on_get(self) -> None:
        if self.listing is None:
            return
        if self.listing.state == "ready" and self._fetching.problem is None:
            self.ready.emit(self.listing.spec)
        else:
            self.begin(self.listing)

    def _on_cancel(self) -> None:
        self._cancelled = self._fetching.busy
        self._fetching.cancel()

    def _on_fetched(self, spec: str) -> None:
        self.listing, self._cancelled = None, False
        self.name.clear()
