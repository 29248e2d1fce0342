"""Every model that is here or could be: choose one, look one up on the hub, get it, load it, remove it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QMessageBox,
    QStackedLayout,
    QWidget,
)

from arplay.core.errors import Problem
from arplay.core.format import part_percent
from arplay.core.signs import markup
from arplay.engine.messages import Progress
from arplay.gui.playground.fetching import Fetching
from arplay.gui.store import Store
from arplay.gui.theme import SPACE, Theme, icon
from arplay.gui.view import View
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.labels import capital
from arplay.gui.widgets.layouts import in_column, in_row
from arplay.gui.widgets.models.details import Details
from arplay.gui.widgets.models.hub_field import HubField
from arplay.gui.widgets.models.rows import ModelList, ModelRows
from arplay.gui.widgets.push_button import push_button
from arplay.models import catalogue, devices, families
from arplay.models.family import Family
from arplay.models.gguf import ways as gguf_ways
from arplay.models.store.cards import Card

WALK = (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp)


class ModelBrowser(QDialog):
    """Beside the window, not in its way. ``load``: spec, device and number type of the model that is wanted;
    ``compare``: the same of one that is to stand beside the window's own."""

    load = Signal(str, str, str)
    compare = Signal(str, str, str)

    def __init__(self, store: Store, fetching: Fetching, parent: QWidget) -> None:
        super().__init__(parent)
        self._store, self._fetching = store, fetching
        self._view = View()
        self._progress: Progress | None = None
        self._asked: str | None = None  # the spec that is being loaded from here
        self._cards: list[Card] = []
        self._free = 0
        self._beside = False
        self.setWindowTitle("Models")
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Search by name, family or licence")
        self.search.setAccessibleName("Search the models")
        self.search.setClearButtonEnabled(True)
        self._glass = QAction(self.search)
        self.search.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        QShortcut(QKeySequence.StandardKey.Find, self, self.search.setFocus)
        self.rows = ModelRows(self)
        self.list = ModelList(self.rows, self)
        self.details = Details(self)
        self.hub = HubField(fetching, self)
        self._lay_out()
        self.search.textChanged.connect(self._fill)
        self.list.selected.connect(self._show_details)
        self.list.chosen.connect(self._on_enter)
        self.list.unwanted.connect(self._remove)
        self.list.typed.connect(self._search_on)
        self.details.load.connect(self._load)
        self.details.get.connect(self._get)
        self.details.remove.connect(self._remove)
        self.details.show_folder.connect(self._show_folder)
        self.details.changed.connect(self._show_choice)
        self.hub.ready.connect(self.select)
        self.hub.address.connect(self.add)
        fetching.changed.connect(self._show_choice)
        fetching.fetched.connect(self._on_fetched)
        there = self.screen().availableSize()
        self.resize(min(940, there.width() - 2 * SPACE[3]), min(680, there.height() - 4 * SPACE[3]))

    def _lay_out(self) -> None:
        self.nothing = Label(
            "No model matches the search.\nClear it, or look one up by its name below.", self, role="caption"
        )
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        place = QWidget(self)
        self._pages = QStackedLayout(place)
        self._pages.addWidget(self.list)
        self._pages.addWidget(self.nothing)
        left = in_column(self.search, (place, 1), spacing=SPACE[1])
        middle = in_row((left, 1), self.details, spacing=SPACE[2])
        in_column((middle, 1), self.hub, self._bottom(), on=self, margins=SPACE[3], spacing=SPACE[2])

    def _bottom(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE[1])
        for family in (families.FAMILIES[0], *families.file_families()):
            button = push_button(
                f"Open {family.file}…", family.what, lambda *_, family=family: self.open_file(family), parent=self
            )
            row.addWidget(button)
        row.addStretch(1)
        close = push_button("Close", "", self.reject, parent=self)
        row.addWidget(close)
        return row

    # ---- what is shown

    def open_at(self, spec: str = "", beside: bool = False) -> None:
        """Show the list as it is now, at the model ``spec`` or at the one in use.

        ``beside``: a model is chosen that stands beside the one in use.
        """
        self._beside = beside
        self.setWindowTitle("Compare with a model" if beside else "Models")
        self.details.verb = "Compare" if beside else "Load"
        self.search.clear()  # what is typed now begins a search
        self.refresh()
        self.show()
        self.activateWindow()
        self.select(spec or self.rows.current)
        self.list.setFocus()

    def refresh(self) -> None:
        """Look at the disk again."""
        self._cards = catalogue.cards(self._store.recent("recent_models"))
        self._free, _ = devices.memory()
        self._fill()

    def select(self, spec: str) -> None:
        """Go to a model, and end a search that hides it."""
        if self.rows.row_of(spec) is None and any(card.spec == spec for card in self._cards):
            self.search.clear()
        self._go_to(spec)

    def _go_to(self, spec: str) -> None:
        row = self.rows.row_of(spec)
        if row is None:
            row = next((i for i, one in enumerate(self.rows.rows) if one.card is not None), None)
        if row is not None:
            self.list.setCurrentIndex(self.rows.index(row, 0))
            self.list.scrollTo(self.rows.index(row, 0))

    @property
    def card(self) -> Card | None:
        index = self.list.currentIndex()
        return self.rows.rows[index.row()].card if index.isValid() and index.row() < len(self.rows.rows) else None

    def show_view(self, view: View) -> None:
        """The model in use, and what became of a load that was asked for here."""
        former, self._view = self._view, view
        if not self.isVisible() or (view.loaded, view.busy, view.problem) == (
            former.loaded,
            former.busy,
            former.problem,
        ):
            return
        if self._asked is not None and view.busy is None:
            self._asked = None
            if view.problem is None and view.loaded is not former.loaded:
                self.accept()
            elif view.problem is not None:
                self._show_choice()
                self.details.problem.say(". ".join(capital(part) for part in view.problem))
                return
        self._show_choice()

    def show_progress(self, progress: Progress | None) -> None:
        self._progress = progress
        if self._asked is not None:
            self._show_details()

    def set_theme(self, theme: Theme) -> None:
        self._glass.setIcon(icon("magnifying-glass", theme, "muted"))
        self.list.set_theme(theme)

    def _fill(self) -> None:
        spec = self.card.spec if self.card is not None else ""
        self.rows.show_cards(self._cards, self.search.text())
        self._pages.setCurrentIndex(0 if self.rows.rows else 1)
        self._go_to(spec)
        self._show_choice()

    def _show_choice(self) -> None:
        """How a model would be loaded tells how much memory it needs: rows, details and the hub's listing say so."""
        choice, getting = self.details.choice(self._free), self._fetching
        fraction = getting.progress.fraction if getting.progress else None
        self.rows.show_state(choice, self._current(), (getting.spec if getting.busy else "", fraction))
        if self.hub.choice != choice:
            self.hub.choice = choice
            self.hub.refresh()
        self._show_details()

    def _show_details(self) -> None:
        card, loaded = self.card, self._view.loaded
        info = loaded.info if loaded is not None and card is not None and card.spec == self.rows.current else None
        loading = None
        if self._asked is not None:
            share = self._progress.fraction if self._progress else None
            loading = "Loading…" if share is None else f"Loading {part_percent(share)}"
        elif card is not None and self._fetching.busy and self._fetching.spec == card.spec:
            loading = "Downloading…"
        self.details.show_card(card, self.details.choice(self._free), info, loading)

    def _current(self) -> str:
        """The model in use, by the name that its card has (without the way that a GGUF file is run)."""
        loaded = self._view.loaded
        return gguf_ways.split(catalogue.spec_of(loaded.info.source))[0] if loaded is not None else ""

    # ---- what the user does

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """From the search the arrows walk in the list, and Enter loads what stands chosen there."""
        if self.search.hasFocus() and event.key() in WALK:
            self.list.keyPressEvent(event)
        elif self.search.hasFocus() and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._on_enter()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)

    def _search_on(self, text: str) -> None:
        """What is typed in the list goes on with the search."""
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)
        self.search.end(False)
        self.search.insert(text)

    def open_file(self, family: Family) -> None:
        if family.suffix:
            kind = f"{capital(family.file)} (*{family.suffix})"
            path, _ = QFileDialog.getOpenFileName(self, f"Open a {family.file}", filter=kind)
        else:
            path = QFileDialog.getExistingDirectory(self, "Open a model folder")
        if path:
            self.add(path)

    def add(self, path: str) -> None:
        """Put a folder, file or address on the list and choose it: what it is is seen before it loads."""
        self._store.add_recent("recent_models", path)
        self.search.clear()
        self.open_at(path, self._beside)

    def _on_enter(self) -> None:
        if self.details.main.isEnabled():
            self.details.main.click()

    def _load(self) -> None:
        choice = self.details.choice(self._free)
        if self._beside:
            self.accept()
            self.compare.emit(self.details.spec(), choice.device, choice.dtype)
            return
        self._asked, self._progress = self.details.spec(), None
        self._show_details()
        self.load.emit(self._asked, choice.device, choice.dtype)

    def _get(self) -> None:
        if self.card is not None:
            self.hub.begin(self.card)

    def _on_fetched(self, spec: str) -> None:
        if self.isVisible():
            self.refresh()
            self.select(spec)
            self.list.setFocus()

    def _show_folder(self) -> None:
        if self.card is not None:
            path = self.card.path
            folder = path if path.is_dir() else next(parent for parent in path.parents if parent.is_dir())
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _remove(self) -> None:
        card = self.card
        if card is None or not self.details.away.isEnabled() or not self._agreed(card):
            return
        try:
            if card.origin in ("file", "server"):
                self._store.remove_recent("recent_models", card.spec)
            else:
                catalogue.remove(card.spec)
        except Problem as problem:
            self.details.problem.say(str(problem))
            return
        row = self.list.currentIndex().row()
        self.refresh()
        self.list.setCurrentIndex(self.rows.index(min(row, len(self.rows.rows) - 1), 0))
        self._show_details()

    def _agreed(self, card: Card) -> bool:
        """Deleting is asked for; taking a file off the list loses nothing but the entry, and is asked all the same."""
        listed = card.origin in ("file", "server")
        box = QMessageBox(self)
        box.setWindowTitle("Forget a model" if listed else "Remove a model")
        title = markup(card.title)
        box.setText(f"<b>Take {title} off the list?</b>" if listed else f"<b>Remove {title}?</b>")
        if card.origin == "server":
            box.setInformativeText(f"The server {markup(card.spec)} stays as it is.")
        elif listed:
            box.setInformativeText(f"Its files stay in {markup(str(card.path.parent))}.")
        else:
            stays = " It is in use and stays loaded until another is chosen." if card.spec == self.rows.current else ""
            box.setInformativeText(f"Its files are deleted from this computer. It can be downloaded again.{stays}")
        yes = box.addButton("Take it off" if listed else "Remove it", QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.exec()
        return box.clickedButton() is yes
