"""One decoding setting: its name, an exact field, and a slider whose travel suits the quantity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtGui import QMouseEvent, QValidator
from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QSlider, QWidget

from arplay.core.decoding.stage import Field as Number
from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import Caption, plain

TRAVEL = 1000


@dataclass(frozen=True, slots=True)
class Scale:
    """How a slider's travel 0..1 becomes a value. ``neutral`` switches the stage off and is said in words.

    ``bend``: "even"; "log" (equal ratios are equal ways, whole numbers, the far end is off); "square" (fine near 0).
    """

    low: float
    high: float
    neutral: float
    decimals: int
    bend: Literal["even", "log", "square"] = "even"
    most: float | None = None
    least: float | None = None
    """The largest and the smallest value that the field takes, where the slider does not reach them."""

    @classmethod
    def of(cls, field: Number) -> Scale:
        """That of a number of a stage."""
        low = field.low if field.least is None else field.least
        most = min(field.high, 1_000_000) if field.usual else None
        least = 10.0**-field.decimals if field.above_low else field.low
        return cls(low, field.usual or field.high, field.neutral, field.decimals, field.bend, most, least)

    def value(self, travel: float) -> float:
        if self.bend == "log":
            return self.neutral if travel >= 1 else float(round(self.low * (self.high / self.low) ** travel))
        share = travel * travel if self.bend == "square" else travel
        return round(self.low + (self.high - self.low) * share, min(self.decimals, 3))  # the field is finer

    def travel(self, value: float) -> float:
        if self.bend == "log":
            if value == self.neutral:
                return 1.0
            return min(math.log(max(value, self.low) / self.low) / math.log(self.high / self.low), 0.999)
        share = min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)
        return math.sqrt(share) if self.bend == "square" else share


class Field(QDoubleSpinBox):
    """An exact number; the neutral one reads "off"."""

    def __init__(self, scale: Scale, says_off: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self._scale, self._says_off = scale, says_off
        self.setLocale(QLocale.c())
        self.setDecimals(scale.decimals)
        least = scale.low if scale.least is None else scale.least
        self.setRange(min(least, scale.neutral), scale.most or scale.high)
        self.setSingleStep(1 if scale.decimals == 0 else 0.05)
        self.lineEdit().setTextMargins(0, 0, SPACE[1], 0)
        self.setProperty("role", "figure")  # Qt 6.11 loses the text of a styled box that has NoButtons
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setKeyboardTracking(False)
        self.setFixedWidth(72)

    def textFromValue(self, value: float) -> str:
        if self._says_off and value == self._scale.neutral:
            return "off"
        text = f"{value:.{self._scale.decimals}f}"
        while len(text.partition(".")[2]) > 2 and text.endswith("0"):
            text = text[:-1]
        return text

    def valueFromText(self, text: str) -> float:
        if text.strip().lower() == "off":
            return self._scale.neutral
        return float(super().valueFromText(text))

    def validate(self, text: str, at: int) -> tuple[QValidator.State, str, int]:
        word = text.strip().lower()
        if word and "off".startswith(word):
            return (QValidator.State.Acceptable if word == "off" else QValidator.State.Intermediate, text, at)
        return super().validate(text, at)


class EasySlider(QSlider):
    """A slider that a double click puts back."""

    double_clicked = Signal()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.double_clicked.emit()


class Dial(QWidget):
    """Name and field above, slider below. ``changed`` tells what the user does, never what :meth:`show_value` does."""

    changed = Signal(float)

    def __init__(
        self,
        name: str,
        tip: str,
        scale: Scale,
        back: str = "Double-click to switch it off.",
        says_off: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        """``back``: what a double click does, in words."""
        super().__init__(parent)
        self.scale = scale
        self._tip = f"{name}: {tip} {back}"
        self._label = Caption(role="")
        self._label.show_text(name)
        self.field = Field(scale, says_off, self)
        self.slider = EasySlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, TRAVEL)
        self.slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys and screen readers go to the field
        self.slider.setPageStep(TRAVEL // 10)
        self.slider.setSingleStep(TRAVEL // 100)
        self._label.setBuddy(self.field)
        self.field.setAccessibleName(name)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE[1])
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self._label, 0, 0)
        grid.addWidget(self.field, 0, 1)
        grid.addWidget(self.slider, 1, 0, 1, 2)
        self.slider.valueChanged.connect(self._on_slider)
        self.slider.double_clicked.connect(self._switch_off)
        self.field.valueChanged.connect(self._on_field)
        self.set_reason(None)

    def show_value(self, value: float) -> None:
        """Show ``value`` without telling anybody; a slider that is being dragged is left where the hand holds it."""
        if self.field.value() != value:  # else what is just being written would be lost
            self.field.blockSignals(True)
            self.field.setValue(value)
            self.field.blockSignals(False)
        name = f"{self._label.full} {self.field.text()}, by mouse"
        if self.slider.accessibleName() != name:  # each is told to assistive tools
            self.slider.setAccessibleName(name)
        if not self.slider.isSliderDown() and self.scale.value(self.slider.value() / TRAVEL) != value:
            self.slider.blockSignals(True)
            self.slider.setValue(round(TRAVEL * self.scale.travel(value)))
            self.slider.blockSignals(False)

    def set_reason(self, reason: str | None) -> None:
        """Disable with a reason, or enable with None."""
        self.setEnabled(reason is None)
        for widget in (self, self._label, self.field, self.slider):
            widget.setToolTip(plain(reason or self._tip))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._switch_off()

    def _switch_off(self) -> None:
        self.show_value(self.scale.neutral)
        self.changed.emit(self.scale.neutral)

    def _on_slider(self, at: int) -> None:
        self.changed.emit(self.scale.value(at / TRAVEL))

    def _on_field(self, value: float) -> None:
        self.changed.emit(value)
