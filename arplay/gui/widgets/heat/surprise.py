"""The field of the surprisal from which a token counts as surprising."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDoubleSpinBox

from arplay.core.distribution import LN2
from arplay.core.format import in_unit
from arplay.gui.settings import LEAST_SURPRISE, MOST_SURPRISE, Unit
from arplay.gui.theme import SPACE


class SurpriseField(QDoubleSpinBox):
    """In the unit of the window; ``chosen`` carries nats."""

    chosen = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._unit: Unit = "nats"
        self.setPrefix("−log p ≥ ")
        self.setProperty("role", "figure")
        self.lineEdit().setTextMargins(SPACE[0], 0, 0, 0)
        self.setDecimals(1)
        self.setSingleStep(0.5)
        self.setKeyboardTracking(False)
        self.setAccessibleName("Surprisal from which a token counts as surprising")
        self.setToolTip("From this surprisal on a token counts as surprising (F8 goes to the next one)")
        self.setRange(LEAST_SURPRISE, in_unit(MOST_SURPRISE, "bits"))
        self.valueChanged.connect(self._on_value)

    def show_nats(self, nats: float, unit: Unit) -> None:
        """What is set; while somebody types here it stays as it is."""
        before = self.blockSignals(True)
        if unit != self._unit or not self.suffix():
            self._unit = unit
            self.setSuffix(f" {unit}")
        if not self.hasFocus():
            self.setValue(in_unit(nats, unit))
        self.blockSignals(before)

    def _on_value(self, value: float) -> None:
        nats = value * LN2 if self._unit == "bits" else value
        self.chosen.emit(min(max(nats, LEAST_SURPRISE), MOST_SURPRISE))
