"""One stage as the user has laid it out: on or off, its numbers, what it did here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QKeySequence, QMouseEvent, QPainter, QPaintEvent, QShortcut
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLineEdit, QSizePolicy, QWidget

from arplay.core.decoding.rows import Row
from arplay.core.decoding.stage import Field, Words
from arplay.core.decoding.stages import STAGES
from arplay.core.decoding.trace import Trace
from arplay.core.errors import Problem
from arplay.core.format import nats_or_bits, percent
from arplay.gui.settings import Unit
from arplay.gui.theme import LIGHT, SPACE, Theme, icon
from arplay.gui.widgets.caption import Caption, Label, plain
from arplay.gui.widgets.decoding.falling import Falling
from arplay.gui.widgets.dial import Dial, Scale
from arplay.gui.widgets.labels import capital
from arplay.gui.widgets.layouts import in_column, in_row
from arplay.gui.widgets.push_button import push_button, quiet_button
from arplay.gui.widgets.scrolling import into_sight

TARGET = 18
"""Pixels of the switch and of the handle below it."""


class StageRow(QWidget):
    """Shows a row; ``changed`` tells of a new one, ``moved`` by how many places it is to go."""

    changed = Signal(object)
    moved = Signal(int)
    dragged = Signal(QPoint)
    """The mouse is there, on the screen, while it holds the row by its handle."""
    removed = Signal()
    cancelled = Signal()
    """What it waits for is not wanted any more."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.stage = STAGES[name]
        self.row = Row(name, self.stage.check(tuple(field.given for field in self.stage.fields)))
        self._trace: Trace | None = None
        self._unit: Unit = "nats"
        self._reason: str | None = None
        self.switch = QCheckBox(self)
        self.switch.setAccessibleName(f"{self.stage.title} on")
        self.switch.setToolTip(plain(f"Switch {self.stage.title} on or off"))
        self.handle = Handle(self)
        self.handle.dragged.connect(self.dragged)
        self.switch.clicked.connect(self._on_switch)
        self.inputs = [self._input(at, field) for at, field in enumerate(self.stage.fields)]
        self.did = Did(self)
        self.open = quiet_button("More of this stage", self._show_more)
        self.open.setCheckable(True)
        self.open.setFixedSize(TARGET + 4, TARGET)
        self.problem = Label(role="warning", wrap=True)
        self.problem.hide()
        self.waits = QWidget(self)
        self.loading = Caption()
        stop = push_button("Cancel", f"Load no second model for {self.stage.title}", self.cancelled, role="chip")
        in_row((self.loading, 1), stop, on=self.waits)
        self.waits.hide()
        self.more = QWidget(self)
        self._build_more()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE[0])
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        left = in_column(self.switch, (self.handle, 1), margins=(0, SPACE[1], 0, 0), spacing=0)
        grid.addLayout(left, 0, 0)
        grid.addWidget(self.inputs[0], 0, 1)
        line = in_row((self.did, 1), self.open, spacing=0)
        grid.addLayout(line, 1, 1)
        grid.addWidget(self.problem, 2, 1)
        grid.addWidget(self.waits, 3, 1)
        grid.addWidget(self.more, 4, 1)
        for keys, slot in (("Alt+Up", self._up), ("Alt+Down", self._down)):
            shortcut = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)

    def _build_more(self) -> None:
        self.facts = Label(role="caption", wrap=True)
        self.facts.setToolTip(
            "Entropy before and after the stage, and KL(what it leaves || the model's own p): how far it has come"
        )
        self.chart = Falling()
        self.remove = push_button("Remove", f"Take {self.stage.title} out of the list", self.removed, role="chip")
        inside = in_column(
            *self.inputs[1:], self.facts, self.chart, on=self.more, margins=(0, SPACE[0], 0, SPACE[0]), spacing=SPACE[0]
        )
        inside.addWidget(self.remove, 0, Qt.AlignmentFlag.AlignLeft)
        self.more.hide()

    def _input(self, at: int, field: Field | Words) -> Dial | Text:
        title, does = self.stage.title, self.stage.does
        if at:
            title, does = field.name.capitalize(), f"{self.stage.title}: {field.allowed}."
        made: Dial | Text
        if isinstance(field, Words):
            made = Text(title, does, field.allowed, self)
        else:
            scale = Scale.of(field)
            if at:
                made = Dial(
                    title, does, replace(scale, neutral=field.given), "Double-click: the usual one.", False, self
                )
            else:
                made = Dial(title, does, scale, says_off=not field.low < field.neutral < field.high, parent=self)
        made.setObjectName(self.stage.name if not at else f"{self.stage.name} {field.name}")
        made.changed.connect(self._on_input)
        return made

    @property
    def stops(self) -> list[QWidget]:
        """What the Tab key goes through."""
        fields = [each.field for each in self.inputs]
        return [self.switch, fields[0], self.open, *fields[1:], self.remove]

    # ---- showing

    def show_row(self, row: Row, reason: str | None) -> None:
        """``reason``: why nothing of it matters now, if that is so."""
        self.row = row
        self.switch.setChecked(row.works)
        if reason != self._reason:
            self._reason = reason
            self.switch.setEnabled(reason is None)
            self.switch.setToolTip(plain(reason or f"Switch {self.stage.title} on or off"))
            for each in self.inputs:
                each.set_reason(reason)
        for each, value in zip(self.inputs, row.values, strict=True):
            if isinstance(each, Text):
                each.show_value(str(value))
            else:
                each.show_value(float(value))

    def show_place(self, at: int, of: int) -> None:
        where = f"{self.stage.title}, stage {at + 1} of {of}"
        self.handle.setAccessibleName(f"Move {where}")
        self.handle.setToolTip(f"{where}: drag it, or press Alt+↑ or Alt+↓ in its fields")
        self.open.setAccessibleName(f"More of {self.stage.title}")

    def show_trace(self, trace: Trace | None, unit: Unit) -> None:
        self._trace, self._unit = trace, unit
        gone = f" · {percent(trace.removed)} removed" if trace is not None and trace.gone else ""
        off = "switched off" if not self.row.on else ""
        self.did.show_text(off if trace is None else f"{trace.kept:,} left{gone}")
        if self.more.isVisible():
            self._show_facts()

    def show_problem(self, problem: Problem | None) -> None:
        self.problem.setVisible(problem is not None)
        self.problem.setText("" if problem is None else f"{capital(problem.cause)}: {problem.remedy}.")

    def show_wait(self, doing: str) -> None:
        """What is done for the second distribution that it waits for; empty where it waits for none."""
        self.loading.show_text(doing)
        self.waits.setVisible(bool(doing))

    def entropies(self) -> str:
        """Before and after, and how far from the model's own; computed when it is asked for."""
        if self._trace is None:
            return "It has done nothing here"
        if self._trace.entropies is None or self._trace.divergence is None:
            return "The model told only some probabilities, so nobody knows the entropies"
        before, after = (nats_or_bits(value, self._unit) for value in self._trace.entropies)
        return f"H {before} → {after} · KL from the raw p {nats_or_bits(self._trace.divergence, self._unit)}"

    def _show_facts(self) -> None:
        self.facts.setText(self.entropies())
        self.chart.show_trace(self._trace)

    def set_theme(self, theme: Theme) -> None:
        self.chart.theme = self.handle.theme = theme
        self.open.setIcon(icon("caret-up" if self.more.isVisible() else "caret-down", theme, "muted"))
        self.chart.update()
        self.handle.update()

    def _show_more(self) -> None:
        self.more.setVisible(self.open.isChecked())
        self.set_theme(self.chart.theme)
        self._show_facts()
        if self.open.isChecked():
            into_sight(self)

    # ---- what the user does

    def _on_switch(self, on: bool) -> None:
        row = replace(self.row, on=on)
        if on and self.stage.is_off(row.values):
            row = replace(row, values=(self.stage.fields[0].given, *row.values[1:]))
        self._tell(row)
        if on and not row.works:  # a text is to be written first
            self.switch.setChecked(False)
            self.inputs[0].field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _up(self) -> None:
        self.moved.emit(-1)

    def _down(self) -> None:
        self.moved.emit(1)

    def _on_input(self, value: float | str) -> None:
        at = next(at for at, each in enumerate(self.inputs) if each is self.sender())
        try:
            values = self.stage.check((*self.row.values[:at], value, *self.row.values[at + 1 :]))
        except Problem as problem:
            self.show_problem(problem)
            return
        self._tell(Row(self.stage.name, values, self.row.on or not at))

    def _tell(self, row: Row) -> None:
        if row != self.row:
            self.changed.emit(row)


class Text(QWidget):
    """A text of a stage: its name above, a field below. ``changed`` follows Enter, or leaving the field."""

    changed = Signal(str)

    def __init__(self, name: str, tip: str, allowed: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tip = f"{name}: {tip} {allowed}."
        self.label = Caption(role="")
        self.label.show_text(name)
        self.field = QLineEdit(self)
        self.field.setAccessibleName(name)
        self.field.setPlaceholderText(allowed.split(";")[0])
        self.field.editingFinished.connect(self._on_edited)
        self._shown = ""
        in_column(self.label, self.field, on=self, spacing=2)
        self.set_reason(None)

    def show_value(self, value: str) -> None:
        if value != self._shown:
            self._shown = value
            self.field.setText(value)

    def set_reason(self, reason: str | None) -> None:
        """Disable with a reason, or enable with None."""
        self.setEnabled(reason is None)
        for widget in (self, self.label, self.field):
            widget.setToolTip(plain(reason or self._tip))

    def _on_edited(self) -> None:
        if self.field.text() != self._shown:
            self.changed.emit(self.field.text())


class Did(Caption):
    """What a stage did, quietly; what costs more to know is in its tooltip, once somebody asks."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__()
        self.setParent(parent)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            row = self.parentWidget()
            assert isinstance(row, StageRow)
            self.setToolTip(plain(f"{self.full}\n{row.entropies()}"))
        return super().event(event)


class Handle(QWidget):
    """Six dots by which a row is dragged."""

    dragged = Signal(QPoint)
    theme: Theme = LIGHT

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setMinimumSize(TARGET, TARGET)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color("muted"))
        middle = self.rect().center()
        for x in (-3, 3):
            for y in (-5, 0, 5):
                painter.drawEllipse(middle + QPoint(x, y), 1.25, 1.25)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.dragged.emit(event.globalPosition().toPoint())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.setCursor(Qt.CursorShape.OpenHandCursor)


def tab_chain(stops: Sequence[QWidget]) -> None:
    """Let the Tab key go through these in this order."""
    for one, other in pairwise(stops):
        QWidget.setTabOrder(one, other)
